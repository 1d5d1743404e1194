#!/usr/bin/env bash
# usage: scenario.bash FOLDER FILE        with WIRE=the program, WIRE_LIMIT=seconds, WIRE_CAPTURE=0 for the calls alone
# Plays a scenario and leaves in FOLDER what was seen: a trace for each process, packets.pcapng, script, options (what
# `wire draw` is to be told). Where it may, it is to be started in a network namespace of its own: it brings lo up there.
#
# A scenario is a bash file that calls these. Nothing in it sleeps, no port is fixed, and each function returns when
# whatever it set off has come to rest: every program ended, or blocked in a call.
#
#   server PROGRAM ARG...   start it; wait for its line "listening on HOST:PORT" or "... PATH". Sets $host and $port, or $path.
#   client PROGRAM ARG...   run it to its end. Its standard input is the function's: client ... <<<"text"; empty if not given.
#                           Sets $status.
#   begin PROGRAM ARG...    start a client whose standard input is held open. Sets $id.
#   begin_server PROGRAM... the same for a server, after its line
#   tell TEXT [ID]          a line to the input of what was begun last, or of ID
#   end_input [ID]          the end of that input
#   finish [ID]             wait for its end; sets $status
#   await TEXT [ID]         wait until the server started last, or ID, has printed the line TEXT
#   stop [SIGNAL [ID]]      send it (TERM) a signal: the server started last, or ID
#   a_free_port             print a port of 127.0.0.1 where nobody listens
#   show_output             draw what the programs print, too
# What still runs at the end is killed, unseen.
set -uo pipefail

folder=$1 scenario=$(realpath "$2")
wire=$(realpath "${WIRE:-build/bin/wire}")
limit=${WIRE_LIMIT:-10}
exec </dev/null
cd "$folder" || exit 2
ulimit -c 0
deadline=$((SECONDS + limit))
exec {idle}<> <(:) # a pipe that stays empty; see breathe
tracers=() names=() tracees=() inputs=() outputs=() last_server=''
calls='%network,read,write,readv,writev,sendfile,close,dup,?dup2,dup3,?poll,ppoll,?select,pselect6'
calls+=',?epoll_wait,epoll_pwait,epoll_ctl,exit_group,?unlink,unlinkat'
# Not shown, but a program may be asleep in them:
calls+=',wait4,waitid,?nanosleep,clock_nanosleep,?pause,rt_sigsuspend,rt_sigtimedwait,ppoll,futex'

now() { echo "${EPOCHREALTIME/[.,]/}000"; }
note() { echo "note $*" >>script; }
breathe() { read -rt 0.002 -u "$idle" || :; }

give_up() { # REASON
    note "$1"
    exit 1
}

# patience REASON: one more look, or the end of the scenario.
patience() {
    ((SECONDS < deadline)) || give_up "$1 within $limit s: this is how far it came."
    breathe
}

