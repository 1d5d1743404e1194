# lab.bash: what end-to-end tests share.
#
#     setup() { load ../lib/lab; lab_setup; }
#     teardown() { lab_teardown; }
#
#     @test "echoes a line" {
#         start echo-server 127.0.0.1 0
#         run -0 echo-client "$host" "$port" <<<"hello"
#         assert_output "hello"
#         stop TERM
#         assert_success
#     }
#
# Programs in the background
#   start PROGRAM ARG...    start it and wait for its first line. Sets $pid, $line and, from "listening on HOST:PORT",
#                           "listening on [::1]:8080" or "listening on PATH", $host and $port, or $path.
#                           Its standard input is empty, and no descriptor above 2 is open in it.
#   launch PROGRAM ARG...   start it and wait for nothing. Its standard input is held open: tell, end_input. Sets $pid.
#   tell TEXT               a line to the standard input of the program launched last
#   end_input               the end of that input
#   next_line [PID]         wait for the program's next line; sets $line. Fails at the end of its output.
#   wait_for_line RE [PID]  wait for a line that matches; sets $line. The lines before it are gone.
#   stop [SIGNAL [PID]]     send the signal (TERM), wait for the end; sets $status (128 + the signal's number when that
#                           was its end), $output and $lines (what it printed since the last line read), $stderr
#   finish [PID]            the same without a signal
#   fd_count [PID]          print how many descriptors it has open
# PID is that of the program started last where it is left out. Keep "$pid" in a variable of your own to speak of
# an earlier one: start echo-server ...; server=$pid; launch nc ...; stop TERM "$server".
#
# A plain client in bash, where closing or silence is the point (no half-close: for that, nc -N)
#   open_client [HOST PORT] connect; sets $client, a descriptor. The last $host and $port where they are left out.
#   say TEXT [CLIENT]       send a line; a server that is gone is no error
#   hear [CLIENT]           wait for a line; sets $output. Fails at the end of the stream.
#   hear_end [CLIENT]       read up to the end of the stream; sets $output
#   hang_up [CLIENT]        close
#   bytes N                 read so many bytes, or all up to the end, from standard input; sets $output, in hexadecimal
#
# Programs that run to their end
#   attempt PROGRAM ARG...  as run --separate-stderr, without its five processes: sets $status, $output, $stderr. What it
#                           printed is also in the file "printed".
#   same FILE FILE          are their bytes the same?
#   open_unread             sets $unread, a pipe that nobody reads and nobody will
#
# What gives no sign of itself
#   breathe                 in a loop that looks for it: leaves the core to others for 2 ms
#   await COMMAND...        look until it is true, and no longer than program $pid lives
#   sleeps PID              does it, with all its threads?
#   measure PID             sets $slept, how often it went to sleep, and $worked, its processor time in nanoseconds
#   rests PID               did it sleep all the time from one look to the next?
#
# The story of a failure, which the grader shows only if the test fails:
#   peer, likely, you, expected TEXT
#
# Every wait ends after $LAB_PATIENCE seconds (4) as a failure: a bound for what hangs, never a pause.

# run -N and run --separate-stderr came with 1.5; this function with 1.7.
if declare -F bats_require_minimum_version >/dev/null; then
    bats_require_minimum_version 1.5.0
fi

# ---- the story --------------------------------------------------------------------------------------

# Told at once, on the descriptor that bats keeps for it: a test that hangs has no chance to do it at its end.
peer() { echo "# lab peer: $*" >&3; }
likely() { echo "# lab likely: $*" >&3; }
you() { echo "# lab you: $*" >&3; }
expected() { echo "# lab expected: $*" >&3; }

# ---- waiting for what cannot be waited for ----------------------------------------------------------

breathe() { # without a process of its own
    read -rt 0.002 -u "$lab_idle" || :
}

await() {
    until "$@"; do
        breathe
        ! lab_ended "$pid" || fail "the program has ended"
    done
}

