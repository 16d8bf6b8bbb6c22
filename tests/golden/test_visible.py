#!/usr/bin/env python3
"""Tables of other engines' own test suites, Parquet files of parquet-testing and arrow-testing, and damaged ones: each by its verdict.

usage: test_visible.py GOLDEN_DUMP usual|large

A large case takes minutes and gigabytes under a sanitizer, so it has a run of its own, for a build without.

The manifest beside the data says where each comes from, what its verdict is, and which rows which engine read.
"""
import datetime
import hashlib
import json
import os
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import tap
import variant
from osdear_command import shared, unpacked

DUMP = sys.argv[1]
REFUSED = 3
SECONDS = 300
LARGE = {"parquet/data/large_string_map.brotli.parquet"}
# What a small file that lies may take; a sanitizer's own share is in it.
LIES_SECONDS = 8
LIES_BYTES = 1 << 30
POOL = ThreadPoolExecutor(os.cpu_count())
started = {}
# Where engines differ, what Spark read is right.
ORACLES = ["spark/constr", "spark-4.2", "kgold", "deltalake-1.6.6", "deltalake-1.6.6-datafusion"]


class Refusal(Exception):
    """A typed error."""

    def __init__(self, line):
        super().__init__(line)
        self.status, _, self.message = line.partition(": ")


def run(*words):
    return subprocess.run([DUMP, *map(str, words)], capture_output=True, check=False, timeout=SECONDS)


def run_bounded(*words):
    """The same for a file that may claim anything: within seconds of a processor, and a bound of resident memory where one can be had."""
    seconds = f"ulimit -t {LIES_SECONDS}; exec /usr/bin/env \"$@\""
    options = f"{os.environ.get('ASAN_OPTIONS', '')}:hard_rss_limit_mb={LIES_BYTES >> 20}"
    return subprocess.run(["sh", "-c", seconds, "sh", f"ASAN_OPTIONS={options}", DUMP, *map(str, words)],
                          capture_output=True, check=False, timeout=SECONDS)


def soon(*words):
    """Starts what dump() will ask for, so that every processor is busy."""
    started[words] = POOL.submit(run, *words)


def dump(*words, with_=run):
    """What golden-dump prints; Refusal for a typed error; an assertion for anything else."""
    result = started.pop(words).result() if words in started else with_(*words)
    errors = result.stderr.decode("utf-8", "replace").strip()
    if result.returncode == REFUSED and errors and "Sanitizer" not in errors:
        raise Refusal(errors.splitlines()[-1])
    assert result.returncode == 0, f"exit {result.returncode}: {errors[-3000:]}"
    schema, _, rows = result.stdout.decode("utf-8").partition("\n")
    return json.loads(schema), rows.splitlines()


def is_variant(schema):
    return schema["format"] == "+s" and ["metadata", "value"] == sorted(child["name"] for child in schema["children"])


def canonical(value, schema):
    """A value of our canonical JSON in the manifest's. A variant, which is text here, becomes the JSON that it says."""
    kind = schema["format"]
    if value is None:
        return None
    if is_variant(schema):
        return json.loads(value["variant"])
    if kind == "+s":
        return {child["name"]: canonical(value[child["name"]], child) for child in schema["children"]}
    if kind == "+m":
        key, item = schema["children"][0]["children"]
        entries = [[canonical(k, key), canonical(v, item)] for k, v in value]
        return {"$map": sorted(entries, key=lambda entry: json.dumps(entry, sort_keys=True, ensure_ascii=False))}
    if kind in ("+l", "+L"):
        return [canonical(item, schema["children"][0]) for item in value]
    if kind in ("z", "Z") or kind.startswith("w:"):
        return "0x" + value
    return value


def has_variant(schema):
    return is_variant(schema) or any(map(has_variant, schema["children"]))