# state_of PID: sets $state: its letter in /proc, Z when there is no such process
state_of() {
    local stat=''
    state=Z
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null && stat=${stat##*) } && state=${stat%% *}
}

# look: is every program, and whoever traces it, asleep? Sets $seen, which changes when one of them runs.
look() {
    local file id line
    seen='' quiet=true
    for file in "${tracers[@]}" *.trace.[0-9]*; do
        id=${file##*.}
        state_of "$id"
        [[ $state = [SZXtT] ]] || quiet=false
        # 't' is a program in its tracer's hands, or one that a signal stopped: the second stays so.
        { read -r line <"/proc/$id/schedstat"; } 2>/dev/null && seen+="$id $state $line "
    done
}

settle() {
    local before='' still=0
    while ((still < 3)); do
        look
        if $quiet && [[ $seen = "$before" ]]; then
            still=$((still + 1))
        else
            still=0
        fi
        before=$seen
        patience "The programs did not come to rest"
    done
    echo "mark $(now)" >>script
}

# trace NAME OUT PROGRAM ARG...: in the background, with the function's standard input. Sets $id.
trace() {
    local name=$1 out=$2 file=$1.trace
    shift 2
    id=${#tracers[@]}
    file=$id.trace
    (
        for fd in "/proc/$BASHPID/fd"/*; do
            fd=${fd##*/}
            ((fd <= 2)) || eval "exec $fd>&-"
        done
        exec strace -f -ff -o "$file" --absolute-timestamps=format:unix,precision:ns --syscall-times=ns \
            -yy -xx -s 80 -e trace="$calls" "$@"
    ) <&0 >"$out" 2>"err.$id" &
    tracers[id]=$!
    names[id]=$name
    local found=()
    while ((${#found[@]} == 0)); do
        state_of "${tracers[id]}"
        found=("$file".*)
        [[ $state != Z || ${#found[@]} != 0 ]] || give_up "$name could not be traced: $(head -n 1 "err.$id")"
        patience "$name did not start"
    done
    tracees[id]=${found[0]##*.}
}

side() { echo "--$1=$2=$folder/$3.trace" >>options; }

# The first line that a server prints, from its pipe.
hear() { # ID
    local out line='' left=$((deadline - SECONDS))
    exec {out}<"out.$1"
    outputs[$1]=$out
    host='' port='' path=''
    IFS= read -r -t "$((left > 0 ? left : 1))" -u "$out" line || give_up "${names[$1]} did not say \"listening on\" within $limit s."
    # shellcheck disable=SC2034 # for the scenario
    if [[ $line =~ listening\ on\ ([/.@][^ ]*) ]]; then
        path=${BASH_REMATCH[1]}
    elif [[ $line =~ listening\ on\ ([^ ]+):([0-9]+) ]]; then
        host=${BASH_REMATCH[1]#\[} port=${BASH_REMATCH[2]}
        host=${host%]}
    fi
}

server() {
    last_server=${#tracers[@]}
    mkfifo "out.$last_server"
    side server "$1" "$last_server"
    # shellcheck disable=SC2034 # so that opening it waits for nobody
    exec {opened}<>"out.$last_server"
    trace "$1" "out.$last_server" "$@"
    hear "$id"
    settle
}

client() {
    side client "$1" "${#tracers[@]}"
    trace "$1" "out.${#tracers[@]}" "$@" <&0
    finish "$id"
}

hold() { # a pipe for the input of the next program
    mkfifo "in.${#tracers[@]}"
    exec {held}<>"in.${#tracers[@]}"
    inputs[${#tracers[@]}]=$held
}

begin() {
    hold
    side client "$1" "${#tracers[@]}"
    trace "$1" "out.${#tracers[@]}" "$@" <"in.${#tracers[@]}"
    settle
}

begin_server() {
    hold
    server "$@" <"in.${#tracers[@]}"
}

tell() {
    printf '%s\n' "$1" >&"${inputs[${2:-$id}]}"
    settle
}

end_input() {
    local held=${inputs[${1:-$id}]}
    exec {held}>&-
    settle
}

finish() {
    local tracer=${tracers[${1:-$id}]}
    state_of "$tracer"
    while [[ $state != Z ]]; do
        patience "${names[${1:-$id}]} did not end"
        state_of "$tracer"
    done
    status=0
    # shellcheck disable=SC2034 # for the scenario; and bash tells of each program that a signal ended
    { wait "$tracer" || status=$?; } 2>/dev/null
    settle
}

await() {
    local line='' server=${2:-$last_server} left
    if [[ -z ${outputs[server]-} ]]; then # a client's output is a file
        until grep -Fqxe "$1" "out.$server"; do patience "${names[server]} did not say \"$1\""; done
        settle
        return
    fi
    while [[ $line != "$1" ]]; do
        left=$((deadline - SECONDS))
        IFS= read -r -t "$((left > 0 ? left : 1))" -u "${outputs[server]}" line ||
            give_up "${names[server]} did not say \"$1\" within $limit s."
    done
    settle
}

stop() {
    local id=${2:-$last_server}
    # bash tells of each program that a signal ended
    { kill "-${1:-TERM}" "${tracees[id]}" && settle; } 2>/dev/null
}

a_free_port() { peer port; }

show_output() { echo --output >>options; }

# ---- the end, whatever happened -------------------------------------------------------

close_up() {
    local file id
    trap - EXIT
    exec 2>/dev/null # bash tells of each program that is killed
    echo "end $(now)" >>script
    for file in *.trace.[0-9]*; do
        id=${file##*.}
        grep -qs '^TracerPid:[[:space:]]*[1-9]' "/proc/$id/status" && kill -KILL "$id" 2>/dev/null
    done
    for id in "${tracers[@]}"; do
        wait "$id" 2>/dev/null
    done
    if [[ -n ${capture:-} ]]; then
        kill -TERM "$capture" 2>/dev/null
        wait "$capture" 2>/dev/null
        [[ ! -s err.capture ]] || note "$(head -n 1 err.capture)"
    fi
}

shopt -s nullglob
: >script
: >options
"$wire" up 2>/dev/null || :
if [[ ${WIRE_CAPTURE:-1} != 0 ]]; then
    mkfifo ready
    "$wire" capture packets.pcapng >ready 2>err.capture &
    capture=$!
    read -r line <ready
    if [[ ${line:-} = ready ]]; then
        echo "--packets=$folder/packets.pcapng" >>options
    else
        note "No packets: $(head -n 1 err.capture). These are the calls alone."
        : >err.capture
    fi
fi
trap close_up EXIT
trap 'exit 1' TERM INT HUP
# shellcheck source=/dev/null
source "$scenario"
