#!/usr/bin/env python3
"""usage: synthetic.py OUT STUDENTS LESSONS [hostile]

Writes what collect and grade could have left of a class: OUT/manifest.json and OUT/results/. Nothing is graded; the names of
the tests and what was likely wrong are the lessons' own. The same arguments give the same files. hostile: names, files,
notes and outputs that try to become more than text. For tests of the report, of its size and its look.
"""
import glob
import hashlib
import json
import os
import random
import re
import sys

out, students, lessons = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
hostile = sys.argv[4:] == ["hostile"]
draw = random.Random(7)
DUE = 1_790_000_000
FIRST = "Ada Zoë Jürgen Łukasz Mei Ngozi Olu Priya Quentin Rosa Sébastien Tuğba Uma Víctor Wen Ximena Yusuf Åsa".split()
LAST = "Lovelace Çelik Müller Øster Kowalczyk Nakamura Okafor O'Neill Petrov Qureshi de la Cruz-Fernández Smith Turing Vogel".split()
ATTACK = [
    "<script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=2>",
    "\"><svg onload=window.pwned=3>",
    "' onmouseover='window.pwned=4' x='",
    "</title></style></script></pre></summary><iframe srcdoc='<script>parent.pwned=5</script>'>",
    "=HYPERLINK(\"http://example.invalid\",\"x\")",
    "javascript:window.pwned=6",
    "&lt;b&gt;&#60;b&#62; <b>bold</b>",
    "a\u202egnp.exe\u2066 \x1b[31mred\x1b[0m \x07",
    "<!--", "]]>", "<meta http-equiv=refresh content=0;url=http://example.invalid>",
    "<base href=//example.invalid><link rel=stylesheet href=//example.invalid/x.css><style>*{display:none}</style>",
]


def attack(text):
    return draw.choice(ATTACK) + " " + text if hostile else text


def tests_of(lesson):
    found, number = [], lesson[:2]
    for path in glob.glob("build/lessons/%s/unit.list" % lesson):
        for line in open(path):
            group, name, points, task, needs, read, man, likely = line.split("\t")[:8]
            found.append((group, name.replace("_", " "), int(points), "%s/%s" % (group, name), likely or None))
    for title in re.findall(r'^@test "(.*)" {$', open("tests/%s/e2e.bats" % lesson).read(), re.M):
        found.append(("end to end", title, 1, "end to end/" + title, "the program of lesson %s does not keep its promise" % number))
    return [(attack(group), attack(name), *rest) for group, name, *rest in found]


def story(result, likely):
    if result == "pass":
        return ""
    if result == "skip":
        return "you        needs tcp_listen\n"
    return attack("the peer   sent \"hello\" as 5 segments\nyou        returned 1 and \"h\"\nexpected   5 and \"hello\"\n"
                  "likely     %s\nread       README.md, \"One read is not one message\"    man 2 recv\n" % likely)


def record(lesson, tests, results, compiles, failed_words):
    whole, rows, score = sum(t[2] for t in tests), [], 0.0
    for n, ((group, name, points, id, likely), result) in enumerate(zip(tests, results), 1):
        worth = round(100 * points / whole, 3)
        score += 100 * points / whole * (result == "pass")
        rows.append({
            "score": worth if result == "pass" else 0.0, "max_score": worth, "status": "passed" if result == "pass" else "failed",
            "name": "%s: %s" % (group, name), "number": "%s.%d" % (lesson[:2], n), "output": story(result, likely),
            "tags": [group, lesson], "visibility": "visible",
            "extra_data": {"id": id, "result": result, "task": 1, "likely": failed_words.get(id, likely), "seconds": 0.001}})
    return {"score": round(score, 3) if compiles else 0.0, "tests": rows,
            "output": "" if compiles else attack("%s does not compile:\ntcp.c:7:5: error: expected ';' before 'return'\n" % lesson),
            "extra_data": {"lesson": lesson, "compiles": compiles, "result": "fail", "passed": results.count("pass")}}


def outcome(tests, skill):
    """Mistakes are made by what is likely wrong: whoever makes one fails all its tests. Some are made by many."""
    kind, results, words = draw.random(), [], {}
    if kind < 0.03:
        words = {t[3]: "this is the starter's answer: the TODO says what to write" for t in tests}
        return ["fail" if i % 3 == 0 else "skip" for i in range(len(tests))], True, words
    if kind < 0.07:
        return ["error"] * len(tests), False, words
    made = {}
    for group, name, points, id, likely in tests:
        hard = (sum(map(ord, likely or name)) % 100 / 100) ** 4
        if likely not in made:
            made[likely] = draw.random() < hard * (1.4 - skill)
        results.append("fail" if made[likely] else "skip" if draw.random() < 0.02 * (1 - skill) else "pass")
        if hostile and made[likely]:
            words[id] = attack(likely or "")
    return results, True, words


names = [os.path.basename(os.path.dirname(path)) for path in sorted(glob.glob("tests/[0-9][0-9]-*/contract"))][:lessons]
plans = {name: tests_of(name) for name in names}
manifest = {"class": attack("fall-26"), "lessons": names, "students": [],
            "weights": {name: {"weight": 10 + n, "due": DUE + n * 7 * 86400, "late": "10%/day"} for n, name in enumerate(names)}}
for n in range(students):
    name = "%s %s" % (FIRST[n % len(FIRST)], LAST[n * 5 % len(LAST)])
    student = {"key": "student-%d" % (n + 1), "name": attack(name) if hostile else name + " %d" % n, "attempts": []}
    skill = draw.random()
    for id in range(1, 2 + (draw.random() < 0.15)):
        late = draw.random() < 0.1
        attempt = {"id": str(id), "source": attack("%s_%d_assignsubmission_file_/hw.zip" % (name, n)), "time_from": "name",
                   "time": DUE - 3600 * (40 - 20 * id) + late * 86400 * draw.randint(1, 4), "late": None, "lessons": [],
                   "notes": [attack("tcp.c is there twice: took src/tcp.c, the newest")] if draw.random() < 0.2 else [],
                   "problem": attack("it cannot be opened: it is encrypted") if n % 67 == 5 else None}
        student["attempts"].append(attempt)
        for lesson in names:
            if attempt["problem"] or draw.random() < 0.08:
                continue
            attempt["lessons"].append({"name": lesson, "handed_in": [attack("tcp.c")], "from_starter": ["echo-client.c"]})
            folder = "%s/results/%s/%d" % (out, student["key"], id)
            os.makedirs(folder, exist_ok=True)
            results, compiles, words = outcome(plans[lesson], skill)
            if draw.random() < 0.002:
                continue
            with open("%s/lesson-%s.json" % (folder, lesson[:2]), "w") as file:
                json.dump(record(lesson, plans[lesson], results, compiles, words), file)
            with open("%s/lesson-%s.sums" % (folder, lesson[:2]), "w") as file:
                seal = hashlib.sha256(("%s %d %s" % (name, id, lesson)).encode()).hexdigest()
                file.write("submission %s\ntests %s\noptions LINK=reference\n" % (seal, hashlib.sha256(lesson.encode()).hexdigest()))
    manifest["students"].append(student)
os.makedirs(out, exist_ok=True)
with open(out + "/manifest.json", "w") as file:
    json.dump(manifest, file)
