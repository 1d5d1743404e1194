#!/usr/bin/env bash
# attack: the function returns not to the test but to the test's caller, so that no assertion is made
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: 1 of 1 passed | 0 of 1 passed
# points: 100 | 0
# passes: 1 | 0
# A known limit: a unit test shares its process, and so its stack, with the code that it tests. What such code earns this way
# it does not earn from end-to-end tests: see memory-of-the-harness-end-to-end.
source "${BASH_SOURCE%/*}/common.bash"

starts $one type_name <<'C'
    void **mine = __builtin_frame_address(0), **check = *mine, **test = *check;
    mine[0] = test[0]; /* the frames in between are passed over */
    mine[1] = test[1];
C
