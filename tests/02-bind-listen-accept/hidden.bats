# Hidden end-to-end tests of lesson 02: the programs with other input than in e2e.bats.

setup() {
    load ../lib/lab
    lab_setup
}
teardown() { lab_teardown; }

# lab: points=3 task=8 needs="end to end/echo-client carries a large input" read="Both ways at once" man="2 write" likely="bytes are bytes: a NUL, a byte above 127 or a last line without its newline is no end of anything"
@test "echo-client and echo-server carry any bytes" {
    start echo-server 127.0.0.1 0
    for byte in 000 001 012 200 377; do
        # shellcheck disable=SC2059 # the format is the byte
        { head -c 70001 /dev/urandom && printf "\\$byte"; } >input
        echo-client "$host" "$port" <input >output
        same input output
    done
    printf '\0' >input
    echo-client "$host" "$port" <input >output
    same input output
}

# lab: points=2 task=6 needs="end to end/serves one client after another" read="One client after another" man="2 close" likely="each client's connection is closed when it is done, whoever it was and however little it sent"
@test "serves many clients with one server" {
    start echo-server 127.0.0.1 0
    open_client
    say once
    hear
    before=$(fd_count)
    hang_up
    for ((i = 0; i < 60; i++)); do
        open_client
        ((i % 3)) || { say "$i" && hear && assert_output "$i"; }
        hang_up
    done
    open_client
    say twice
    hear
    assert_output twice
    assert_equal "$(fd_count)" "$before"
}
