#!/usr/bin/env python3
"""Counts test cases: reads the logs that `meson test` and run.sh left in a folder and says what passed.

usage: count.py FOLDER

Test programs speak TAP, so that a case is a case whatever language it was written in; one that does not is one case.
Prints what failed or was skipped, a line for each suite, and last `N passed, N failed, N skipped`.
Exits 1 when anything failed, or when nothing ran. With CI=true in the environment a skipped case is a failed one.
"""
import json
import os
import re
import sys
from pathlib import Path

CASE = re.compile(r"^(not )?ok\b[ \t]*(\d+)?[ \t]*(?:- )?(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)(?:[ \t]*#[ \t]*SKIP\b(.*))?", re.IGNORECASE)
SKIP = re.compile(r"#[ \t]*SKIP\b", re.IGNORECASE)
BAD = {"FAIL", "ERROR", "TIMEOUT", "INTERRUPT", "UNEXPECTEDPASS"}


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []


def read_tap(text, name, tally):
    """Adds the cases of one TAP stream to the tally; false when the text is no TAP."""
    planned = None
    seen = 0
    for line in text.splitlines():
        plan = PLAN.match(line)
        if plan:
            planned = int(plan.group(1))
            if planned == 0 and plan.group(2) is not None:
                tally.skipped.append(f"{name}: {plan.group(2).strip()}")
            continue
        case = CASE.match(line)
        if not case:
            continue
        seen += 1
        title = f"{name}: {case.group(3).strip()}"
        if SKIP.search(case.group(3)) and not case.group(1):
            tally.skipped.append(title)
        elif case.group(1):
            tally.failed.append(title)
        else:
            tally.passed += 1
    if planned is None:
        return False
    for number in range(seen, planned):
        tally.failed.append(f"{name}: case {number + 1} of {planned} never reported")
    return True


def read_record(record, label, tallies):
    """Adds one test program of a meson log."""
    suite, _, program = record["name"].rpartition(" / ")
    suite = suite.split(":")[-1].split("+")[0] or "other"
    tally = tallies.setdefault(f"{label} {suite}", Tally())
    name = f"{label} {program}"
    before = len(tally.failed)
    is_tap = read_tap(record.get("stdout") or "", name, tally)
    result = record["result"]
    if result in BAD and len(tally.failed) == before:
        tally.failed.append(f"{name}: {result.lower()}, exit code {record.get('returncode')}")
    elif not is_tap and result == "SKIP":
        tally.skipped.append(name)
    elif not is_tap and result not in BAD:
        tally.passed += 1
    return len(tally.failed) > before


def print_output(record):
    for stream in ("stdout", "stderr"):
        lines = [line for line in (record.get(stream) or "").splitlines() if not re.match(r"^ok\b", line)]
        if len(lines) > 120:
            lines = lines[:60] + ["..."] + lines[-60:]
        for line in lines:
            print("    " + line)


def read_folder(folder):
    tallies = {}
    for path in sorted(folder.glob("*.json")):
        label = path.name.split(".")[0]
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            record = json.loads(line)
            if read_record(record, label, tallies):
                print(f"{label} {record['name']}: {record['result']}")
                print_output(record)
    for path in sorted(folder.glob("*.tap")):
        read_tap(path.read_text(encoding="utf-8"), "run.sh", tallies.setdefault("run.sh", Tally()))
    return tallies


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    tallies = read_folder(Path(sys.argv[1]))
    passed = failed = skipped = 0
    for suite, tally in tallies.items():
        if os.environ.get("CI") == "true":
            tally.failed += [f"{title} (skipped, which CI does not allow)" for title in tally.skipped]
            tally.skipped = []
        for title in tally.failed:
            print(f"failed: {title}")
        for title in tally.skipped:
            print(f"skipped: {title}")
        print(f"{suite}: {tally.passed} passed, {len(tally.failed)} failed, {len(tally.skipped)} skipped")
        passed += tally.passed
        failed += len(tally.failed)
        skipped += len(tally.skipped)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
