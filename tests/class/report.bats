# The report on classes made for it: what collect and grade would have left, written here. CLASS_PROGRAM: another build of it.

bats_require_minimum_version 1.5.0

setup() {
    bats_load_library bats-support
    bats_load_library bats-assert
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    program=${CLASS_PROGRAM:-$root/build/bin/class}
    export TZ=UTC0 LC_ALL=C.UTF-8
    out=$BATS_TEST_TMPDIR/out
    mkdir -p "$out"
    echo '{"class": "fall", "lessons": ["01-socket", "02-bind-listen-accept"], "weights": {}, "students": []}' >"$out/manifest.json"
}

# manifest FILTER [ARGUMENT...]: change it, by jq.
manifest() {
    local filter=$1
    shift
    jq "$@" "$filter" "$out/manifest.json" >"$out/changed" && mv "$out/changed" "$out/manifest.json"
}

student() { # KEY [NAME]
    manifest '.students += [{key: $key, name: $name, attempts: []}]' --arg key "$1" --arg name "${2-$1}"
}

attempt() { # KEY ID [LATE [PROBLEM]]: handed in so many seconds after 1000000 (LATE)
    manifest '(.students[] | select(.key == $key)).attempts += [{id: $id, source: "\($key)/hw.zip", time: (1000000 + $late), time_from: "name",
        late: null, lessons: [], notes: [], problem: (if $problem == "" then null else $problem end)}]' \
        --arg key "$1" --arg id "$2" --argjson late "${3:-0}" --arg problem "${4-}"
}

hand_in() { # KEY ID NN
    manifest '(.students[] | select(.key == $key).attempts[] | select(.id == $id)).lessons +=
        [{name: ($root.lessons[] | select(startswith($nn))), handed_in: ["a.c"], from_starter: ["b.c"]}]' \
        --arg key "$1" --arg id "$2" --arg nn "$3" --argjson root "$(<"$out/manifest.json")"
}

# graded KEY ID NN RESULT...: handed in, and graded: each test, of equal worth, passes, fails, skips or is in error (p f s e).
graded() {
    local folder=$out/results/$1/$2 lesson
    hand_in "$1" "$2" "$3"
    record "$@"
    lesson=$folder/lesson-$3
    printf 'submission %s-%s\ntests one\noptions none\n' "$1" "$2" >"$lesson.sums"
}

record() { # the same, without a new seal and without being handed in again
    local folder=$out/results/$1/$2 nn=$3
    mkdir -p "$folder"
    shift 3
    jq -n --arg nn "$nn" --argjson root "$(<"$out/manifest.json")" '
        ($root.lessons[] | select(startswith($nn))) as $lesson | ($ARGS.positional | length) as $count |
        {p: "pass", f: "fail", s: "skip", e: "error"} as $words |
        {score: (100 * ($ARGS.positional | map(select(. == "p")) | length) / $count), output: "",
         tests: ($ARGS.positional | to_entries | map({score: 0, max_score: (100 / $count), name: "group: test \(.key + 1)", output: "you  said \(.value)",
             extra_data: {id: "group/test_\(.key + 1)", result: $words[.value], likely: "mistake \(.key % 2)"}})),
         extra_data: {lesson: $lesson, compiles: true}}' --args "$@" >"$folder/lesson-$nn.json"
}

weights() { # FILTER: for 01-socket alone, due at 1000000
    manifest ".weights = {\"01-socket\": {weight: 1, due: 1000000, late: $1}} | .lessons = [\"01-socket\"]"
}

report() {
    run -0 --separate-stderr "$program" report "$out"
}

# grade KEY COLUMN: one cell of grades.csv.
grade() {
    python3 -c 'import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], encoding="utf-8-sig", newline="")))
print([row for row in rows if row["key"] == sys.argv[2]][0][sys.argv[3]])' "$out/grades.csv" "$1" "$2"
}

