"""The other engines, and the tables they are to read: written once, by us."""
from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
from pathlib import Path

import numbers_between as numbers
import osdear
import pyarrow.parquet as pq
import pytest
import tables
from osdear_command import cache, shared

START_SECONDS = 300
ANSWER_SECONDS = 300


class Spark:
    """Spark with Delta, kept running: one question a line, one answer a line."""

    def __init__(self, python, script, jars):
        self.log = tempfile.NamedTemporaryFile("w+", prefix="osdear-spark-", suffix=".log")
        environment = {**os.environ, "OSDEAR_SPARK_JARS": str(jars), "SPARK_LOCAL_IP": "127.0.0.1"}
        environment.pop("PYTHONPATH", None)
        environment.pop("OSDEAR_SITE", None)
        self.process = subprocess.Popen([python, script, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log, env=environment, cwd=tempfile.gettempdir())
        self.pending = b""
        self.answer(START_SECONDS)

    def answer(self, seconds):
        while b"\n" not in self.pending:
            ready, _, _ = select.select([self.process.stdout], [], [], seconds)
            piece = os.read(self.process.stdout.fileno(), 1 << 20) if ready else b""
            if not piece:
                raise AssertionError("Spark does not answer:\n" + Path(self.log.name).read_text()[-4000:])
            self.pending += piece
        line, _, self.pending = self.pending.partition(b"\n")
        return json.loads(line)

    def ask(self, table, **request):
        self.process.stdin.write((json.dumps({"table": str(table), **request}) + "\n").encode())
        self.process.stdin.flush()
        answer = self.answer(ANSWER_SECONDS)
        assert "error" not in answer, answer["error"]
        return answer

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()


@pytest.fixture(scope="session")
def spark():
    if not shared():
        pytest.skip("no folder `shared` beside the checkout, and OSDEAR_SHARED names none")
    python = cache() / "spark/bin/python"
    if not python.exists():
        pytest.skip("Spark is not installed: run tests/support/prepare.sh spark")
    session = Spark(python, shared() / "peers/spark/check_table.py", cache() / "spark-jars")
    yield session
    session.close()


@pytest.fixture(scope="session")
def spark_files(tmp_path_factory):
    """A folder with what spark_files.py made, and what Spark reads of its calendars."""
    python = cache() / "spark/bin/python"
    if not shared() or not python.exists():
        pytest.skip("Spark is not installed, or there is no folder `shared`: run tests/support/prepare.sh spark")
    folder = tmp_path_factory.mktemp("spark-files")
    pq.write_table(numbers.columns(), folder / "plain.parquet")
    environment = {**os.environ, "OSDEAR_SPARK_JARS": str(cache() / "spark-jars"), "SPARK_LOCAL_IP": "127.0.0.1",
                   "OSDEAR_SPARK_HELPERS": str(shared() / "peers/spark")}
    environment.pop("PYTHONPATH", None)
    result = subprocess.run([python, Path(__file__).with_name("spark_files.py"), folder], capture_output=True, check=False,
                            env=environment, cwd=folder, timeout=START_SECONDS + ANSWER_SECONDS)
    assert result.returncode == 0, result.stderr.decode()[-4000:]
    return folder, json.loads(result.stdout.decode().splitlines()[-1])


@pytest.fixture(scope="session", params=[make.__name__ for make in tables.ALL])
def ours(request, tmp_path_factory):
    """A table we wrote: its folder, and the rows it should have as a pyarrow table, sorted by id."""
    make = next(make for make in tables.ALL if make.__name__ == request.param)
    folder = tmp_path_factory.mktemp(request.param) / "table"
    rows = make(osdear, str(folder))
    return folder, rows.sort_by("id")