def with_variants(value, schema):
    """A value of an oracle's, in which a variant is Spark's JSON text or, from deltalake, the two binaries: as the JSON that it says."""
    kind = schema["format"]
    if value is None:
        return None
    if is_variant(schema):
        return json.loads(value) if isinstance(value, str) else variant.plain(*(bytes.fromhex(value[name][2:]) for name in ("metadata", "value")))
    if kind == "+s":
        return {child["name"]: with_variants(value[child["name"]], child) for child in schema["children"]}
    if kind in ("+l", "+L"):
        return [with_variants(item, schema["children"][0]) for item in value]
    if kind == "+m":
        key, item = schema["children"][0]["children"]
        return {"$map": [[with_variants(k, key), with_variants(v, item)] for k, v in value["$map"]]}
    return value


def rows_of(schema, lines):
    return [canonical(json.loads(line), schema) for line in lines]


def text_of(row):
    return json.dumps(row, sort_keys=True, ensure_ascii=False)


def digest(rows):
    lines = sorted(map(text_of, rows))
    text = "".join(line + "\n" for line in lines)
    return lines, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_by(expected, name, version):
    return expected.get(name, {}).get("versions", {}).get(version, {})


def oracle(expected, version):
    """What the best engine read of this version: (rows, digest, file with the rows or None). An engine that read something else than a
    better one where both read is not asked for the versions that only it read."""
    newest = next((found["sha256"] for found in (read_by(expected, name, "latest") for name in ORACLES) if "sha256" in found), None)
    for name in ORACLES:
        found = read_by(expected, name, version)
        if "sha256" in found and read_by(expected, name, "latest").get("sha256", newest) == newest:
            return found
    return None


def chosen(version):
    return [] if version == "latest" else [version]


def versions(expected):
    names = {version for name in ORACLES for version in expected.get(name, {}).get("versions", {}) if oracle(expected, version)}
    return sorted(names, key=lambda name: (name == "latest", int(name) if name.isdigit() else 0))


DAY_US = 86400 * 10**6
JULIAN_1970 = 2440588


