#!/usr/bin/env bash
# attack: a folder called as a file, with names in it that look like options and like ways up
# lesson: 01-socket
# builds: no
# says: is not a regular file
source "${BASH_SOURCE%/*}/common.bash"

rm $one
mkdir -p "$one/..." "$one/-o unit" "$one/..;exit 0"
touch "01-socket/-B." $'01-socket/..\n..' "01-socket/--help" "01-socket/$(printf '\377\033[2J').c"
