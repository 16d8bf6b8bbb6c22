#!/usr/bin/env python3
"""Sets osdear beside curl, s5cmd, boto3 and deltalake on one MinIO, interleaved, and prints Markdown for docs/performance.md.

usage: run_s3.py OSDEAR OSDEAR_BENCH [--runs N] [--only WORD] [--mib N] [--files N] [--keys N] [--tls] [--folder F]

CPU is user and system time of the whole process; of boto3 and deltalake, which Python starts slowly, that of the operation alone. s5cmd is
looked for in PATH and in the cache's bench/bin (go install github.com/peak/s5cmd/v2@v2.3.0), boto3 in the Python that OSDEAR_BOTO_PYTHON
names; what is not there is left out. deltalake comes with the tests' environment, runners and rows with the folder `shared/bench`.
"""
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import s3_servers
from osdear_command import cache, shared
from s3_servers import KEY, SECRET, Server

BUCKET = "perf"
AT_ONCE = 16


class Bench:
    def __init__(self, given, server, folder):
        self.given, self.server, self.folder = given, server, folder
        self.osdear, self.program = map(os.path.abspath, (given.osdear, given.program))
        self.s5cmd = shutil.which("s5cmd", path=f"{os.environ['PATH']}:{cache() / 'bench/bin'}")
        self.boto = os.environ.get("OSDEAR_BOTO_PYTHON")
        self.environment = {**os.environ, **server.environment(), "AWS_DEFAULT_REGION": "us-east-1", "S3_ENDPOINT": server.endpoint,
                            "S3_ENDPOINT_URL": server.endpoint, "PYTHONPATH": "", "SSL_CERT_FILE": str(server.authority or ""), "OSDEAR_BENCH_THREADS": "2"}
        self.scripts = shared() / "bench" if shared() else None

    def prepare(self):
        """big.bin, small/, and as many keys below list/ as are to be listed."""
        (self.folder / "small").mkdir()
        block = os.urandom(1 << 20)
        with open(self.folder / "big.bin", "wb") as out:
            for _ in range(self.given.mib):
                out.write(block)
        for number in range(self.given.files):
            (self.folder / f"small/{number:05}.bin").write_bytes(block[:16384])
        (self.folder / "empty").mkdir()
        for number in range(self.given.keys):
            (self.folder / f"empty/part-{number:05}.parquet").touch()
        self.server.make_bucket(BUCKET)
        run = lambda *words: subprocess.run([self.osdear, "store", "cp", *words], env=self.environment, check=True)
        run("-r", str(self.folder / "empty"), f"s3://{BUCKET}/list")
        run(str(self.folder / "big.bin"), f"s3://{BUCKET}/boto_put.bin")
        run("-r", str(self.folder / "small"), f"s3://{BUCKET}/small")
        self.curl_lists()

    def curl_lists(self):
        """Configurations of curl that move all small files at once."""
        for name, line in {"up": 'upload-file = "{file}"\nurl = "{url}"\noutput = "/dev/null"\n', "down": 'url = "{url}"\noutput = "{back}"\ncreate-dirs\n'}.items():
            pieces = [line.format(file=self.folder / f"small/{number:05}.bin", url=f"{self.server.endpoint}/{BUCKET}/small/{number:05}.bin",
                                  back=f"BACK/{number:05}.bin") for number in range(self.given.files)]
            common = f'aws-sigv4 = "aws:amz:us-east-1:s3"\nuser = "{KEY}:{SECRET}"\nheader = "x-amz-content-sha256: UNSIGNED-PAYLOAD"\n'
            common += f'cacert = "{self.server.authority}"\n' if self.server.authority else ""  # `next` forgets what the command line said
            (self.folder / f"{name}.curl").write_text("next\n".join(common + piece for piece in pieces))

    def cases(self):
        """By operation: the command of each program."""
        back, big, uri = "BACK", str(self.folder / "big.bin"), f"s3://{BUCKET}"
        small = str(self.folder / "small")
        trust = ["--cacert", self.server.authority] if self.server.authority else []
        curl = ["curl", "-sS", "-f", *trust, "--aws-sigv4", "aws:amz:us-east-1:s3", "-u", f"{KEY}:{SECRET}", "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD"]
        many = ["curl", *trust, "-sS", "-f", "--parallel", "--parallel-max", str(AT_ONCE), "-K"]
        ours = [self.osdear, "store"]
        unsigned = ["-o", "aws_unsigned_payload=true"]
        cases = {
            f"{self.given.mib} MiB up": {
                "osdear": [*ours, "cp", big, f"{uri}/ours.bin"], "osdear, body not signed": [*ours, "cp", *unsigned, big, f"{uri}/ours.bin"],
                "curl, body not signed": [*curl, "-T", big, f"{self.server.endpoint}/{BUCKET}/curl.bin"]},
            f"{self.given.mib} MiB down, to nowhere": {
                "osdear": [*ours, "cat", f"{uri}/boto_put.bin"], "curl": [*curl, "-o", "/dev/null", f"{self.server.endpoint}/{BUCKET}/boto_put.bin"]},
            f"{self.given.files} files of 16 KiB up, {AT_ONCE} at once": {
                "osdear": [*ours, "cp", "-r", "--concurrency", AT_ONCE, small, f"{uri}/ours"], "curl, body not signed": [*many, self.folder / "up.curl"]},
            f"{self.given.files} files of 16 KiB down, {AT_ONCE} at once": {
                "osdear": [*ours, "cp", "-r", "--concurrency", AT_ONCE, f"{uri}/small", back], "curl": [*many, self.folder / "down.curl"]},
            f"{self.given.keys} keys listed": {"osdear": [*ours, "ls", "-r", f"{uri}/list"]},
        }
        self.add_s5cmd(cases, big, small, back, uri)
        self.add_python(cases)
        self.add_tables(cases, uri)
        return {name: programs for name, programs in cases.items() if self.given.only in name}

    def add_s5cmd(self, cases, big, small, back, uri):
        if not self.s5cmd:
            return
        base = [self.s5cmd, *(["--no-verify-ssl"] if self.server.tls else []), "--log", "error", "--numworkers", str(AT_ONCE)]
        words = [["cp", big, f"{uri}/s5.bin"], ["cat", f"{uri}/boto_put.bin"], ["cp", f"{small}/", f"{uri}/s5/"], ["cp", f"{uri}/small/*", f"{back}/"],
                 ["ls", f"{uri}/list/*"]]
        for programs, more in zip(cases.values(), words):
            programs["s5cmd"] = [*base, *more]

    def add_python(self, cases):
        if not self.boto or not self.scripts:
            return
        modes = [["boto_put"], ["boto_get1"], ["boto_smallput", "8"], ["boto_smallget", "8"], ["boto_list"]]
        for programs, (mode, *more) in zip(list(cases.values()), modes):
            programs["boto3"] = [self.boto, self.scripts / "w6_s3.py", mode, self.folder, *more]

    def add_tables(self, cases, uri):
        items = cache() / "bench/lineitem-6000000"
        if not self.scripts or not items.is_dir():
            return
        python = cache() / "venv/bin/python"
        arrow, parquet, table = items / "lineitem_1m.arrow", items / "lineitem_1m.parquet", f"{uri}/tables"
        cases["append of 1 million rows"] = {"osdear": [self.program, "append", f"{table}/ours-NEW", parquet],
                                             "deltalake": [python, self.scripts / "w3_write.py", "append", arrow, f"{table}/theirs-NEW"]}
        cases["scan of 1 million rows, 17 columns"] = {"osdear": [self.program, "scan", f"{table}/scanned"],
                                                       "deltalake": [python, self.scripts / "w2_scan.py", "qb", f"{table}/scanned", "full", "2"]}
        cases["30 commits of one row"] = {"osdear": [self.program, "small", f"{table}/small-NEW", "30"],
                                          "deltalake": [python, self.scripts / "w3_write.py", "small", arrow, f"{table}/their-small-NEW", "30"]}
        cases["state of a table of 100 commits"] = {"osdear": [self.program, "list", f"{table}/hundred"],
                                                    "deltalake": [python, self.scripts / "w1_list.py", "deltalake", f"{table}/hundred"]}
        for words in ([self.program, "append", f"{table}/scanned", parquet], [self.program, "small", f"{table}/hundred", "100"]):
            if self.given.only in "scan of 1 million rows, state of a table of 100 commits":
                subprocess.run(list(map(str, words)), env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def measure(self, words, run):
        """CPU and wall seconds."""
        fresh = Path(tempfile.mkdtemp(dir=self.folder))  # a file system is slow where many files were just deleted
        words = [str(word).replace("NEW", f"{run}-{time.monotonic_ns()}").replace("BACK", str(fresh)) for word in words]
        if words[-1].endswith(".curl"):
            (fresh / "curl").write_text(Path(words[-1]).read_text().replace("BACK", str(fresh)))
            words[-1] = str(fresh / "curl")
        begin = time.monotonic()
        with open(fresh / "out", "w+b") as out:
            child = subprocess.Popen(words, env=self.environment, stdout=subprocess.DEVNULL if self.is_native(words) else out, stderr=subprocess.PIPE)
            errors = child.stderr.read()
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            wall = time.monotonic() - begin
            out.seek(0)
            told = re.search(rb"^OP ([\d.]+) ([\d.]+)", out.read(), re.M)
        if child.returncode:
            sys.exit(f"{' '.join(words)}: {errors.decode()[-2000:]}")
        if told:
            return float(told.group(2)), float(told.group(1))
        return usage.ru_utime + usage.ru_stime, wall

    def is_native(self, words):
        return words[0] in (self.osdear, self.s5cmd, "curl")

    def run(self):
        cases = self.cases()
        found = {}
        for run in range(self.given.runs):
            for name, programs in cases.items():
                for program, words in programs.items():
                    found.setdefault((name, program), []).append(self.measure(words, run))
        print("| what | program | CPU | wall |\n|---|---|---|---|")
        for (name, program), measures in found.items():
            cpu, wall = map(statistics.median, zip(*measures))
            print(f"| {name} | {program} | {cpu:.2f} s | {wall:.2f} s |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("osdear")
    parser.add_argument("program")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--keys", type=int, default=10_000)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--folder", default="/dev/shm", help="for the files: one in memory, so that disks have no part in it")
    given = parser.parse_args()
    reason = s3_servers.missing()
    if reason:
        sys.exit(f"run_s3.py: {reason}")
    with tempfile.TemporaryDirectory(dir=given.folder) as folder, Server("minio", tls=given.tls) as server:
        bench = Bench(given, server, Path(folder))
        bench.prepare()
        bench.run()


if __name__ == "__main__":
    main()
