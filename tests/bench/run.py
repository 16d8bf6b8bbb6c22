#!/usr/bin/env python3
"""Sets osdear beside other engines, in one run and interleaved, and prints Markdown tables for docs/performance.md.

usage: run.py OSDEAR_BENCH [--runs N] [--rows N] [--only WORD] [--smoke]

The workloads and the other engines' runners are those of the folder `shared/bench`; what they make is kept in the cache.
--smoke runs the programme once on tables it makes itself, and checks what it reports: that is the test.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import tap
from osdear_command import cache, shared

RANGE = "l_shipdate BETWEEN DATE '1995-03-03' AND DATE '1995-03-27'"
MONTH = "l_shipmonth = '1995-03'"
THREE = "l_orderkey,l_extendedprice,l_shipmode"


class Smoke(unittest.TestCase):
    program = ""

    def operation(self, *words):
        result = subprocess.run([self.program, *map(str, words)], capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return re.fullmatch(r"OP [\d.]+ [\d.]+ \w+=(\d+)\n", result.stdout).group(1)

    def test_every_workload_runs(self):
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder, "table")
            self.assertEqual(self.operation("small", table, 25), "25")
            self.assertEqual(self.operation("list", table), "25")
            self.assertEqual(self.operation("scan", table), "25")
            self.assertEqual(self.operation("scan", table, "id,name", "id < 10"), "10")
            data = next(path for path in table.rglob("*.parquet") if "_delta_log" not in path.parts)
            self.assertEqual(self.operation("append", Path(folder, "second"), data, "day"), "1")


def prepare(python, scripts, rows):
    """Generated data: logs without data files, and line items."""
    data = cache() / "bench"
    logs = data / "logs"
    items = data / f"lineitem-{rows}"
    data.mkdir(parents=True, exist_ok=True)
    if not logs.is_dir():
        subprocess.run([python, scripts / "gen_log.py", logs, "a10000", "b100k", "c100x1000"], check=True)
    if not items.is_dir():
        subprocess.run([python, scripts / "gen_lineitem.py", items, str(rows)], check=True)
    parquet = items / "lineitem_1m.parquet"
    if not parquet.exists():
        subprocess.run([python, "-c", "import sys, pyarrow.ipc as i, pyarrow.parquet as p, pyarrow as a\n"
                        "p.write_table(i.open_file(a.memory_map(sys.argv[1])).read_all(), sys.argv[2])",
                        items / "lineitem_1m.arrow", parquet], check=True)
    return logs, items


def list_cases(ours, python, scripts, logs):
    cases = {}
    for log in sorted(path for path in logs.iterdir() if path.is_dir()):
        table = next((path.parent for path in [*log.glob("_delta_log"), *log.glob("*/_delta_log")]), log)
        cases[f"list {log.name}: osdear"] = [ours, "list", table]
        cases[f"list {log.name}: deltalake"] = [python, scripts / "w1_list.py", "deltalake", table]
    return cases


def scan_cases(ours, python, scripts, items):
    snappy = items / "lineitem_snappy"
    modes = {"full": ["*"], "proj3": [THREE], "part": ["*", MONTH], "range1": ["*", RANGE]}
    cases = {}
    for mode, words in modes.items():
        cases[f"scan {mode}: osdear, 1 thread"] = ["env", "OSDEAR_BENCH_THREADS=1", ours, "scan", snappy, *words]
        cases[f"scan {mode}: osdear, 2 threads"] = ["env", "OSDEAR_BENCH_THREADS=2", ours, "scan", snappy, *words]
        for engine, name in {"qb": "deltalake", "duckdb": "DuckDB on the files", "polars": "polars on the files", "pads": "pyarrow"}.items():
            cases[f"scan {mode}: {name}, 1 thread"] = [python, scripts / "w2_scan.py", engine, snappy, mode, "1"]
    return cases


def write_cases(ours, python, scripts, items, folder):
    parquet, arrow = items / "lineitem_1m.parquet", items / "lineitem_1m.arrow"

    def fresh(*words):
        return ["sh", "-c", 'rm -rf "$1" && shift && exec "$@"', "sh", folder / "ours", *words]

    return {
        "append 1M rows: osdear": fresh(ours, "append", folder / "ours", parquet),
        "append 1M rows: deltalake": [python, scripts / "w3_write.py", "append", arrow, folder / "theirs"],
        "append 1M rows, 84 partitions: osdear": fresh(ours, "append", folder / "ours", parquet, "l_shipmonth"),
        "append 1M rows, 84 partitions: deltalake": [python, scripts / "w3_write.py", "append_part", arrow, folder / "theirs"],
        "100 small commits: osdear": fresh(ours, "small", folder / "ours", "100"),
        "100 small commits: deltalake": [python, scripts / "w3_write.py", "small", arrow, folder / "theirs", "100"],
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=6_000_000)
    parser.add_argument("--only", default="")
    parser.add_argument("--smoke", action="store_true")
    given = parser.parse_args()
    if given.smoke:
        Smoke.program = given.program
        tap.main()
    if not shared():
        sys.exit("run.py: no folder `shared` beside the checkout, and OSDEAR_SHARED names none")
    python, scripts = cache() / "venv/bin/python", shared() / "bench"
    logs, items = prepare(python, scripts, given.rows)
    with tempfile.TemporaryDirectory(dir=cache() / "bench") as folder:
        cases = {**list_cases(given.program, python, scripts, logs), **scan_cases(given.program, python, scripts, items),
                 **write_cases(given.program, python, scripts, items, Path(folder))}
        chosen = Path(folder, "cases.json")
        chosen.write_text(json.dumps({name: [str(word) for word in words] for name, words in cases.items() if given.only in name}))
        environment = {**os.environ, "PYTHONPATH": ""}
        sys.exit(subprocess.run([python, scripts / "bench.py", str(given.runs), chosen], env=environment, check=False).returncode)


if __name__ == "__main__":
    main()
