# End-to-end tests of lesson 01: the program `sockets`, which is given, run with the student's endpoint.c.

setup() {
    load ../lib/lab
    lab_setup
}

teardown() {
    lab_teardown
}

# row FAMILY TYPE PROTOCOL: prints the answer and the meaning in that row of the table in $output.
row() {
    awk -v family="$1" -v type="$2" -v protocol="$3" '
        $1 == family && $2 == type && $3 == protocol {
            text = $4
            for (i = 5; i <= NF; i++)
                text = text " " $i
            print text
            exit
        }' <<<"$output"
}

# expect_row FAMILY TYPE PROTOCOL PATTERN: the rest of that row matches the whole extended regular expression.
expect_row() {
    local rest
    rest=$(row "$1" "$2" "$3")
    if [[ ! $rest =~ ^($4)$ ]]; then
        you "the row $1 $2 $3 says \"$rest\""
        expected "\"$4\""
        return 1
    fi
}

# opened: prints FAMILY TYPE PROTOCOL of the rows in the table in $output that have a descriptor.
opened() {
    awk 'NR > 1 && $4 ~ /^[0-9]+$/ { print $1, $2, $3 }' <<<"$output"
}

# descriptors: prints the descriptors in the table in $output, in its order.
descriptors() {
    sed -n 's/.* \([0-9][0-9]*\)  *protocol .*$/\1/p' <<<"$output"
}

# lab: points=4 task=2 needs="socket_open/returns_minus_1_with_the_errno_of_socket socket_describe/tells_family_type_and_protocol family_name type_name protocol_name socket_close_all/passes_over_negative_entries" read="What an error tells you" man="2 socket" likely="the table shows what socket_open() returned and socket_describe() said"
@test "sockets shows what every Linux opens, and as what" {
    run -0 --separate-stderr sockets
    expect_row AF_INET SOCK_STREAM 0 '[0-9]+ protocol IPPROTO_TCP'
    expect_row AF_INET SOCK_DGRAM 0 '[0-9]+ protocol IPPROTO_UDP'
    expect_row AF_UNIX SOCK_STREAM 0 '[0-9]+ protocol 0'
    expect_row AF_UNIX SOCK_DGRAM 0 '[0-9]+ protocol 0'
    expect_row AF_UNIX SOCK_SEQPACKET 0 '[0-9]+ protocol 0'
}

# lab: points=3 task=1 needs="socket_open/passes_the_protocol_on socket_describe/tells_family_type_and_protocol family_name type_name protocol_name socket_close_all/passes_over_negative_entries" read="What an error tells you" man="2 socket" likely="socket_open() returns -1 with errno exactly as socket() left it"
@test "sockets tells the errors apart" {
    run -0 --separate-stderr sockets
    expect_row AF_INET SOCK_STREAM IPPROTO_UDP 'EPROTONOSUPPORT no such protocol for it'
    expect_row AF_INET SOCK_SEQPACKET 0 'ESOCKTNOSUPPORT no such type in family'
    expect_row AF_INET 99 0 'EINVAL not a possible number'
    expect_row 99 SOCK_STREAM 0 'EAFNOSUPPORT no such family here'
}

# lab: points=3 task=4 needs="socket_open/returns_minus_1_with_the_errno_of_socket socket_describe/tells_family_type_and_protocol family_name type_name protocol_name socket_close_all/passes_over_negative_entries" read="Names for numbers" man="2 socket" likely="each column is one of your three names: compare it with the lists in endpoint.h"
@test "sockets names everything it asks for, in 80 columns" {
    run -0 --separate-stderr sockets
    local asked
    asked=$(awk 'NR > 1 { print $1, $2, $3 }' <<<"$output")
    assert_equal "$asked" "AF_INET SOCK_STREAM 0
AF_INET6 SOCK_STREAM 0
AF_INET SOCK_DGRAM 0
AF_INET6 SOCK_DGRAM 0
AF_UNIX SOCK_STREAM 0
AF_UNIX SOCK_DGRAM 0
AF_UNIX SOCK_SEQPACKET 0
AF_INET SOCK_RAW IPPROTO_ICMP
AF_INET6 SOCK_RAW IPPROTO_ICMPV6
AF_PACKET SOCK_RAW ETH_P_ALL
AF_PACKET SOCK_DGRAM ETH_P_IP
AF_INET SOCK_STREAM IPPROTO_SCTP
AF_INET6 SOCK_STREAM IPPROTO_SCTP
AF_INET SOCK_SEQPACKET IPPROTO_SCTP
AF_INET6 SOCK_SEQPACKET IPPROTO_SCTP
AF_RDS SOCK_SEQPACKET 0
AF_INET SOCK_DGRAM IPPROTO_ICMP
AF_INET SOCK_STREAM IPPROTO_UDP
AF_INET SOCK_SEQPACKET 0
AF_INET 99 0
99 SOCK_STREAM 0"
    local longest
    longest=$(awk 'length > n { n = length } END { print n }' <<<"$output")
    assert [ "$longest" -le 80 ]
}

