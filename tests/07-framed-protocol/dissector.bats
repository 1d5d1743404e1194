# lessons/07-framed-protocol/length32le.lua shows frames as frame.h and measure.h say. Run from the project's root, or by
# anybody from anywhere: bats tests/07-framed-protocol/dissector.bats. Needs tshark, and no privilege: it reads a file.

bats_require_minimum_version 1.5.0

setup() {
    command -v tshark >/dev/null || skip "tshark is not installed"
    dissector=$BATS_TEST_DIRNAME/../../lessons/07-framed-protocol/length32le.lua
    nobody=() # since Wireshark 4.4 no script is loaded for root; nobody may not find the files, but is given them open
    ((EUID != 0)) || nobody=(env -C / setpriv --reuid=65534 --regid=65534 --clear-groups)
    export HOME=/nonexistent # nobody's own settings
    unset WIRESHARK_RUN_FROM_BUILD_DIRECTORY
    cd "$BATS_TEST_TMPDIR" || return
    sequence=1
    : >segments
}

# u16 NUMBER..., u32 NUMBER...: big-endian, as printf understands it
u16() { for n; do printf '\\x%02x\\x%02x' $((n >> 8)) $((n & 255)); done; }
u32() { for n; do u16 $((n >> 16)) $((n & 65535)); done; }

# segment BYTES: one more TCP segment from port 40000 to port 7007, in a packet of the pcap file (raw IPv4).
segment() {
    local n
    # shellcheck disable=SC2059 # the bytes are a format
    n=$(printf "$1" | wc -c)
    {
        printf '\0\0\0\0\0\0\0\0' # when
        # shellcheck disable=SC2059
        printf "$(u32 $((40 + n)) $((40 + n)))" # bytes kept, and bytes there were
        # shellcheck disable=SC2059
        printf "\x45\0$(u16 $((40 + n)))\0\0\x40\0\x40\x06\0\0\x7f\0\0\x01\x7f\0\0\x01"
        # shellcheck disable=SC2059
        printf "$(u16 40000 7007)$(u32 "$sequence" 1)\x50\x18\xff\xff\0\0\0\0"
        # shellcheck disable=SC2059
        printf "$1"
    } >>segments
    sequence=$((sequence + n))
}

# dissect OPTION...: what tshark makes of the segments
dissect() {
    { # magic number, version 2.4, no offsets, packets of up to 64 KiB, link type 101 (raw IP)
        printf '\xa1\xb2\xc3\xd4\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0\x65'
        cat segments
    } >frames.pcap
    run -0 --separate-stderr "${nobody[@]}" tshark -X lua_script:/dev/fd/9 -d tcp.port==7007,length32le -r - "$@" <frames.pcap 9<"$dissector"
    echo "$output"
    echo "$stderr" >&2
    [[ $stderr != *"Lua: "* ]]
}

request='\x10\0\0\0\x64\0\0\0\0\0\0\0\x33\x33\x33\x33\x33\x33\x24\x40'
fields=(-T fields -e length32le.length -e length32le.id -e length32le.value -E occurrence=a)

@test "a request is shown with id and value" {
    segment "$request"
    dissect "${fields[@]}"
    [ "$output" = $'16\t100\t10.1' ]
    dissect
    [[ $output == *"length32le"*"[id 100, value 10.1]"* ]]
}

@test "several frames of one segment are shown" {
    segment "$request$request$request"
    dissect "${fields[@]}"
    [ "$output" = $'16,16,16\t100,100,100\t10.1,10.1,10.1' ]
}

@test "a frame that is cut within its length is put together" {
    segment "${request:0:8}"              # 3 bytes of the length
    segment "${request:8}${request:0:14}" # the rest, and the next one's length and a byte of its id
    segment "${request:14}"
    dissect "${fields[@]}"
    [ "$output" = $'\t\t\n16\t100\t10.1\n16\t100\t10.1' ]
}

@test "what is no request is shown as bytes" {
    segment '\0\0\0\0\x03\0\0\0abc'
    dissect -T fields -e length32le.length -e length32le.body -e length32le.no_measure
    [[ $output == $'0,3\t616263\t'* || $output == $'0,3\t61:62:63\t'* ]]
}

@test "padding that is not zero, and a length that is none, are pointed out" {
    segment "${request:0:20}UUUU${request:28}"
    segment '\0\0\0\x10zz'
    dissect -V
    [[ $output == *"The padding is not zero"* ]]
    [[ $output == *"Longer than 2 MiB"* ]]
    [[ $output != *"Lua Error"* ]]
}
