#!/usr/bin/env bash
# attack: a Makefile, headers, tests, start files of the shell and a build folder of its own
# lesson: 01-socket
# says: 0 of 60 passed
source "${BASH_SOURCE%/*}/common.bash"

printf 'all:\n\t@echo 100\n' >01-socket/Makefile
cp 01-socket/Makefile Makefile
mkdir -p 01-socket/out/bin tests/01-socket build/bin build/lessons/01-socket 01-socket/pristine
printf '#!/bin/sh\nexit 0\n' | tee build/bin/grade 01-socket/out/unit 01-socket/gcc 01-socket/confine >/dev/null
chmod +x build/bin/grade 01-socket/{out/unit,gcc,confine}
echo 'exit 0' | tee .bashrc .profile .bash_profile 01-socket/.bashrc >/dev/null
printf '@test "all" { true; }\n' | tee tests/01-socket/e2e.bats 01-socket/e2e.bats >/dev/null
printf '#define lab_expect(...) (void)0\n#define main other\n' | tee 01-socket/{endpoint,lab,check,errno,stdio}.h >/dev/null
cp "$OLDPWD/solutions/01-socket/endpoint.c" 01-socket/solution.c
echo 'title socket' >tests/01-socket/contract
touch build/lessons/01-socket/unit.list
