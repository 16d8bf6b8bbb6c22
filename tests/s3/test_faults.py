#!/usr/bin/env python3
"""An append with its n-th request going wrong in every way, for every n: rows are there once or not at all, and never twice.

usage: test_faults.py OSDEAR SOURCE_FOLDER        OSDEAR_S3_ALL_FAULTS=1: every fault at every request (some minutes)
"""
import json
import os
import sys
from pathlib import Path

COMMAND, ROOT = os.path.abspath(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(ROOT / "tests/support"))
import s3_servers
import tap
from s3_case import BehindProxy
from s3_servers import BUCKET

ALL = os.environ.get("OSDEAR_S3_ALL_FAULTS")
ONCE = ["cut-before", "cut-request", "lost-response", "cut-response", "truncate", "repeat", "500", "503", "500-after"]
SLOW = ["delay", "delay-response", "slowdown"]


class Appends(BehindProxy):
    """Each append adds a row with a number of its own."""

    command = COMMAND

    def numbers(self, table):
        result = self.osdear("table", "read", "-f", "jsonl", table, directly=True)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return sorted(json.loads(line)["id"] for line in result.stdout.decode().splitlines())

    def append(self, table, number, **environment):
        return self.osdear("table", "append", "-q", table, "-", stdin=f"id\n{number}\n".encode(), **environment)

    def try_fault(self, fault, times, environment):
        """How many appends were tried and how many failed, with the n-th request going wrong until there is no n-th."""
        table = f"s3://{BUCKET}/{self.id().rpartition('.')[2]}/{fault}"
        first = self.osdear("ingest", "-q", "-", table, stdin=b"id\n0\n", directly=True)
        self.assertEqual(first.returncode, 0, first.stderr.decode())
        there, failed = [0], 0
        for n in range(1, 31):
            self.proxy.arm(fault, n, times)
            result = self.append(table, n, **environment)
            wrong = self.proxy.hits
            self.proxy.off()
            found = self.numbers(table)
            self.assertEqual(len(found), len(set(found)), f"{fault} at request {n}: rows are there twice")
            self.assertIn(result.returncode, (0, 1, 4, 7), f"{fault} at request {n}: {result.stderr.decode()}")
            self.assertNotIn(b"AddressSanitizer", result.stderr)
            if result.returncode == 0 or n in found:  # where the answer was lost for good, it may be there, whole
                there.append(n)
            failed += result.returncode != 0
            self.assertEqual(found, sorted(there), f"{fault} at request {n}: {result.stderr.decode()}")
            if wrong == 0:
                break
        return n, failed

    def try_all(self, faults, times=1, **environment):
        tried, failed = zip(*(self.try_fault(fault, times, environment) for fault in faults))
        return sum(tried), sum(failed)

    def test_one_request_that_goes_wrong_is_made_good(self):
        tried, failed = self.try_all(ONCE + SLOW if ALL else ONCE)
        self.assertGreater(tried, 3 * len(ONCE))
        self.assertEqual(failed, 0, "a single fault is repeated away")

    def test_where_nothing_gets_through_any_more_the_table_stays_sound(self):
        tried, failed = self.try_all(["lost-response", "cut-request", "500-after"] + (["503", "cut-before"] if ALL else []), times=0,
                                     AWS_MAX_ATTEMPTS="2")
        self.assertGreater(failed, tried / 2)


if __name__ == "__main__":
    reason = s3_servers.missing()
    if reason:
        print(f"1..0 # SKIP {reason}")
    else:
        tap.main()
