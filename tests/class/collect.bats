#!/usr/bin/env bats
# What a class handed in is found, opened and made gradable, whatever it is: with sanitizers, but where a test is about the
# limits that these forbid.

bats_require_minimum_version 1.5.0

setup() {
    load ../lib/lab
    lab_setup
    export TZ=UTC PYTHONPATH=$BATS_TEST_DIRNAME PYTHONDONTWRITEBYTECODE=1
    top=$BATS_TEST_DIRNAME/../..
    bin=${LAB_CLASS_BIN:-$top/build/bin}
    class=$bin/class-sanitized
    source='int x;'
    mkdir class
}

# pack: Python on standard input makes submissions, in the folder class.
pack() {
    (cd class && "$(command -v /usr/bin/python3 || command -v python3)" -c "from packing import *
$(cat)")
}

# folder NAME FILE...: a folder with these files, all of one time.
folder() {
    local file
    for file in "${@:2}"; do
        mkdir -p "class/$1/$(dirname "$file")"
        echo "$source" >"class/$1/$file"
        touch -d '2026-11-01 10:00' "class/$1/$file"
    done
}

# as_course COMMAND...: in the course's folder, as grade-class does it.
as_course() {
    (cd "$top" && "$@")
}

# collect [OPTION]...
# shellcheck disable=SC2119,SC2120 # mostly none
collect() {
    as_course "$class" collect "$@" "$PWD/class" "$PWD/out"
}

one() {
    as_course "$class" one --lesson=02 "$PWD/$1" "$PWD/dest"
}

# ask FILTER: the manifest, by jq; strings without quotes.
ask() {
    jq -r "$1" out/manifest.json
}

# submission KEY MEMBER [ATTEMPT]: a member of what a student handed in, in one line.
submission() {
    ask "[.students[] | select(.key == \"$1\") | .attempts[${3:-0}].$2] | if length == 1 then .[0] else \"no such student\" end |
        if type == \"array\" then map(if type == \"object\" then .name[:2] else . end) | join(\"; \") else . end"
}

# has KEY MEMBER VALUE [ATTEMPT]
has() {
    run -0 submission "$1" "$2" "${4:-0}"
    assert_output "$3"
}

file_of() { # KEY [FILE [ATTEMPT]]
    echo "out/submissions/$1/${3:-1}/02-bind-listen-accept/${2:-tcp.c}"
}

@test "names of learning management systems say who, and when" {
    folder 'Zoë Çelik_555_assignsubmission_file_' tcp.c
    folder lesson-02-bob tcp.c
    folder 02-bind-listen-accept-carol tcp.c
    folder submission_1 tcp.c
    folder submission_2 tcp.c
    cat >class/submission_metadata.yml <<'END'
---
submission_1:
  :submitters:
  - :name: Grace O'Hara
    :email: grace@example.org
  :created_at: 2026-11-20 10:11:12.345678 Z
  :results:
    tests:
    - :name: not a student
submission_2:
  :submitters:
  - :name: "Linus \"L\""
    :email: linus@example.org
  - :name: 'Ken O''Neil'
    :email: ken@example.org
  :created_at: 2026-11-20 10:11:12.345678 +01:00
END
    pack <<'END'
zip_of("lovelaceada_12345_67890_hw.zip", "tcp.c")
zip_of("turingalan_LATE_12346_67891_hw.zip", "tcp.c")
zip_of("Lesson 2_dritchie_attempt_2026-11-20-10-11-12_hw.zip", "tcp.c")
zip_of("Plain Name.zip", "tcp.c")
write("Lone File - tcp.c", SOURCE)
END
    run -0 collect
    run -0 ask '.students[] | "\(.key) = \(.name), \(.attempts[0].time_from)"'
    assert_output - <<'END'
bob = bob, files
carol = carol, files
dritchie = dritchie, name
grace-ohara = Grace O'Hara, name
linus-l-and-ken-oneil = Linus "L" and Ken O'Neil, name
lone-file = Lone File, files
lovelaceada = lovelaceada, files
plain-name = Plain Name, files
turingalan = turingalan, files
zoe-celik = Zoë Çelik, files
END
    has dritchie time "$(date -d '2026-11-20 10:11:12' +%s)"
    has grace-ohara time "$(date -d '2026-11-20 10:11:12' +%s)"
    has linus-l-and-ken-oneil time "$(date -d '2026-11-20 09:11:12' +%s)"
    has plain-name time "$(date -d '2026-11-01 10:00' +%s)"
    has lovelaceada late false
    has turingalan late true
    has bob late null
}

@test "several submissions of one student are attempts, in the order of their times" {
    pack <<'END'
zip_of("Ada.zip", ("tcp.c", b"second"), when=(2026, 11, 2, 10, 0, 0))
tar_of("ada.tar.gz", ("tcp.c", b"first"), mode="w:gz")
zip_of("Ada (1).zip", ("tcp.c", b"third"), when=(2026, 11, 3, 10, 0, 0))
END
    run -0 collect
    run -0 ask '.students[] | .key, (.attempts[] | .id, .source)'
    assert_output $'ada\n1\nada.tar.gz\n2\nAda.zip\n3\nAda (1).zip'
    assert_equal "$(cat "$(file_of ada tcp.c 1)" "$(file_of ada tcp.c 2)" "$(file_of ada tcp.c 3)")" firstsecondthird
}

@test "loose files of one person at one time are one submission" {
    pack <<'END'
write("lovelaceada_LATE_12345_67890_tcp-1.c", b"tcp")
write("lovelaceada_LATE_12345_67891_echo-server.c", b"server")
write("Lesson 2_alan_attempt_2026-11-20-10-11-12_tcp.c", b"tcp")
write("Lesson 2_alan_attempt_2026-11-20-10-11-12_echo-client.c", b"client")
write("Lesson 2_alan_attempt_2026-11-20-10-11-12.txt", b"a comment")
write("Lesson 2_alan_attempt_2026-11-21-10-11-12_tcp.c", b"again")
write("grace-tcp.c", b"tcp")
write("grace-echo-client.c", b"client")
END
    run -0 collect
    assert_equal "$(ask '[.students[] | "\(.key) \(.attempts | length)"] | join(", ")')" "alan 2, grace 1, lovelaceada 1"
    assert_equal "$(cat "$(file_of lovelaceada tcp.c)" "$(file_of lovelaceada echo-server.c)")" tcpserver
    assert_equal "$(cat "$(file_of alan tcp.c)" "$(file_of alan echo-client.c)" "$(file_of alan tcp.c 2)")" tcpclientagain
    assert_equal "$(cat "$(file_of grace tcp.c)" "$(file_of grace echo-client.c)")" tcpclient
}

@test "two students of one name stay two; one with two assignments stays one" {
    folder 'Kim Lee_1_assignsubmission_file_' tcp.c
    folder 'Kim Lee_2_assignsubmission_file_' tcp.c
    folder 'Ada_3_assignsubmission_file_' tcp.c
    folder 'Ada_4_assignsubmission_file_' closing.c
    run -0 collect
    assert_equal "$(ask '[.students[] | "\(.key) \(.attempts | length)"] | join(", ")')" "ada 2, kim-lee 1, kim-lee-2 1"
    has kim-lee notes "another student is called Kim Lee, too: this is the one with Moodle's number 1"
}

@test "keys are plain, unique, and stay whose they were" {
    folder 'Zoë' tcp.c
    folder '李雷_9_assignsubmission_file_' tcp.c
    folder '王' tcp.c
    run -0 collect
    assert_equal "$(ask '[.students[].key] | join(" ")')" "student student-9 zoe"
    folder 'Zoe' tcp.c # sorts before Zoë
    run -0 collect
    assert_equal "$(ask '.students[] | select(.name == "Zoe") | .key')" zoe-2
    assert_equal "$(ask '.students[] | select(.name == "Zoë") | .key')" zoe
}

@test "names with spaces, newlines, dashes, dots, invalid and right-to-left characters do no harm" {
    local name
    for name in $'new\nline' '-rf' '..hidden' '... ' $'bad\xff\xfe' $'\xe2\x80\xaecba' '$(touch broken)' "it's \"so\"" '<b>x<i>'; do
        mkdir -p "class/$name"
        echo "$source" >"class/$name/tcp.c"
    done
    run -0 collect
    run -0 ask '.students[] | "\(.key): \(.name)"'
    assert_output - <<'END'
b-x-i: <b>x<i>
bad-xff-xfe: bad\xff\xfe
cba: cba
its-so: it's "so"
new-line: new line
rf: -rf
touch-broken: $(touch broken)
END
    assert_file_missing broken
    jq -e . out/manifest.json >valid
}

assert_file_missing() {
    [[ ! -e $1 && ! -e $top/$1 ]] || fail "$1 is there"
}

@test "the file times has the last word, and is read whole or not at all" {
    pack <<'END'
zip_of("Ada.zip", "tcp.c")
zip_of("Bob.zip", "tcp.c")
zip_of("Bob (1).zip", "tcp.c", ("echo-server.c", b"later"))
END
    printf '# when they came\nAda\t2026-11-20 23:59\r\nBob.zip\t2026-12-01 00:00\n' >class/times
    run -0 collect
    has ada time "$(date -d '2026-11-20 23:59' +%s)"
    has ada time_from times
    has bob source 'Bob.zip' 1
    cp -r out before
    local -a wrong=('Ada 2026-11-20 23:59' $'Ada\t2026-02-30 10:00' $'Ada\t2026-11-20' $'Ada\t2026-11-20 23:59\nAda\t2026-11-20 23:59'
        $'Eve\t2026-11-20 23:59' $'Bob\t2026-11-20 23:59')
    local -a said=('times, line 1: a line is a name, a tab and a time' 'times, line 1: a time is as 2026-11-20 23:59, not "2026-02-30 10:00"'
        'times, line 1: a time is as' 'times, line 2: "Ada" was there before' 'times: there is no submission "Eve"'
        'times: "Bob" has 2 submissions: name the file or folder')
    local number
    for number in "${!wrong[@]}"; do
        printf '%s\n' "${wrong[number]}" >class/times
        run -2 collect
        assert_output --partial "class: ${said[number]}"
        diff -r out before
    done
}

@test "the file weights says what counts, how much, until when; a wrong line is told" {
    folder ada tcp.c closing.c udp.c
    printf '# lesson weight\n02 10 2026-11-20 23:59 10%%/day\n3\t2.5 2026-11-21 23:59 0 \n\n' >class/weights
    run -0 collect
    assert_line "not graded: 04-udp, handed in 1 times: weights has no line for it"
    assert_equal "$(ask '.weights | tojson')" '{"02-bind-listen-accept":{"due":1795219140,"late":"10%/day","weight":10},"03-shutdown-vs-close":{"due":1795305540,"late":"0","weight":2.5}}'
    assert_equal "$(ask '.lessons | join(" ")')" "02-bind-listen-accept 03-shutdown-vs-close"
    has ada lessons "02; 03"
    cp -r out before
    local -a wrong=('99 10' '02' '02 ten' '02 -1' '02 nan' '02 10x' '02 10 tomorrow' '02 10 2026-11-31 10:00' '02 10 2026-11-20 23:59 10%'
        '02 10 2026-11-20 23:59 200%/day' '02 10 2026-11-20 23:59 0 more' $'02 1\n2 1')
    local number
    for number in "${!wrong[@]}"; do
        printf '%s\n' "${wrong[number]}" >class/weights
        run -2 collect
        assert_output --regexp '^class: weights, line [12]: '
        diff -r out before
    done
    echo '03 10' >class/weights
    run -2 collect --lessons=02
    assert_output "class: weights has no line for lesson 02."
}

@test "files are found in folders and archives, at any depth up to 8, past what systems leave there" {
    folder 'deep' 1/2/3/4/5/6/7/8/tcp.c 1/2/3/4/5/6/7/8/9/echo-server.c
    folder 'litter' src/tcp.c __MACOSX/src/echo-server.c .git/echo-client.c ._tcp.c Thumbs.db build/starters/02-bind-listen-accept/echo-server.c
    mkdir class/moodle
    pack <<'END'
zip_of("moodle/hw.zip", "__MACOSX/echo-server.c", ".git/echo-client.c", "lessons/02-bind-listen-accept/tcp.c", "lessons/02-bind-listen-accept/closing.c")
zip_of("inner.zip", "tcp.c")
zip_of("outer.zip", ("my/inner.zip", open("inner.zip", "rb").read()))
zip_of("deeper.zip", ("outer.zip", open("outer.zip", "rb").read()))
zip_of("deep-zip.zip", "1/2/3/4/5/6/7/8/tcp.c", "1/2/3/4/5/6/7/8/9/echo-server.c")
for kind in "xz", "bz2", "gz":
    tar_of("packed-%s.tar.%s" % (kind, kind), "./src/tcp.c", mode="w:" + kind)
tar_of("packed-not.tar", "tcp.c")
END
    run -0 collect
    local key
    for key in deep litter moodle inner outer deep-zip packed-xz packed-bz2 packed-gz packed-not; do
        has "$key" 'lessons[0].handed_in' tcp.c
        has "$key" lessons 02
        assert_equal "$(cat "$(file_of "$key")")" "$source"
    done
    has deep notes "1/2/3/4/5/6/7/8/9 is more than 8 folders deep: not looked into"
    has deep-zip notes "1/2/3/4/5/6/7/8/9/echo-server.c is more than 8 folders deep: not taken"
    has litter notes ""
    has deeper problem "it holds an archive in an archive in an archive (outer.zip/my/inner.zip)"
}

@test "of one file twice, the newest is taken, then the least deep, then the first by name; and it is said" {
    pack <<'END'
old, new = (2026, 11, 1, 10, 0, 0), (2026, 11, 2, 10, 0, 0)
zip_of("newest.zip", ("tcp.c", b"old", old), ("src/tcp.c", b"new", new), ("a/tcp.c", b"older", old))
zip_of("shallow.zip", ("src/tcp.c", b"deep"), ("tcp.c", b"shallow"))
zip_of("name.zip", ("b/tcp.c", b"b"), ("a/tcp.c", b"a"))
zip_of("same.zip", ("b/tcp.c", b"a"), ("a/tcp.c", b"a"))
zip_of("case.zip", ("src/TCP.C", b"capital"))
END
    run -0 collect
    assert_equal "$(cat "$(file_of newest)" "$(file_of shallow)" "$(file_of name)" "$(file_of case)")" newshallowacapital
    has newest notes "tcp.c is there 3 times: took src/tcp.c, the newest"
    has shallow notes "tcp.c is there 2 times: took tcp.c, the one in the fewest folders"
    has name notes "tcp.c is there 2 times: took a/tcp.c, the first by name"
    has same notes ""
    has case notes "src/TCP.C was taken for tcp.c"
    has newest time "$(date -d '2026-11-02 10:00' +%s)"
}

@test "files become UTF-8 with LF, and what was done is noted" {
    pack <<'END'
plain = "int x; // \u00e9\U0001f600\nint y;\n"
files = {
    "crlf": plain.replace("\n", "\r\n").encode(), "cr": plain.replace("\n", "\r").encode(), "bom": b"\xef\xbb\xbf" + plain.encode(),
    "le": b"\xff\xfe" + plain.encode("utf-16-le"), "be": b"\xfe\xff" + plain.replace("\n", "\r\n").encode("utf-16-be"),
    "plain": plain.encode(), "half": b"\xff\xfe" + b"\x00\xd8a\x00x", "latin": b"\xe9\n", "empty": b"",
}
for name, content in files.items():
    zip_of(name + ".zip", ("tcp.c", content))
END
    run -0 collect
    local key
    for key in crlf cr bom le be; do
        cmp "$(file_of "$key")" "$(file_of plain)"
    done
    assert_equal "$(od -An -tx1 "$(file_of half)" "$(file_of latin)" | tr -d ' \n')" efbfbd61e90a
    has plain notes ""
    has crlf notes "tcp.c: its line ends (CR LF) are now LF"
    has cr notes "tcp.c: its line ends (CR) are now LF"
    has bom notes "tcp.c: its byte order mark was taken off"
    has be notes "tcp.c: UTF-16 is now UTF-8, its line ends (CR LF) are now LF"
    [[ ! -s $(file_of empty) ]]
}

@test "links, pipes, devices and files over 1 MiB are not taken" {
    mkdir class/folder
    ln -s /etc/passwd class/folder/tcp.c
    mkfifo class/folder/echo-server.c
    head -c 1048577 /dev/zero >class/folder/echo-client.c
    ln -s /etc class/folder/away
    head -c 1048576 /dev/zero | tr '\0' ' ' >class/folder/closing.c
    pack <<'END'
links("packed.tar.gz")
END
    ln -s /etc class/etc
    mkfifo class/pipe.zip
    run -0 collect
    assert_line "no submission: etc"
    assert_line "no submission: pipe.zip"
    has folder lessons 03
    has folder notes "echo-client.c is larger than 1 MiB: not taken; echo-server.c is no regular file: not taken; tcp.c is no regular file: not taken"
    has packed lessons 04
    run -0 submission packed notes
    assert_output --partial "tcp.c is no regular file: not taken; echo-server.c is no regular file: not taken; echo-client.c is no"
    run ! grep -r root: out
}

@test "what was not handed in of a lesson comes from the starter; lessons not begun were not handed in" {
    folder ada tcp.c
    mkdir class/bob
    as_course tests/class/starter 02-bind-listen-accept tcp.c >class/bob/tcp.c
    mkdir -p class/all/lessons/0{2-bind-listen-accept,3-shutdown-vs-close}
    cp class/bob/tcp.c class/all/lessons/02-bind-listen-accept/
    echo "$source" >class/all/lessons/03-shutdown-vs-close/closing.c
    run -0 collect
    has ada 'lessons[0].from_starter' "echo-server.c; echo-client.c"
    as_course tests/class/starter 02-bind-listen-accept echo-client.c | cmp - "$(file_of ada echo-client.c)"
    has bob lessons 02
    has all lessons 03
    has all notes "nothing but the starter, and so not handed in: 02"
    [[ ! -e $(file_of all) ]]
}

@test "what is no archive, cut, encrypted, empty or a bomb is a problem of one student only" {
    pack <<'END'
zip_of("cut.zip", "tcp.c"), cut("cut.zip", 80)
write("cut-tar.tar", tar_bytes(("tcp.c", SOURCE), ("big", bytes(100000)))[:50000])
write("cut-gz.tar.gz", gzip.compress(tar_bytes(("tcp.c", SOURCE), ("big", bytes(100000))))[:150])
write("empty.zip", b"")
zip_of("nothing.zip")
write("text.zip", b"my homework")
write("mtree.tar", b"#mtree\ntcp.c type=file content=/etc/passwd size=10\n")
zip_of("wrong.zip", "homework.docx")
zeros("zeros.tar.bz2")
small_zeros("lies.zip", "tcp.c", 300 << 20, 10)
zip_of("many.zip", *["d/%d" % i for i in range(100000)])
zip_of("up.zip", "../../../../../../../../tmp/lab-escaped/tcp.c")
tar_of("absolute.tar", "/tmp/lab-escaped/tcp.c", "/etc/lab-escaped")
tar_of("long.tar", "d/" * 100000 + "echo-server.c", ("d" * 200000, b""), "tcp.c")
zip_of("good.zip", "tcp.c")
END
    echo "$source" >tcp.c
    zip -q -P secret class/encrypted.zip tcp.c
    folder beside closing.c
    cp class/cut-tar.tar class/beside/
    (($(stat -c %s class/zeros.tar.bz2) < 20000))
    run -0 collect
    has cut problem "cut.zip cannot be opened: it is cut short, damaged or no archive (Unrecognized archive format)"
    local key
    for key in cut cut-tar cut-gz text mtree empty nothing; do
        run -0 submission "$key" problem
        assert_output --regexp '(it is cut short|is empty)'
        has "$key" lessons ""
        run -0 ls "out/submissions/$key/1"
        assert_output ""
    done
    has encrypted problem "encrypted.zip is encrypted: it cannot be opened without its password"
    has wrong problem "it holds none of the files that a lesson asks for"
    has zeros problem "it holds more than 256 MiB, unpacked"
    has many problem "it holds more than 20000 files and folders"
    run -0 submission lies problem
    refute_output null
    has up notes "../../../../../../../../tmp/lab-escaped/tcp.c: only the end of that name was used"
    has absolute lessons 02
    run -0 submission long notes
    assert_output --regexp '^d/d/.*/echo-server.c is more than 8 folders deep: not taken$'
    ((${#output} < 300))
    has good problem null
    has beside lessons 03 # and not what was whole in the cut one
    run -0 submission beside notes
    assert_output --partial "cut-tar.tar cannot be read to its end"
    [[ ! -e /tmp/lab-escaped && ! -e /etc/lab-escaped ]]
    run -0 find out -type f -not -path 'out/submissions/*/1/0[1-9]-*/*.c'
    assert_output out/manifest.json
}

@test "what crashes, spins or eats memory while it is opened ends by itself" {
    class=$bin/class
    cat >reader.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
const char *archive_entry_pathname(void *entry)
{
    const char *(*real)(void *) = (const char *(*)(void *))dlsym(RTLD_NEXT, "archive_entry_pathname");
    const char *name = real(entry);
    if (strcmp(name, "crash") == 0)
        abort();
    while (strcmp(name, "spin") == 0)
        ;
    for (size_t n = 1 << 20; n > 0 && strcmp(name, "eat") == 0; n /= 2)
        while (malloc(n) != NULL)
            ;
    return name;
}
END
    gcc -shared -fPIC -o reader.so reader.c
    pack <<'END'
for name in "crash", "spin", "eat", "tcp.c":
    zip_of(name.replace(".c", "") + ".zip", name)
END
    (
        ulimit -St 1
        LD_PRELOAD=$PWD/reader.so collect >said
    )
    has crash problem "it cannot be opened: what reads it was ended by SIGABRT"
    has spin problem "it takes more than 20 s of processor time to open"
    run -0 submission eat problem
    assert_output --partial "cannot be opened: that takes too much memory"
    has tcp problem null
}

@test "submissions are made anew each time; results are kept, and so is everything where nothing could be collected" {
    folder ada tcp.c
    folder bob tcp.c
    run -0 collect
    mkdir -p out/results/ada/1 out/.submissions.abcdef/left
    echo kept >out/results/ada/1/lesson-02.json
    rm -r class/bob
    run -0 collect
    run -0 ls -A out out/submissions
    assert_output $'out:\nmanifest.json\nresults\nsubmissions\n\nout/submissions:\nada'
    assert_equal "$(cat out/results/ada/1/lesson-02.json)" kept
    cp -r out before
    rm -r class/ada
    run -2 collect
    assert_output --partial "holds no submission: no folder, archive or .c file."
    diff -r out before
}

@test "the same class gives the same manifest" {
    pack <<'END'
for name in "b", "a", "c":
    zip_of(name + ".zip", "tcp.c", "closing.c")
END
    run -0 collect
    cp out/manifest.json first
    mkdir other
    cp -p class/c.zip class/a.zip class/b.zip other/
    rm -r class out
    mv other class
    run -0 collect
    cmp first out/manifest.json
}

@test "the instructor's own files and what nobody handed in are told apart" {
    folder ada tcp.c
    touch class/README.md class/.DS_Store class/Thumbs.db class/notes.pdf
    mkdir class/__MACOSX class/.git
    run -0 collect
    assert_output $'1 submission of 1 student, lessons 02\nno submission: notes.pdf'
    assert_equal "$(ask '.ignored | join(" ")')" notes.pdf
}

@test "jobs lists what is to be graded; --lessons and --student choose" {
    folder ada tcp.c closing.c
    folder bob tcp.c
    run -0 collect
    run -0 as_course "$class" jobs "$PWD/out"
    assert_output $'ada\t1\t02-bind-listen-accept\nada\t1\t03-shutdown-vs-close\nbob\t1\t02-bind-listen-accept'
    assert_equal "$(ask .only)" null
    run -0 collect --lessons=3,4
    run -0 as_course "$class" jobs "$PWD/out"
    assert_output $'ada\t1\t03-shutdown-vs-close'
    assert_equal "$(ask '.lessons | join(" ")')" "03-shutdown-vs-close 04-udp"
    run -0 collect --student=BO
    run -0 as_course "$class" jobs "$PWD/out"
    assert_output $'bob\t1\t02-bind-listen-accept'
    assert_equal "$(ask '.only | join(" ")')" bob
    assert_equal "$(ask '.students | length')" 2
    run -2 collect --student=eve
    assert_output 'class: no student of this class is called "eve".'
    run -2 collect --lessons=02,77
    assert_output 'class: there is no lesson "77".'
}

@test "one submission by itself" {
    folder handed tcp.c
    printf 'int x;\r\n' >class/handed/tcp.c
    run -0 one class/handed
    assert_output - <<'END'
tcp.c: its line ends (CR LF) are now LF
echo-server.c was not handed in: the starter's is graded
echo-client.c was not handed in: the starter's is graded
END
    run -0 find dest -type f
    assert_line dest/02-bind-listen-accept/tcp.c
    assert_equal "${#lines[@]}" 3
    pack <<'END'
zip_of("hw.zip", ("tcp.c", b"new"))
zip_of("other.zip", "closing.c")
zip_of("cut.zip", "tcp.c"), cut("cut.zip", 80)
END
    run -0 one class/hw.zip
    assert_equal "$(cat dest/02-bind-listen-accept/tcp.c)" new
    run -0 one class/handed/tcp.c
    assert_equal "$(cat dest/02-bind-listen-accept/tcp.c)" "$source"
    run -1 one class/other.zip
    assert_output "The submission cannot be graded: it holds nothing of the lesson asked for."
    run -1 one class/cut.zip
    assert_output --partial "The submission cannot be graded: cut.zip cannot be opened"
    run -2 one class/nothing
    assert_output --partial "No such file or directory"
    run -0 find dest -type f
    assert_equal "${#lines[@]}" 3
}

@test "what is not understood is answered by the usage" {
    local words
    for words in '' 'collect' 'collect a' 'collect a b c' 'jobs' 'one x' 'collect --what a b' 'jobs --student=x out' 'fly' 'collect --student= a b'; do
        # shellcheck disable=SC2086 # several words
        run -2 "$class" $words
        assert_output --partial "usage: class collect"
    done
    run -2 as_course "$class" jobs "$PWD/nothing"
    assert_output "class: $PWD/nothing/manifest.json is not there: class collect writes it."
    cd / && run -2 "$class" collect "$BATS_TEST_TMPDIR/class" "$BATS_TEST_TMPDIR/out"
    assert_output --partial "class is run in the course's folder"
}