sleeps() {
    local task state
    for task in "/proc/$1/task"/*; do
        read -r _ _ state _ 2>/dev/null <"$task/stat" || return
        [[ $state == S ]] || return
    done
}

measure() {
    local task key value
    slept=0 worked=0
    for task in "/proc/$1/task"/*; do
        while read -r key value; do
            [[ $key != voluntary* ]] || slept=$((slept + value))
        done <"$task/status" || continue # it has ended meanwhile
        read -r value _ <"$task/schedstat" || continue
        worked=$((worked + value))
    done 2>/dev/null
}

rests() {
    sleeps "$1" && measure "$1" || return
    local before=$worked
    sleeps "$1" && measure "$1" && ((worked == before))
}

# ---- before and after a test ------------------------------------------------------------------------

lab_load() { # NAME: a bats library, wherever this machine keeps it
    local folder
    local -a folders
    IFS=: read -ra folders <<<"${BATS_LIB_PATH-}"
    for folder in "${folders[@]}" /usr/lib/bats /usr/share/bats /usr/lib /usr/local/lib/bats /usr/local/lib \
        /usr/lib/node_modules /usr/local/lib/node_modules; do
        if [[ -n $folder && -f $folder/$1/load.bash ]]; then
            # shellcheck source=/dev/null
            source "$folder/$1/load.bash"
            return
        fi
    done
    echo "lab: $1 is not installed: make setup" >&2
    return 1
}

lab_setup() {
    LAB_PATIENCE=${LAB_PATIENCE:-4}
    lab_pids=() # in the order of their start; the arrays below are by process number
    declare -gA lab_name=() lab_out=() lab_in=() lab_err=()
    # The grader brings both as one file: tests/lib/assert.bash, made by make.
    # shellcheck source=/dev/null
    source "${BASH_SOURCE[0]%/*}/assert.bash" 2>/dev/null || { lab_load bats-support && lab_load bats-assert; }
    PATH=${LAB_BIN:+$LAB_BIN:}$PATH
    exec {lab_idle}<> <(:) # a pipe that stays empty; see breathe. (Not there: it changes $!.)
    cd "$BATS_TEST_TMPDIR" || return
    # bats notes each command before it is executed, in functions too (set -T), which takes longer than most commands
    # themselves. The test's own commands are enough: the place of a failure is then always a line of the test.
    set +T
    declare -ft "${BATS_TEST_NAME:-lab_setup}" teardown
}

# Everything started is ended, whatever it says; a report of a sanitizer's or a child left behind fails the test.
lab_teardown() {
    local id failed=0
    if [[ -z ${BATS_TEST_COMPLETED-} && -n ${stderr-} ]]; then
        printf '%s\n' "$stderr" # what run --separate-stderr or stop heard last: a sanitizer's report, say
    fi
    for id in "${lab_pids[@]}"; do
        if [[ -n ${lab_out[$id]-} ]]; then
            kill -TERM "$id" 2>/dev/null || :
            # Not what is tested here, and not said: one that does not hear SIGTERM (yet) is killed after a second.
            LAB_PATIENCE=1 lab_wait "$id" >/dev/null 3>/dev/null || :
        fi
        lab_is_clean "$id" || failed=1
        kill -KILL -- "-$id" 2>/dev/null || :
    done
    return "$failed"
}

# ---- starting ---------------------------------------------------------------------------------------

lab_begin() { # INPUT PROGRAM ARG...: in a process group of its own, so that nothing of it can be missed
    local input=$1 n=${#lab_pids[@]} out
    shift
    [[ -p out.$n ]] || mkfifo out.$((n)) out.$((n + 1)) out.$((n + 2)) out.$((n + 3))
    set -m
    (
        for fd in "/proc/$BASHPID/fd"/*; do
            fd=${fd##*/}
            ((fd <= 2)) || eval "exec $fd>&-"
        done
        exec "$@"
    ) <"$input" >"out.$n" 2>"err.$n" &
    set +m
    pid=$!
    exec {out}<"out.$n"
    lab_pids+=("$pid")
    lab_name[$pid]=$1
    lab_out[$pid]=$out
    lab_err[$pid]=$PWD/err.$n
}

start() {
    lab_begin /dev/null "$@"
    # shellcheck disable=SC2034 # for the test
    host='' port='' path=''
    next_line || return
    if [[ $line =~ listening\ on\ ([/.@][^ ]*) ]]; then
        # shellcheck disable=SC2034 # for the test
        path=${BASH_REMATCH[1]}
    elif [[ $line =~ listening\ on\ ([^ ]+):([0-9]+) ]]; then
        host=${BASH_REMATCH[1]#\[} port=${BASH_REMATCH[2]}
        host=${host%]}
    fi
}