# lab: points=2 task=1 needs="socket_open/returns_minus_1_with_the_errno_of_socket socket_open/returns_the_lowest_free_descriptor socket_describe/tells_family_type_and_protocol family_name type_name protocol_name socket_close_all/passes_over_negative_entries" read="A socket is a descriptor" man="2 socket" likely="return the descriptor that socket() returned, and keep it open"
@test "each socket gets a higher descriptor while all stay open" {
    run -0 --separate-stderr sockets
    local all
    all=$(descriptors)
    assert_equal "$all" "$(sort -n -u <<<"$all")"
    assert [ "$(wc -l <<<"$all")" -ge 5 ]
}

# lab: points=3 task=1 needs="socket_open/returns_minus_1_with_the_errno_of_socket socket_open/says_EMFILE_when_no_descriptor_is_left socket_describe/tells_family_type_and_protocol family_name type_name protocol_name socket_close_all/passes_over_negative_entries" read="What an error tells you" man="2 getrlimit" likely="when there is no descriptor left, socket_open() returns -1 with errno EMFILE"
@test "with two descriptors left, the third socket says EMFILE" {
    run -0 --separate-stderr sockets
    local third family type protocol
    local -a rows
    third=$(descriptors | sed -n 3p)
    mapfile -t rows < <(opened)
    peer "allowed descriptors 0 to $((third - 1)) only (ulimit -n $third)"
    run -0 --separate-stderr bash -c "ulimit -n $third && exec sockets"
    assert_equal "$(opened)" "${rows[0]}"$'\n'"${rows[1]}"
    while read -r family type protocol; do
        expect_row "$family" "$type" "$protocol" 'EMFILE no descriptor left'
    done < <(printf '%s\n' "${rows[@]:2}")
    expect_row 99 SOCK_STREAM 0 'EAFNOSUPPORT no such family here'
}

# lab: points=4 task=1 needs="socket_open/is_close_on_exec socket_describe/tells_nonblocking_and_close_on_exec_apart family_name type_name protocol_name" read="Two kinds of flag" man="2 execve" likely="a socket without FD_CLOEXEC is still open in the program that sockets became"
@test "exec lets none of the sockets through" {
    local list inherited passed
    # shellcheck disable=SC2016 # for the shell that is run
    list='for fd in /proc/$$/fd/*; do readlink "$fd"; done | grep "^socket" | sort -u; true'
    inherited=$(sh -c "$list" </dev/null)
    peer "ran \"sockets sh\", and looked at the descriptors that sh had"
    run -0 --separate-stderr sockets sh -c "$list" </dev/null
    assert [ "$(descriptors | wc -l)" -ge 5 ]
    passed=$(grep '^socket:' <<<"$output" || true)
    assert_equal "$passed" "$inherited"
}

# lab: points=2 task=5 needs="socket_open/prints_nothing socket_describe/prints_nothing socket_describe/tells_family_type_and_protocol family_name type_name protocol_name socket_close_all" read="What an error tells you" man="3 errno" likely="your functions print nothing: -1 and errno tell the program, and the program its user"
@test "sockets ends with status 0 and nothing on standard error" {
    run --separate-stderr sockets
    # shellcheck disable=SC2154 # run sets stderr
    you "ended with status $status, and wrote \"${stderr%%$'\n'*}\" on standard error"
    expected "status 0, and nothing on standard error"
    assert_equal "$status" 0
    assert [ -z "$stderr" ]
}
