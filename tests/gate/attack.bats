# The check of attacks must be able to fail: each of its conditions is broken once. The grader is a stand-in that does what
# the attack's file "harm" says, outside of any sandbox.

bats_require_minimum_version 1.5.0

setup_file() {
    unshare -mpif --mount-proc true 2>/dev/null || unshare -Urmpif --mount-proc true 2>/dev/null || skip "namespaces cannot be made here"
    local course=$BATS_FILE_TMPDIR/course
    mkdir -p "$course"
    cd "$BATS_TEST_DIRNAME/../.." || return
    cp -r --parents lessons/01-socket tests/{gate,tools,lib,01-socket} tests/harness/calls.syms tests/attacks/common.bash \
        solutions/01-socket build/bin/{grade,confine} build/harness build/lessons/01-socket "$course"
    mv "$course/build/bin/grade" "$course/build/bin/real"
    cat >"$course/build/bin/grade" <<'END'
#!/usr/bin/env bash
for argument; do
    case $argument in
    --json=*) json=${argument#*=} ;;
    --submission=*) folder=${argument#*=} ;;
    esac
done
status=1 score=0 result=fail said="FAIL it is wrong"
[[ $folder != */next ]] || status=0 score=100 result=pass
[[ $folder != */next || ! -e /tmp/world/log/harmed ]] || score=50
[[ ! -e $folder/harm ]] || source "$folder/harm"
echo '{"score": '"$score"', "tests": [{"extra_data": {"id": "a/b", "result": "'"$result"'"}}], "extra_data": {"compiles": '"${compiles:-true}"'}}' >"$json"
printf '%s\n' "$said"
exit "$status"
END
    chmod +x "$course/build/bin/grade"
}

setup() {
    bats_load_library bats-support
    bats_load_library bats-assert
    cd "$BATS_FILE_TMPDIR/course" || return
}

# harm LINE...: an attack that has the grader do this
harm() {
    {
        printf '#!/usr/bin/env bash\n# attack: does harm\n# lesson: 01-socket\n# says: it is wrong\n# limit: 5\n'
        printf 'source "${BASH_SOURCE%%/*}/common.bash"\n'
        printf "cat >harm <<'END'\n%s\nEND\n" "$*"
    } >tests/attacks/harm.sh
}

# found WORDS: the check fails, and says so
found() {
    run -1 tests/gate/attack harm
    assert_output --partial "$1"
}

@test "no harm: the check passes, and points that are stated may be left" {
    harm true
    run -0 tests/gate/attack harm
    harm 'score=12.5'
    sed -i '2a # points: 12.5' tests/attacks/harm.sh
    run -0 tests/gate/attack harm
}

@test "a submission that is right is no attack" {
    harm true
    sed -i '$a solved 01-socket endpoint.c' tests/attacks/harm.sh
    cp build/bin/grade build/bin/stand-in
    cp build/bin/real build/bin/grade
    run -1 tests/gate/attack harm
    mv build/bin/stand-in build/bin/grade
    assert_output --partial "the grader's status is 0"
}

@test "a status of 0 or 2, points, a test that passed, an attack that does not compile, words that are missing" {
    harm 'status=0'
    found "status is 0"
    harm 'status=2'
    found "status is 2"
    harm 'score=3'
    found "3 points, not 0"
    harm 'result=pass'
    found "a/b"
    harm 'compiles=false'
    found "it was not to be built, or was not"
    harm 'said="FAIL for no reason"'
    found 'does not say "it is wrong"'
}

@test "control characters, a record that is no JSON, a grading that takes too long" {
    harm 'said+=$(printf "\033[2J")'
    found "control characters"
    harm 'result="a\" b"'
    found "no JSON"
    harm 'read -r _ < <(exec sleep 30)'
    sed -i 's/limit: 5/limit: 1/' tests/attacks/harm.sh
    found "status is 124"
}

@test "what the attack says when it is out" {
    harm 'said+="BROKE-OUT to the moon"'
    found "BROKE-OUT to the moon"
}

@test "files: one more, one changed, one with other rights, one that is read by nobody else" {
    harm 'touch /tmp/lab-left'
    found "> /tmp/lab-left"
    harm 'touch /dev/shm/left'
    found "> /dev/shm/left"
    harm 'echo >>solutions/01-socket/endpoint.c'
    found "endpoint.c"
    harm 'chmod 777 tests/01-socket/contract'
    found "tests/01-socket/contract"
    harm 'echo >/tmp/world/private/canary'
    found "< secret"
    harm 'touch /tmp/world/door/in'
    found "door/in"
}

@test "disk that is not given back" {
    harm 'exec 9>/tmp/left; rm /tmp/left; head -c 9000000 /dev/zero >&9; sleep 1000 <&9 >/dev/null 2>&1 &'
    found "sleep 1000"
    assert_output --regexp '> +[0-9]{4}'
}

@test "processes: one left, the bystander gone; memory and queues without a process" {
    harm 'setsid sleep 1001 >/dev/null 2>&1 &'
    found "sleep 1001"
    harm 'pkill -x -o sleep'
    found "the bystander lives"
    harm 'ipcmk -M 4096 >/dev/null'
    found "this has changed outside"
}

@test "a visit to a listener outside" {
    harm 'echo hello | socat -u - UNIX-CONNECT:/tmp/world/socket; until [[ -s /tmp/world/visitors ]]; do read -rt 0.01 <> <(:) || true; done'
    found "visitors"
}

@test "the next submission suffers" {
    harm 'touch /tmp/world/log/harmed'
    found "the next submission got 50 points"
}

@test "a head without an attack, a lesson or words; a name that there is not" {
    local key
    for key in attack lesson says; do
        harm true
        sed -i "/^# $key:/d" tests/attacks/harm.sh
        found "its head lacks"
    done
    run -1 tests/gate/attack nothing
    assert_output --partial "there is no tests/attacks/nothing.sh"
}