launch() {
    local held in=in.${#lab_pids[@]}
    mkfifo "$in"
    exec {held}<>"$in" # for both, or the open would wait for the other side
    lab_begin "$in" "$@"
    lab_in[$pid]=$held
}

tell() {
    printf '%s\n' "$1" >&"${lab_in[$pid]}"
}

end_input() {
    local held=${lab_in[$pid]}
    exec {held}>&-
}

# ---- output -----------------------------------------------------------------------------------------

next_line() {
    local id=${1:-$pid} code=0
    IFS= read -r -t "$LAB_PATIENCE" -u "${lab_out[$id]}" line || code=$?
    ((code)) || return 0
    if ((code > 128)); then
        you "${lab_name[$id]} printed no line within $LAB_PATIENCE s"
        likely "standard output to a pipe is kept back until fflush(stdout)"
        return 1
    fi
    lab_reap "$id"
    you "${lab_name[$id]} ended with status $status and printed no such line"
    [[ -z $stderr ]] || printf '%s\n' "$stderr"
    return 1
}

wait_for_line() {
    expected "a line like \"$1\""
    next_line "${2:-$pid}" || return
    while ! [[ $line =~ $1 ]]; do
        next_line "${2:-$pid}" || return
    done
}

fd_count() {
    local -a open=("/proc/${1:-$pid}/fd"/*)
    echo "${#open[@]}"
}

# ---- ending -----------------------------------------------------------------------------------------

lab_reap() { # PID: it has ended, or will at once
    status=0
    wait "$1" 2>/dev/null || status=$?
    IFS= read -r -d '' stderr <"${lab_err[$1]}" || :
    stderr=${stderr%"${stderr##*[!$'\n']}"}
    local out=${lab_out[$1]}
    exec {out}<&-
    unset "lab_out[$1]"
}

lab_ended() { # PID: is it gone, or not yet waited for?
    local stat
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 0
    [[ ${stat##*) } == Z* ]]
}

# The end of its output comes when it, and every child that it gave the output to, has ended.
lab_wait() { # PID
    local code=0
    IFS= read -r -d '' -t "$LAB_PATIENCE" -u "${lab_out[$1]}" output || code=$?
    output=${output%"${output##*[!$'\n']}"}
    # shellcheck disable=SC2034 # for the test
    mapfile -t lines <<<"$output"
    if ((code > 128)) && ! lab_ended "$1"; then
        kill -KILL -- "-$1"
        lab_reap "$1"
        you "${lab_name[$1]} did not end within $LAB_PATIENCE s"
        return 1
    fi
    lab_reap "$1"
}

finish() {
    lab_wait "${1:-$pid}"
}

stop() {
    local id=${2:-$pid}
    [[ -n ${lab_out[$id]-} ]] || {
        echo "lab: stop: program $id was stopped before"
        return 1
    }
    kill "-${1:-TERM}" "$id"
    lab_wait "$id"
}

lab_left_behind() { # PID: does a process of its group still run? (One that has ended, and waits for init, does not.)
    local stat
    local -a fields
    kill -0 -- "-$1" 2>/dev/null || return 1
    for stat in /proc/[0-9]*/stat; do
        { read -r stat <"$stat"; } 2>/dev/null || continue
        read -ra fields <<<"${stat##*) }"
        [[ ${fields[2]} != "$1" || ${fields[0]} == [ZX] ]] || return 0
    done
    return 1
}

lab_is_clean() { # PID, of a program that has ended
    local text tries=0
    # Children that were told of the end may take a moment to come to theirs.
    while lab_left_behind "$1" && ((tries++ < 100)); do breathe; done
    if lab_left_behind "$1"; then
        you "${lab_name[$1]} left a child process behind"
        likely "wait for each child before the end, and see that it knows of the end"
        return 1
    fi
    IFS= read -r -d '' text <"${lab_err[$1]}" || :
    [[ $text == *"Sanitizer: "* || $text == *": runtime error: "* ]] || return 0
    you "${lab_name[$1]} drew a report of the sanitizer's"
    printf '%s\n' "$text"
    return 1
}

# ---- to the end -------------------------------------------------------------------------------------

attempt() {
    status=0
    "$@" >printed 2>complaints || status=$?
    IFS= read -r -d '' output <printed || :
    # shellcheck disable=SC2034 # for the test
    IFS= read -r -d '' stderr <complaints || :
    output=${output%"${output##*[!$'\n']}"}
    stderr=${stderr%"${stderr##*[!$'\n']}"}
}

same() {
    cmp "$@" >difference 2>&1 && return
    you "$(<difference)"
    return 1
}

# Not by >(:) and wait $!, which now and then waits for ever: bash looks whether the process runs, it ends, bash waits for it.
# shellcheck disable=SC2034,SC2094 # $unread is for the test; the one file is a pipe
open_unread() {
    local reader
    [[ -p unread ]] || mkfifo unread
    exec {reader}<>unread {unread}>unread {reader}>&-
}

# ---- a plain client ---------------------------------------------------------------------------------

open_client() {
    exec {client}<>"/dev/tcp/${1:-$host}/${2:-$port}"
}

say() { # in a subshell, as it may not live through the SIGPIPE
    (printf '%s\n' "$1" >&"${2:-$client}") 2>/dev/null || :
}

hear() {
    output=''
    IFS= read -r -t "$LAB_PATIENCE" -u "${1:-$client}" output && return
    you "sent no line${output:+, only \"$output\"}"
    return 1
}

hear_end() {
    local code=0
    IFS= read -r -d '' -t "$LAB_PATIENCE" -u "${1:-$client}" output || code=$?
    output=${output%"${output##*[!$'\n']}"}
    ((code <= 128)) && return
    you "did not end the stream within $LAB_PATIENCE s"
    return 1
}

hang_up() {
    local id=${1:-$client}
    exec {id}>&-
}

bytes() {
    local LC_ALL=C left=$1 piece digits i code=0
    output=''
    while ((left > 0 && code == 0)); do
        IFS= read -r -d '' -t "$LAB_PATIENCE" -n "$left" piece || code=$? # up to a NUL, which is then taken too
        for ((i = 0; i < ${#piece}; i++)); do
            printf -v digits %02x "'${piece:i:1}"
            output+=" ${digits: -2}"
        done
        left=$((left - ${#piece}))
        if ((left > 0 && code == 0)); then
            output+=' 00'
            left=$((left - 1))
        fi
    done
    output=${output# }
    return "$code"
}