def wrapped(number):
    """A number as 64 bits hold it."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


def as_pyarrow_reads(text):
    """A timestamp as Spark makes INT96 of it, and pyarrow 64 bits of nanoseconds of that: both wrap around where years are late."""
    date, _, clock = text.partition("T")
    year, month, day = date.rsplit("-", 2)
    years = 400 * ((int(year) - 2000) // 400)
    days = (datetime.date(int(year) - years, int(month), int(day)) - datetime.date(1970, 1, 1)).days + years // 400 * 146097
    hours, minutes, seconds = clock.split(":")
    us = days * DAY_US + (int(hours) * 3600 + int(minutes) * 60) * 10**6 + int(seconds.replace(".", ""))
    day, us = divmod(wrapped(us + JULIAN_1970 * DAY_US), DAY_US)
    us += (day % (1 << 32) - JULIAN_1970) * DAY_US
    read = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=wrapped(us * 1000) // 1000)
    return read.isoformat(timespec="microseconds")


def adapt(rows, case, schema, folder):
    """What pyarrow read of a file, where its reading is a convention: rows of ours, and its digest, made comparable."""
    wanted = case["expected"]["full"]
    kinds = dict(column.split(": ", 1) for column in case["expected"].get("arrow_schema", []) if ": " in column)
    for name in [name for name, kind in kinds.items() if kind == "timestamp[ns]"]:  # INT96, which says nothing of a zone
        rows = [{**row, name: row[name] and as_pyarrow_reads(row[name].removesuffix("Z"))} for row in rows]
    variants = [child["name"] for child in schema["children"] if is_variant(child)]
    if variants:
        theirs = (folder / wanted["rows"].replace(".ndjson", ".expected.ndjson")).read_text(encoding="utf-8").splitlines()
        _, sha256 = digest([{**json.loads(line), **dict.fromkeys(variants)} for line in theirs])
        wanted = {**wanted, "sha256": sha256}
        rows = [{**row, **dict.fromkeys(variants)} for row in rows]
    return rows, wanted


class Cases(unittest.TestCase):
    def same_rows(self, wanted, folder, rows):
        lines, found = digest(rows)
        if found == wanted["sha256"]:
            return
        text = f"{len(lines)} rows, {wanted['numRows']} wanted\n"
        for path in list(folder.rglob(wanted.get("rows", "-")))[:1]:
            theirs = path.read_text(encoding="utf-8").splitlines()
            text += "".join(f"- {line[:500]}\n" for line in [t for t in theirs if t not in set(lines)][:4])
            text += "".join(f"+ {line[:500]}\n" for line in [o for o in lines if o not in set(theirs)][:4])
        self.fail(text)

    def table_version(self, root, case, version):
        table = root / case["path"]
        schema, rows = dump("table", table, *chosen(version))
        wanted, folder = oracle(case["expected"], version), table.parent / "expected"
        if has_variant(schema):
            lines = next(folder.rglob(wanted["rows"])).read_text(encoding="utf-8").splitlines()
            wanted = {**wanted, "sha256": digest([with_variants(json.loads(line), schema) for line in lines])[1]}
        self.same_rows(wanted, folder, rows_of(schema, rows))

    def is_refused(self, root, case):
        word = "file" if case["path"].endswith(".parquet") else "table"
        with self.assertRaises(Refusal) as refused:
            dump(word, root / case["path"])
        self.assertIn(refused.exception.status, {"corrupt", "unsupported", "not_found", "limit", "argument"}, refused.exception)

    def has_only_its_log(self, root, case):
        dump("files", root / case["path"])
        with self.assertRaises(Refusal) as refused:
            dump("table", root / case["path"])
        self.assertIn(refused.exception.status, {"not_found", "corrupt", "unsupported"}, refused.exception)

    def survives(self, root, case):
        with_ = run_bounded if case["verdict"] == "no-crash" else run
        try:
            dump("table" if case["path"].endswith("/delta") else "file", root / case["path"], with_=with_)
        except Refusal as refusal:
            self.assertNotEqual(refusal.status, "internal", refusal)

    def file(self, root, case):
        path = root / case["path"]
        schema, rows = dump("file", path)
        rows, wanted = adapt(rows_of(schema, rows), case, schema, path.parent)
        self.same_rows(wanted, path.parent, rows)


    def variants(self, path, wanted):
        _, lines = dump("variants", path)
        got = [pair and variant.decode(*map(bytes.fromhex, pair)) for pair in map(json.loads, lines)]
        self.assertEqual(got, [file and variant.decode(*variant.split((path.parent / file).read_bytes())) for file in wanted])


def add(name, check, *arguments):
    setattr(Cases, f"test_{name}", lambda self: check(self, *arguments))


def add_variants(root, name, path, known):
    """What parquet-testing says of a file with variants: that it is none, or which variants there are, as binaries of other makers."""
    if "error_message" in known:
        add(f"{name} is refused", Cases.is_refused, root, {"path": path})
        return False
    files = known.get("variant_files") or [known["variant_file"]]
    soon("variants", root / path)
    add(f"{name} has its variants", Cases.variants, root / path, files)
    return True


def variants_of(root):
    path = root / "parquet/shredded_variant/cases.json"
    return {f"parquet/shredded_variant/{known['parquet_file']}": known
            for known in json.loads(path.read_text(encoding="utf-8")) if "parquet_file" in known}


def add_case(root, case, variants):
    name, verdict = case["case"], case["verdict"]
    if name in variants and not add_variants(root, name, case["path"], variants[name]):
        return
    if verdict == "checkable" and name.startswith("parquet/"):
        soon("file", root / case["path"])
        add(name, Cases.file, root, case)
    elif verdict == "checkable":
        for version in versions(case["expected"]):
            soon("table", root / case["path"], *chosen(version))
            add(f"{name} version {version}", Cases.table_version, root, case, version)
    elif verdict == "must-reject":
        add(f"{name} is refused", Cases.is_refused, root, case)
    elif verdict == "log-only":
        add(f"{name} has only its log", Cases.has_only_its_log, root, case)
    else:
        add(f"{name} does no harm", Cases.survives, root, case)


def main():
    if not shared():
        print("1..0 # SKIP no folder `shared` beside the checkout, and OSDEAR_SHARED names none")
        return
    root = unpacked("visible.tar.zst")
    manifest = json.loads((shared() / "data/visible-manifest.json").read_text(encoding="utf-8"))
    is_large = sys.argv[2] == "large"
    variants = variants_of(root)
    for case in manifest["cases"]:
        if (case["case"] in LARGE) == is_large:
            add_case(root, case, variants)
    tap.main()


if __name__ == "__main__":
    main()
