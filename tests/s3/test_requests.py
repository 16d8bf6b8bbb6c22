#!/usr/bin/env python3
"""How few requests a table takes, how they overlap, and what happens when an object changes between two of them.

usage: test_requests.py OSDEAR SOURCE_FOLDER
"""
import json
import os
import random
import struct
import sys
import time
import uuid
import zlib
from pathlib import Path

COMMAND, ROOT = os.path.abspath(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(ROOT / "tests/support"))
import s3_servers
import tap
from fault_proxy import DELAY_S, FaultProxy
from s3_case import BehindProxy
from s3_servers import BUCKET

SMALL_FILES = 24
BIG_ROWS = 300_000


def vector_of_row(row):
    """One row as Delta stores a set of rows: a 64-bit roaring bitmap of one array with one value."""
    return struct.pack("<IQIIIHHIH", 1681511377, 1, 0, 12346, 1, 0, 0, 16, row)


def z85(data):
    digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
    words = struct.unpack(f">{len(data) // 4}I", data)
    return "".join(digits[word // 85**power % 85] for word in words for power in (4, 3, 2, 1, 0))


class Swapper(FaultProxy):
    """Puts another object in the place of one that is being read, before the n-th request for it."""

    swap, at = None, 0

    def next_fault(self, method, target):
        fault = super().next_fault(method, target)
        if self.swap and method == "GET" and ".parquet" in target:
            self.at -= 1
            if self.at == 0:
                self.swap(target)
        return fault


class Requests(BehindProxy):
    command, proxy_of = COMMAND, Swapper

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.small, cls.big = f"s3://{BUCKET}/small", f"s3://{BUCKET}/big"
        cls.run_osdear("ingest", "-q", "-", cls.small, stdin=b"id\n0\n")
        for number in range(1, SMALL_FILES):
            cls.run_osdear("table", "append", "-q", cls.small, "-", stdin=b"id\n%d\n" % number)
        random.seed(1)
        rows = "".join(f"{i},{random.getrandbits(60)},{random.getrandbits(60)},{random.getrandbits(60):x}\n" for i in range(BIG_ROWS))
        cls.run_osdear("ingest", "-q", "-", cls.big, stdin=b"a,b,c,d\n" + rows.encode())

    @classmethod
    def run_osdear(cls, *words, stdin=b"", code=0):
        result = cls.osdear(*words, stdin=stdin)
        if result.returncode != code:
            raise AssertionError(f"{words} ended with {result.returncode}: {result.stderr.decode()}")
        return result

    def requests(self, *words):
        """What went to the server, as `METHOD what`, and the rows that came."""
        self.proxy.off()
        result = self.run_osdear(*words)
        return [f"{method} {'list' if 'list-type' in target else target.rpartition('/')[2]}" for method, target, _ in self.proxy.log], result.stdout

    def test_a_table_is_opened_by_one_listing_and_each_commit_once(self):
        seen, _ = self.requests("table", "show", self.small)
        hint = json.loads(self.server.request("GET", f"/{BUCKET}/small/_delta_log/_last_checkpoint")[1])["version"]
        self.assertEqual(hint, 20)
        commits = [f"GET {version:020}.json" for version in range(hint + 1, SMALL_FILES + 1)]
        self.assertEqual(sorted(seen[2:-1] + seen[-1:]), sorted([f"GET {hint:020}.checkpoint.parquet"] + commits))
        self.assertEqual(seen[:2], ["GET _last_checkpoint", "GET list"])

    def test_small_files_take_a_request_each(self):
        seen, rows = self.requests("table", "read", self.small)
        data = [line for line in seen if "part-" in line]
        self.assertEqual(len(data), SMALL_FILES)
        self.assertEqual(len(set(data)), SMALL_FILES)
        self.assertEqual(len(rows.splitlines()), SMALL_FILES)

    def test_requests_for_small_files_overlap(self):
        for threads in ("1", "2"):
            self.proxy.arm("delay-response", 1, times=0)
            begin = time.monotonic()
            self.run_osdear("table", "read", "--threads", threads, self.small)
            took, count = time.monotonic() - begin, self.proxy.count
            self.proxy.off()
            self.assertGreater(count, SMALL_FILES)
            self.assertLess(took, DELAY_S * count / 2, f"{count} requests one after the other would take {DELAY_S * count} s")

    def delete_a_row_of_each(self, table, version):
        """A commit by which each of the table's files loses its second row, with all deletion vectors in one file."""
        name, content = uuid.uuid4(), b"\1"
        actions = [{"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors"]}}]
        for old in range(version):
            log = self.server.request("GET", f"/{BUCKET}/{table}/_delta_log/{old:020}.json")[1]
            for add in [line["add"] for line in map(json.loads, log.splitlines()) if "add" in line]:
                vector = vector_of_row(1)
                told = {"storageType": "u", "pathOrInlineDv": z85(name.bytes), "offset": len(content), "sizeInBytes": len(vector), "cardinality": 1}
                content += struct.pack(">I", len(vector)) + vector + struct.pack(">I", zlib.crc32(vector))
                actions.append({"remove": {"path": add["path"], "deletionTimestamp": 1, "dataChange": True}})
                actions.append({"add": {**add, "deletionVector": told}})
        self.server.request("PUT", f"/{BUCKET}/{table}/deletion_vector_{name}.bin", body=content)
        self.server.request("PUT", f"/{BUCKET}/{table}/_delta_log/{version:020}.json", body="\n".join(map(json.dumps, actions)).encode())

    def test_deletion_vectors_in_one_file_take_one_request_and_come_ahead(self):
        table = f"s3://{BUCKET}/vectors"
        for number in range(6):
            self.run_osdear("ingest", "-q", "--mode", "append", "-", table, stdin=b"id\n" + b"".join(b"%d\n" % (10 * number + i) for i in range(3)))
        self.delete_a_row_of_each("vectors", 7)  # after the creation and six appends
        seen, rows = self.requests("table", "read", "-f", "jsonl", table)
        self.assertEqual(sorted(json.loads(row)["id"] for row in rows.splitlines()), [10 * number + i for number in range(6) for i in (0, 2)])
        read = [line for line in seen if "part-" in line or ".bin" in line]
        self.assertEqual(len(read), 7)
        self.assertEqual(sum(".bin" in line for line in read), 1)
        self.proxy.arm("delay-response", 1, times=0)
        begin = time.monotonic()
        self.run_osdear("table", "read", "--threads", "1", table)
        took = time.monotonic() - begin
        self.proxy.off()
        self.assertLess(took, DELAY_S * 6, "the hint, the listing, the commits, and then all files side by side")

    def data_requests(self, *words):
        seen, rows = self.requests("table", "read", *words, self.big)
        return sum("part-" in line for line in seen), rows

    def file_size(self):
        listed = self.run_osdear("store", "ls", "--json", self.big).stdout.splitlines()
        return max(json.loads(line)["size_bytes"] for line in listed if b"part-" in line)

    def test_a_row_group_takes_a_request_for_the_footer_and_one_for_each_eight_mib(self):
        count, rows = self.data_requests()
        self.assertEqual(len(rows.splitlines()), BIG_ROWS)
        self.assertGreater(self.file_size(), 4 << 20)
        self.assertLessEqual(count, 2 + self.file_size() // (8 << 20))

    def test_one_column_takes_a_request_for_the_footer_and_one_for_itself(self):
        count, rows = self.data_requests("--columns", "b")
        self.assertEqual(len(rows.splitlines()), BIG_ROWS)
        self.assertEqual(count, 2)

    def test_a_row_takes_no_more_than_a_page_of_each_column(self):
        count, rows = self.data_requests("--where", f"a = {BIG_ROWS // 2}")
        self.assertEqual(len(rows.splitlines()), 1)
        self.assertLessEqual(count, 6)

    def test_what_does_not_fit_the_budget_comes_in_pieces(self):
        count, rows = self.data_requests("--memory", "8", "--threads", "1")
        self.assertEqual(len(rows.splitlines()), BIG_ROWS)
        self.assertGreater(count, 8)

    def test_an_object_that_is_replaced_between_two_requests_is_told_by_name(self):
        path = [line.split()[-1] for line in self.run_osdear("store", "ls", self.big).stdout.decode().splitlines() if "part-" in line][0]
        whole = self.server.request("GET", f"/{BUCKET}/big/{path}")[1]

        def swap(target):
            self.server.request("PUT", target, body=b"PAR1" + bytes(len(whole) - 8) + b"PAR1")

        for memory in ("256", "8"):
            self.proxy.swap, self.proxy.at = swap, 2
            try:
                result = self.run_osdear("table", "read", "--memory", memory, self.big, code=7)
            finally:
                self.proxy.swap = None
                self.server.request("PUT", f"/{BUCKET}/big/{path}", body=whole)
            self.assertIn(b"replaced while it was being read", result.stderr)
            self.assertIn(path.encode(), result.stderr)


if __name__ == "__main__":
    reason = s3_servers.missing()
    if reason:
        print(f"1..0 # SKIP {reason}")
    else:
        tap.main()
