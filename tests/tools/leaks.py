#!/usr/bin/env python3
"""usage: leaks.py COURSE HANDOUT: which files of HANDOUT hold an answer of COURSE's?

An answer is any three consecutive lines of code of a solution or of a hidden test, and what the head of a mutant or variant says.
Layout, comments and #include do not count, nor does what the lessons themselves show or the tests that all may see: the given
programs, the experiments, and the hints, whose last level is nearly the code."""
import pathlib
import re
import sys

course, handout = map(pathlib.Path, sys.argv[1:3])
ENOUGH = 60  # characters of code: fewer are an idiom, which anybody would write so
# Descriptors are passed as cmsg(3) shows it, by whoever does it.
IDIOM = re.compile(r"CMSG_|SCM_RIGHTS|msg_control")


def code(path):
    text = path.read_text(encoding="utf-8", errors="replace")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    lines = (re.sub(r"\s+", "", line) for line in text.splitlines())
    return [line for line in lines if line.strip("{}();") and not line.startswith("#include")]


def windows(path):
    lines = code(path)
    return {w for w in map("".join, zip(lines, lines[1:], lines[2:])) if len(w) >= ENOUGH and not IDIOM.search(w)}


answers = {}
for pattern in "solutions/*/*.c", "tests/*-*/hidden.*":
    for path in sorted(course.glob(pattern)):
        answers.update((window, path) for window in windows(path))
for pattern in "lessons/*/*.[ch]", "lessons/*/experiments/*.c", "lessons/*/*.md", "tests/*-*/unit.c", "tests/*-*/e2e.bats":
    for path in course.glob(pattern):
        for window in windows(path):
            answers.pop(window, None)
for path in sorted(course.glob("tests/*-*/*s/*.patch")):
    for line in path.read_text().split("\n---")[0].splitlines():
        if line.startswith(("mistake: ", "idea: ")):
            answers[re.sub(r"\s+", "", line)] = path

leaks = 0
for path in sorted(p for p in handout.rglob("*") if p.is_file() and handout / "build" not in p.parents):
    for window in sorted((windows(path) | set(code(path))) & answers.keys()):
        print(f"{path.relative_to(handout)} has of {answers[window].relative_to(course)}: {window}")
        leaks += 1
print(f"{len(answers)} answers, {leaks} leaks")
sys.exit(leaks > 0 or len(answers) < 1000)
