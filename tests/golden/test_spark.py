#!/usr/bin/env python3
"""Tables that Spark wrote: every version has the rows that Spark read, and so have change feeds and row ids."""
import json
import os
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import tap
from osdear_command import Refused, osdear, rows, shared, unpacked

ARCHIVE = "spark-tables.tar.zst"


def differences(wanted, got):
    lines = [f"- {line}" for line in wanted if line not in got][:5] + [f"+ {line}" for line in got if line not in wanted][:5]
    return f"{len(got)} rows, not {len(wanted)}\n" + "\n".join(line[:600] for line in lines)


def dumps(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def text_of_variant(value):
    return value["variant"] if value.keys() == {"variant"} else value


class Tables(unittest.TestCase):
    def has_rows(self, folder, version):
        wanted = (folder / "expected" / f"version={version}.jsonl").read_text(encoding="utf-8").splitlines()
        got = rows(folder / "delta", "--version", version)
        if got != wanted:
            self.fail(differences(wanted, got))

    def reads_variants_as_text(self, folder, version):
        wanted = (folder / "expected" / f"version={version}.jsonl").read_text(encoding="utf-8").splitlines()
        plain = [dumps(json.loads(line, object_hook=text_of_variant)) for line in wanted]
        self.assertNotEqual(plain, wanted)
        self.assertEqual(rows(folder / "delta", "--version", version, "--variant-as-json"), sorted(plain))

    def has_changes(self, folder):
        wanted = (folder / "expected" / "cdf.jsonl").read_text(encoding="utf-8").splitlines()
        first = json.loads(min(wanted, key=lambda line: json.loads(line)["_commit_version"]))["_commit_version"]
        lines = osdear("table", "changes", "--json", "--format", "jsonl", "--from", first, folder / "delta").splitlines()
        got = [re.sub(r',"_commit_timestamp":"[^"]*"', "", line) for line in lines]
        if sorted(got) != sorted(wanted):
            self.fail(differences(wanted, got))

    def has_row_ids(self, folder):
        wanted = (folder / "expected" / "row_ids.jsonl").read_text(encoding="utf-8").splitlines()
        got = rows(folder / "delta", "--row-ids")
        if sorted(got) != sorted(wanted):
            self.fail(differences(wanted, got))

    def is_refused(self, folder):
        with self.assertRaises(Refused) as refused:
            rows(folder / "delta")
        self.assertIn(refused.exception.status, {"unsupported", "corrupt"}, refused.exception.message)

    def is_refused_when_a_version_is_not_there(self, folder, meta):
        with self.assertRaises(Refused) as refused:
            osdear("table", "read", "--json", "--version", meta["latest"] + 1000, folder / "delta")
        self.assertEqual(refused.exception.status, "not_found", refused.exception.message)


def add(name, check, *arguments):
    def case(self):
        check(self, *arguments)

    setattr(Tables, f"test_{name}", case)


def add_table(folder):
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    if "expect_error" in meta:
        add(f"{folder.name} is refused", Tables.is_refused, folder)
        return
    for version in sorted(int(path.stem.partition("=")[2]) for path in (folder / "expected").glob("version=*.jsonl")):
        add(f"{folder.name} version {version:02}", Tables.has_rows, folder, version)
    if any(feature.startswith("variantType") for feature in meta["detail"]["tableFeatures"]):
        add(f"{folder.name} has variants that may come as text", Tables.reads_variants_as_text, folder, meta["latest"])
    if (folder / "expected" / "cdf.jsonl").exists():
        add(f"{folder.name} changes", Tables.has_changes, folder)
    if (folder / "expected" / "row_ids.jsonl").exists():
        add(f"{folder.name} row ids", Tables.has_row_ids, folder)
    add(f"{folder.name} has no later version", Tables.is_refused_when_a_version_is_not_there, folder, meta)


def main():
    os.environ["OSDEAR_COMMAND"] = sys.argv[1]
    if not shared():
        print("1..0 # SKIP no folder `shared` beside the checkout, and OSDEAR_SHARED names none")
        return
    root = unpacked(ARCHIVE)
    for meta in sorted(root.glob("**/meta.json")):
        add_table(meta.parent)
    tap.main()


if __name__ == "__main__":
    main()