# has KEY COLUMN VALUE...
has() {
    local key=$1
    shift
    while (($# > 0)); do
        assert_equal "$1: $(grade "$key" "$1")" "$1: $2"
        shift 2
    done
}

page() { # FILE: as text, with its characters as they are
    python3 -c 'import html, re, sys; print(html.unescape(re.sub("<(style|script)>.*?</\\1>|<[^>]*>", "", open(sys.argv[1]).read(), flags=re.S)))' "$out/$1"
}

@test "the best attempt counts, after lateness, and its arithmetic is shown" {
    weights '"10%/day"'
    student ada "Ada Lovelace"
    attempt ada 1 0
    attempt ada 2 86401
    graded ada 1 01 p f f f
    graded ada 2 01 p p p f
    report
    has ada "01-socket score" 60.00 "01-socket late (days)" 2 "01-socket attempt" 2 "01-socket status" late total 60.00
    run -0 page students/ada.html
    assert_line --partial "75.00 points for the tests; due 1970-01-12 13:46, handed in 1970-01-13 13:46: 2 days late, 75.00 − 2 × 10% of 75.00 = 60.00."
    assert_line --partial "Attempt 1 25.00 points"
}

@test "of equally good attempts the first counts, and a late one that is worse does not" {
    weights '"50%/day"'
    student ada
    attempt ada 1 0
    attempt ada 2 0
    attempt ada 3 1
    graded ada 1 01 p f
    graded ada 2 01 p f
    graded ada 3 01 p p
    report
    has ada "01-socket score" 50.00 "01-socket attempt" 1 "01-socket status" ok
}

@test "a day late begins with its first second" {
    weights '"10%/day"'
    local late
    for late in 0 1 86400 86401 864001; do
        student "by-$late"
        attempt "by-$late" 1 "$late"
        graded "by-$late" 1 01 p
    done
    report
    has by-0 "01-socket score" 100.00 "01-socket late (days)" 0 "01-socket status" ok
    has by-1 "01-socket score" 90.00 "01-socket late (days)" 1 "01-socket status" late
    has by-86400 "01-socket score" 90.00 "01-socket late (days)" 1
    has by-86401 "01-socket score" 80.00 "01-socket late (days)" 2
    has by-864001 "01-socket score" 0.00 "01-socket late (days)" 11
}

@test "lateness may cost all points, or none" {
    weights '"0"'
    student ada
    attempt ada 1 1
    graded ada 1 01 p
    report
    has ada "01-socket score" 0.00 "01-socket status" late
    weights null
    report
    has ada "01-socket score" 100.00 "01-socket late (days)" 1 "01-socket status" late
}

@test "whom the LMS calls late was late, where only the files have a time" {
    weights '"10%/day"'
    student ada
    attempt ada 1 -5000
    graded ada 1 01 p
    manifest '.students[0].attempts[0].late = true'
    report
    has ada "01-socket score" 100.00
    manifest '.students[0].attempts[0].time_from = "files"'
    report
    has ada "01-socket score" 90.00 "01-socket late (days)" 1
}

@test "a total is the mean by weight, and not handed in is 0" {
    student ada
    student bob
    attempt ada 1
    attempt bob 1
    graded ada 1 01 p f
    graded ada 1 02 p p p
    graded bob 1 02 p f f
    report
    has ada total 75.00
    has bob total 16.67 "01-socket score" 0.00 "01-socket status" "not handed in" "01-socket attempt" "" "01-socket late (days)" ""
    manifest '.weights = {"01-socket": {weight: 3, due: null, late: null}, "02-bind-listen-accept": {weight: 1, due: null, late: null}}'
    report
    has ada total 62.50
}

@test "what could not be graded is ERROR, never 0, and told first" {
    student ada "Ada Lovelace"
    attempt ada 1
    hand_in ada 1 01
    graded ada 1 02 p
    report
    assert_line --partial "1 score could not be found out"
    has ada "01-socket score" ERROR "01-socket status" error total ERROR "02-bind-listen-accept score" 100.00
    run -0 page report.html
    assert_line --partial "Ada Lovelace, 01 socket: there is no result"
    run -0 page students/ada.html
    assert_line --partial "ERROR50.00 to 100.00, by what could not be checked"
}

@test "a result that is cut, empty, of another lesson or not one at all is ERROR" {
    local kind
    for kind in cut empty other odd; do
        student "$kind"
        attempt "$kind" 1
        graded "$kind" 1 01 p f
    done
    truncate -s 100 "$out/results/cut/1/lesson-01.json"
    : >"$out/results/empty/1/lesson-01.json"
    sed -i 's/"01-socket"/"07-framed-protocol"/' "$out/results/other/1/lesson-01.json"
    echo '{"score": 250, "tests": [[], 1, {"extra_data": 3}], "extra_data": {"lesson": "01-socket", "compiles": true}}' >"$out/results/odd/1/lesson-01.json"
    report
    for kind in cut empty other odd; do
        has "$kind" "01-socket score" ERROR
    done
}

@test "tests that could not be checked leave the score open, unless they cannot matter" {
    student ada
    student bob
    student eve
    attempt ada 1
    attempt bob 1
    attempt bob 2
    attempt eve 1
    attempt eve 2
    graded ada 1 01 p f e
    graded bob 1 01 p p f
    graded bob 2 01 f f e
    graded eve 1 01 p f f
    hand_in eve 2 01
    report
    has ada "01-socket score" ERROR
    has bob "01-socket score" 66.67 "01-socket attempt" 1
    has eve "01-socket score" ERROR "01-socket attempt" 2
}

@test "what does not compile has no points, and the page says why" {
    student ada
    attempt ada 1
    graded ada 1 01 e e
    jq '.score = 0 | .extra_data.compiles = false | .output = "a.c:1: error: <b>no</b>"' "$out/results/ada/1/lesson-01.json" >"$out/x"
    mv "$out/x" "$out/results/ada/1/lesson-01.json"
    report
    has ada "01-socket score" 0.00 "01-socket status" "does not compile"
    run -0 page students/ada.html
    assert_line --partial "a.c:1: error: <b>no</b>"
    run -0 page report.html
    assert_line --partial "does not compile"
}

@test "what cannot be opened has no points, and is told first" {
    student ada "Ada Lovelace"
    attempt ada 1 0 "it is encrypted"
    report
    assert_line --partial "1 submission could not be opened"
    has ada "01-socket score" 0.00 "01-socket status" "cannot be opened"
    run -0 page report.html
    assert_line --partial "Ada Lovelace, ada/hw.zip: it is encrypted"
}

@test "no cell of grades.csv begins a formula, and all are read back as they were" {
    local names=('=1+1' '+1' '-1' '@x' '"=1+1"' "'=1" ' =1' '＝1' 'Müller, "Ada"' 'a;=1+1' 'Zoë Çelik') i
    for i in "${!names[@]}"; do
        student "s-$i" "${names[i]}"
    done
    report
    run -0 python3 -c '
import csv, sys
data = open(sys.argv[1], "rb").read()
assert data.startswith(b"\xef\xbb\xbfstudent,key,total,"), data[:30]
assert data.count(b"\r\n") == data.count(b"\n") == data.count(b"\r") == 12, "lines"
rows = {row[1]: row[0] for row in csv.reader(data.decode("utf-8-sig").splitlines())}
for i, name in enumerate(sys.argv[2:]):
    name = " ".join(name.split())
    assert rows["s-%d" % i].lstrip("\"\x27 ")[:1] not in "=+-@\uff1d" or rows["s-%d" % i].startswith("\x27"), rows["s-%d" % i]
    assert rows["s-%d" % i] in (name, "\x27" + name), (rows["s-%d" % i], name)
assert rows["s-8"] == "Müller, \"Ada\"" and rows["s-10"] == "Zoë Çelik"
for cell in [cell for line in data.decode("utf-8-sig").splitlines() for cell in next(csv.reader([line]))]:
    assert cell[:1] not in tuple("=+-@\t\r"), cell
assert b"\"a;=1+1\"" in data
' "$out/grades.csv" "${names[@]}"
}

@test "the same results give the same bytes, whatever their order and time" {
    (cd "$root" && python3 tests/class/synthetic.py "$out" 12 2)
    report
    cp -r "$out" "$BATS_TEST_TMPDIR/before"
    manifest '.students |= reverse'
    find "$out/results" -type f -exec touch -d 2001-01-01 {} +
    rm "$out/last.json"
    report
    run -0 diff -r "$BATS_TEST_TMPDIR/before" "$out" --exclude=manifest.json --exclude=results
}

@test "mistakes are counted by students, with their tests" {
    student ada "Ada Lovelace"
    student bob "Bob Kahn"
    attempt ada 1
    attempt bob 1
    graded ada 1 01 f p f p
    graded bob 1 01 f f p p
    report
    run -0 page report.html
    assert_line "2 of 2 in 01 socket: mistake 0"
    assert_line "1 of 2 in 01 socket: mistake 1"
    assert_line "group: test 1; group: test 3"
    assert_line "Ada Lovelace, Bob Kahn"
}

@test "nobody stays who is no longer in the class" {
    student ada
    student bob
    report
    assert [ -e "$out/students/bob.html" ]
    manifest 'del(.students[1])'
    report
    assert [ ! -e "$out/students/bob.html" ]
    run -0 cat "$out/changes.txt"
    assert_line "bob is no longer in the class"
    run -0 find "$out" -maxdepth 1 -name 'students*'
    assert_output "$out/students"
}

@test "a manifest that is none is refused, and nothing is changed" {
    student ada
    report
    cp -r "$out" "$BATS_TEST_TMPDIR/before"
    local bad
    for bad in '.students[0].key = "../../etc"' '.students[0].key = null' '.students = 3' '.lessons = ["../x"]' '.lessons = 1' \
        '.students[0].attempts = [{id: "a/b"}]' '.weights = {"01-socket": {weight: 1, late: "often"}}' '.students = []'; do
        cp "$BATS_TEST_TMPDIR/before/manifest.json" "$out/manifest.json"
        manifest "$bad"
        run -2 --separate-stderr "$program" report "$out"
        assert_equal "$output" ""
        assert [ -n "$stderr" ]
        run -0 diff -r "$BATS_TEST_TMPDIR/before" "$out" --exclude=manifest.json
    done
    echo '{' >"$out/manifest.json"
    run -2 "$program" report "$out"
    rm "$out/manifest.json"
    run -2 "$program" report "$out"
}

# ---- the comparison with the run before

two() { # two students and a run
    student ada "Ada Lovelace"
    student bob "Bob Kahn"
    attempt ada 1
    attempt bob 1
    graded ada 1 01 p f
    graded bob 1 01 p p
    report
    assert_line --partial "No run before this one to compare with"
    report
    assert_line --partial "No score changed since the run before"
}

changes() {
    report
    run -0 cat "$out/changes.txt"
}

@test "a new submission changes a score" {
    two
    attempt ada 2
    graded ada 2 01 p p
    changes
    assert_line "1 score changed since the run before, because of a new submission (1)"
    assert_line "Ada Lovelace, 01-socket: 100.00, was 50.00"
    assert_line "    a new submission (attempt 2)"
    changes
    assert_output "No score changed since the run before"
}

@test "a submission that is gone changes a score" {
    two
    manifest '.students[1].attempts[0].lessons = []'
    changes
    assert_line "Bob Kahn, 01-socket: 0.00, was 100.00"
    assert_line "    what counted then is no longer handed in"
}

@test "other tests change a score, and are named" {
    two
    record bob 1 01 f p p
    sed -i 's/tests one/tests two/' "$out"/results/*/1/lesson-01.sums
    changes
    assert_line "1 score changed since the run before, because of changed tests (1)"
    assert_line "    the tests changed"
    assert_line "        group/test_1: FAIL, was pass"
    assert_line "        group/test_3: pass, was not there"
    refute_line --partial "test_2"
    refute_line --partial "Ada"
}

@test "other options change a score" {
    two
    record bob 1 01 f p
    sed -i 's/options none/options LINK=mine/' "$out"/results/*/1/lesson-01.sums
    changes
    assert_line "    graded with other options: LINK=mine, before none"
}

@test "another result of the same files and tests is called flaky, even when the score stays" {
    two
    record bob 1 01 f p
    record ada 1 01 f p
    changes
    assert_line "1 score changed since the run before, because of A FLAKY GRADING (same files, same tests) (1); 1 GRADED OTHERWISE with the same files and tests"
    assert_line "Bob Kahn, 01-socket: 50.00, was 100.00"
    assert_line "Ada Lovelace, 01-socket, attempt 1: the score stayed"
    assert_line "    the same files and the same tests: this grading is flaky, which must never be"
    assert_line "        group/test_1: FAIL, was pass"
    assert_line "        group/test_2: pass, was FAIL"
}

@test "a flaky grading is known as one when another attempt comes to count" {
    student ada
    attempt ada 1
    attempt ada 2
    graded ada 1 01 p p f
    graded ada 2 01 p f f
    report
    record ada 2 01 p p p
    changes
    assert_line "1 score changed since the run before, because of A FLAKY GRADING (same files, same tests) (1)"
}

@test "lateness and weights change scores and totals" {
    weights '"10%/day"'
    student ada
    attempt ada 1 10
    graded ada 1 01 p
    report
    manifest '.students[0].attempts[0].time += 86400'
    changes
    assert_line "ada, 01-socket: 80.00, was 90.00"
    assert_line "    lateness: 2 days, before 1"
    weights '"20%/day"'
    changes
    assert_line "    what lateness costs was changed"
    assert_line "01-socket: lateness costs 20%/day, before 10%/day"
    manifest '.lessons += ["02-bind-listen-accept"] | .weights["02-bind-listen-accept"] = {weight: 1}'
    changes
    assert_line "02-bind-listen-accept is new in the class"
    assert_line --partial "; 1 total changed by weights alone"
}

@test "what could not be checked then, and can be now, is told so" {
    two
    mv "$out/results/bob/1/lesson-01.json" "$out/kept"
    changes
    assert_line "Bob Kahn, 01-socket: ERROR, was 100.00"
    assert_line "    it could not be checked now"
    mv "$out/kept" "$out/results/bob/1/lesson-01.json"
    changes
    assert_line "    it could not be checked then"
}

@test "a last.json that cannot be read is no reason to fail" {
    two
    echo '{' >"$out/last.json"
    changes
    assert_output --partial "Nothing to compare with: $out/last.json cannot be read"
    changes
    assert_output "No score changed since the run before"
}

# ---- pages

browsed() { # ARGUMENT...: of synthetic.py; the pages in a browser
    command -v chromium chromium-browser google-chrome >/dev/null || skip "no browser"
    (
        cd "$root" || exit
        # shellcheck source=../tools/marp.bash
        source tests/tools/marp.bash
        install_marp
    ) || {
        [[ $? != 77 ]] || skip "npm's registry cannot be reached"
        return 1
    }
    (cd "$root" && python3 tests/class/synthetic.py "$out" "$@")
    report
    NODE_PATH=$root/build/marp/node_modules BROWSER=$(command -v chromium chromium-browser google-chrome | head -n 1) \
        run node "$BATS_TEST_DIRNAME/report.cjs" "$out"
    assert_output ""
    assert_success
}

@test "hostile names, files and outputs are text in a browser, and nothing else" {
    browsed 24 2 hostile
}

@test "the pages are usable by keyboard, readable in light and dark, narrow and on paper" {
    browsed 40 2
}

@test "a class of 200 with 11 lessons makes pages of less than 5 MB" {
    (cd "$root" && python3 tests/class/synthetic.py "$out" 200 11)
    report
    run -0 find "$out" -name '*.html' -size +5000000c
    assert_output ""
    run -0 grep -c '<tr><th scope=row>' "$out/report.html"
    assert_output 2200
}
