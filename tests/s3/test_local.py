#!/usr/bin/env python3
"""Who only has local tables pays nothing for S3: its libraries are not even opened, and there is no time or memory in it.

usage: test_local.py OSDEAR SOURCE_FOLDER
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

COMMAND, ROOT = os.path.abspath(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(ROOT / "tests/support"))
import tap

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}
REMOTE = {"libcurl", "libcrypto", "libssl", "libexpat", "libgssapi_krb5", "libldap-2"}


class Libraries(unittest.TestCase):
    """The dynamic linker tells which libraries it opens."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "in.csv").write_text("id,name\n1,Ada\n", encoding="utf-8")

    def opened(self, *words, code=0):
        trace = self.folder / "trace"
        known = {**{name: value for name, value in os.environ.items() if not name.startswith("AWS_")}, **KEYS, "LD_DEBUG": "files",
                 "LD_DEBUG_OUTPUT": str(trace), "HOME": "/nonexistent"}
        result = subprocess.run([COMMAND, *words], cwd=self.folder, env=known, capture_output=True, check=False, timeout=120)
        self.assertEqual(result.returncode, code, result.stderr.decode())
        text = "".join(path.read_text(errors="replace") for path in self.folder.glob("trace.*"))
        for path in self.folder.glob("trace.*"):
            path.unlink()
        names = {re.match(r"(.*?)\.so", path.rpartition("/")[2]).group(1) for path in re.findall(r"file=(\S+\.so\S*) ", text)}
        self.assertIn("libc", names)
        return names & REMOTE

    def test_local_tables_open_none_of_what_s3_needs(self):
        for words in (["ingest", "in.csv", "t"], ["table", "append", "t", "in.csv"], ["table", "read", "t"], ["table", "history", "t"],
                      ["table", "checkpoint", "t"], ["store", "cp", "-r", "t", "copy"], ["store", "ls", "-r", "copy"], ["--version"]):
            self.assertEqual(self.opened(*words), set(), words)

    def test_a_signature_opens_openssl_and_not_curl(self):
        self.assertEqual(self.opened("store", "presign", "s3://lake/a"), {"libcrypto"})

    def test_a_request_opens_curl(self):
        self.assertIn("libcurl", self.opened("store", "cat", "s3://lake/a", code=1))


if __name__ == "__main__":
    tap.main()
