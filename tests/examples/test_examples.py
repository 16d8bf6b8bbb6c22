#!/usr/bin/env python3
"""The example programs on a small lake: each does what the quickstart relies on.

usage: test_examples.py BUILD_FOLDER
"""
import json
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as tree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
import tap

BUILD = Path(sys.argv[1]).resolve()
FLIGHTS = """month,day,dep_time,dep_delay,carrier,flight,origin,dest,distance,hour
1,1,517,2,UA,1545,EWR,IAH,1400,5
1,1,533,4,UA,1714,LGA,IAH,1416,5
1,2,NA,NA,UA,1,LGA,IAH,1416,5
2,1,542,60,AA,1141,JFK,MIA,1089,17
2,1,554,-6,AA,461,LGA,ATL,762,17
"""
AIRLINES = "carrier,name\nUA,United Air Lines Inc.\nAA,American Airlines Inc.\n"


class Examples(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for name, text in (("flights", FLIGHTS), ("airlines", AIRLINES)):
            (self.folder / f"{name}.csv").write_text(text, encoding="utf-8")
            self.run_program("src/cli/osdear", "ingest", f"{name}.csv", name)

    def run_program(self, program, *words, code=0):
        result = subprocess.run([BUILD / program, *words], cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, code, result.stderr)
        return result.stdout

    def example(self, name, *words, code=0):
        return self.run_program(f"examples/example-{name}", *words, code=code)

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
        self.example("read_table", "nothing", code=1)


if __name__ == "__main__":
    tap.main()
