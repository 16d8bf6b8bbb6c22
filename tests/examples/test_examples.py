#!/usr/bin/env python3
"""The example programs on a small lake: each does what the quickstart relies on.

usage: test_examples.py BUILD_FOLDER
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as tree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
import tap
from lake_sample import AIRLINES, FLIGHTS

BUILD = Path(sys.argv[1]).resolve()


class Examples(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for name, text in (("flights", FLIGHTS), ("airlines", AIRLINES)):
            (self.folder / f"{name}.csv").write_text(text, encoding="utf-8")
            self.run_program("src/cli/osdear", "ingest", f"{name}.csv", name)

    def run_program(self, program, *words, code=0, errors=None):
        environment = {**os.environ, "OSDEAR_STATE": str(self.folder / "state"), "DOCKER_HOST": "unix:///nonexistent.sock"}
        result = subprocess.run([BUILD / program, *words], cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, code, result.stderr)
        if errors is not None:
            self.assertRegex(result.stderr, errors)
        return result.stdout

    def example(self, name, *words, code=0, errors=None):
        return self.run_program(f"examples/example-{name}", *words, code=code, errors=errors)

    def rows(self, table):
        return [json.loads(line) for line in self.run_program("src/cli/osdear", "table", "read", "-f", "jsonl", table).splitlines()]

    def test_flights_go_from_bronze_to_gold_and_into_a_picture(self):
        self.assertIn("4 flights in 2 files", self.example("flights_silver", "flights", "silver"))
        self.assertIn("already", self.example("flights_silver", "flights", "silver"))
        self.assertEqual({row["month"] for row in self.rows("silver")}, {1, 2})
        self.example("flights_gold", "silver", "airlines", "gold")
        self.example("flights_gold", "silver", "airlines", "gold")
        self.assertEqual(sorted((row["airline"], row["hour"], row["flights"], row["mean_delay"]) for row in self.rows("gold")),
                         [("American Airlines Inc.", 17, 2, 27.0), ("United Air Lines Inc.", 5, 2, 3.0)])
        picture = tree.fromstring(self.example("delays_svg", "gold"))
        self.assertEqual(len(picture.findall("{*}rect")), 3)

    def test_a_table_is_read_by_the_smallest_program(self):
        self.assertEqual(self.example("read_table", "flights"), "version 1: 5 rows\n")
        self.assertEqual(self.example("read_table", "flights", "dep_delay > 3"), "version 1: 2 rows\n")
        self.example("read_table", "nothing", code=1, errors=r"^not_found: .*nothing")

    def test_a_file_is_added_only_once_under_its_number(self):
        for number, answer in (("1", "version 1: 5 rows added"), ("1", "version 1: 0 rows added"), ("2", "version 2: 5 rows added")):
            self.assertIn(answer, self.example("append_csv", "flights.csv", "numbered", number))
        self.assertEqual(len(self.rows("numbered")), 10)
        self.example("append_csv", "absent.csv", "numbered", code=1, errors=r"^not_found: .*absent\.csv")

    def test_changes_are_told_since_a_version(self):
        self.run_program("src/cli/osdear", "table", "create", "--like", "airlines.csv", "--property", "delta.enableChangeDataFeed=true", "told")
        self.example("append_csv", "airlines.csv", "told")
        changes = self.example("follow_changes", "told", "1").splitlines()
        self.assertTrue(changes[0].startswith("carrier,name,_change_type"), changes[0])
        self.assertEqual([line.split(",")[2] for line in changes[1:]], ["insert", "insert"])
        self.example("follow_changes", "airlines", "0", code=1, errors=r"^unsupported: .*enableChangeDataFeed")

    def test_files_of_a_table_are_listed_by_what_they_may_hold(self):
        self.example("flights_silver", "flights", "silver")
        listed = [json.loads(line) for line in self.example("list_files", "silver", errors=r"version 1: 2 files").splitlines()]
        self.assertEqual([file["num_records"] for file in listed], [2, 2])
        self.assertEqual(len(self.example("list_files", "silver", "month = 2").splitlines()), 1)

    def test_a_folder_is_copied_with_all_below(self):
        self.assertRegex(self.example("copy_files", "flights", "copy"), r"^[3-9] files, \d+ bytes$")
        self.assertEqual(self.rows("copy"), self.rows("flights"))

    def test_a_job_is_found_again_by_its_key(self):
        spec = json.dumps({"command": ["sh", "-c", "echo out; exit 3"]})
        for errors in (r"^submitted .*\nfailed\n$", r"^found .*\nfailed\n$"):
            self.assertEqual(self.example("run_job", "process:", spec, "once", code=1, errors=errors), "out\n")

    def test_a_container_without_an_engine_is_an_error_that_names_the_socket(self):
        self.example("run_container", "busybox", "true", code=1, errors=r"^unavailable: .*nonexistent\.sock")


if __name__ == "__main__":
    tap.main()
