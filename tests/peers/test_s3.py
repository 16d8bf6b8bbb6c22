"""Tables at real S3 servers: our writers beside deltalake's, each row once, and both read what the other wrote."""
from __future__ import annotations

import datetime
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import deltalake
import osdear
import pyarrow
import pytest
import s3_servers
from lake_sample import AIRLINES, FLIGHTS
from osdear_command import cache, shared
from s3_servers import BUCKET, Server

BUILD = Path(os.environ["OSDEAR_BUILD"])
WRITERS = 8
APPENDS = int(os.environ.get("OSDEAR_S3_APPENDS", "6"))  # by hand: 100

APPEND_OURS = """
import sys, osdear
table = osdear.Table.open(sys.argv[1])
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    table.append([{"id": number}])
"""

APPEND_THEIRS = """
import os, sys, deltalake, pyarrow
options = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    row = pyarrow.table({"id": pyarrow.array([number], pyarrow.int64())})
    while True:
        try:
            deltalake.write_deltalake(sys.argv[1], row, mode="append", storage_options={**options, "conditional_put": "etag"})
            break
        except deltalake.exceptions.CommitFailedError:
            pass
"""


@pytest.fixture(params=["minio", "versitygw"], scope="module")
def server(request):
    reason = s3_servers.missing()
    if reason:
        pytest.skip(reason)
    with Server(request.param) as running:
        yield running


def test_writers_of_both_kinds_append_side_by_side_and_each_row_is_there_once(server):
    uri = f"s3://{BUCKET}/race"
    osdear.Table.create(uri, "id BIGINT", storage_options=server.options())
    environment = {**os.environ, **server.environment()}
    writers = [
        subprocess.Popen([sys.executable, "-c", APPEND_THEIRS if number == 0 else APPEND_OURS, uri, str(number * APPENDS), str((number + 1) * APPENDS)],
                         env=environment)
        for number in range(WRITERS)
    ]
    assert [writer.wait(600) for writer in writers] == [0] * WRITERS
    table = osdear.Table.open(uri, storage_options=server.options())
    assert table.version == WRITERS * APPENDS
    assert sorted(pyarrow.table(table.scan())["id"].to_pylist()) == list(range(WRITERS * APPENDS))
    theirs = deltalake.DeltaTable(uri, storage_options=server.options())
    assert theirs.version() == table.version
    assert sorted(theirs.to_pyarrow_table()["id"].to_pylist()) == list(range(WRITERS * APPENDS))


def test_flights_go_from_bronze_to_gold_at_s3_and_deltalake_reads_them(server, tmp_path):
    """The quickstart's programs and verbs, with other addresses and nothing else changed."""
    lake = f"s3://{BUCKET}/flights"

    def run(program, *words):
        return subprocess.run([BUILD / program, *words], cwd=tmp_path, env={**os.environ, **server.environment()}, check=True, capture_output=True,
                              text=True).stdout

    def theirs(name):
        return deltalake.DeltaTable(f"{lake}/{name}", storage_options=server.options()).to_pyarrow_table()

    for name, text in {"flights": FLIGHTS, "airlines": AIRLINES}.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
        for _ in range(2):  # the second time finds the first
            run("src/cli/osdear", "ingest", "--app-id", f"test-{name}", "--app-version", "1", f"{name}.csv", f"{lake}/bronze/{name}")
    assert "4 flights in 2 files" in run("examples/example-flights_silver", f"{lake}/bronze/flights", f"{lake}/silver/flights")
    assert "already" in run("examples/example-flights_silver", f"{lake}/bronze/flights", f"{lake}/silver/flights")
    run("examples/example-flights_gold", f"{lake}/silver/flights", f"{lake}/bronze/airlines", f"{lake}/gold/delays")
    assert "<svg" in run("examples/example-delays_svg", f"{lake}/gold/delays")
    assert theirs("bronze/flights").num_rows == 5
    assert sorted(theirs("silver/flights")["month"].to_pylist()) == [1, 1, 2, 2]
    gold = theirs("gold/delays").select(["airline", "hour", "flights", "mean_delay"]).to_pylist()
    assert sorted(tuple(row.values()) for row in gold) == [("American Airlines Inc.", 17, 2, 27.0), ("United Air Lines Inc.", 5, 2, 3.0)]
    for verb in ("show", "schema", "history", "files", "checkpoint"):
        run("src/cli/osdear", "table", verb, f"{lake}/silver/flights")
    assert theirs("silver/flights").num_rows == 4


SPARK_READS = """
import glob, json, os, sys
sys.path.insert(0, sys.argv[1])
import osdear_spark
session = osdear_spark.session(jars=sorted(glob.glob(sys.argv[2] + "/*.jar") + glob.glob(sys.argv[3] + "/*.jar")), extra={
    "spark.hadoop.fs.s3a." + name: value for name, value in {
        "endpoint": os.environ["AWS_ENDPOINT_URL"], "endpoint.region": "us-east-1", "access.key": os.environ["AWS_ACCESS_KEY_ID"],
        "secret.key": os.environ["AWS_SECRET_ACCESS_KEY"], "path.style.access": "true", "connection.ssl.enabled": "false"}.items()})
print("ROWS", json.dumps([[row[0], str(row[1]), row[2]] for row in session.read.format("delta").load(sys.argv[4]).orderBy("id").collect()]), flush=True)
session.stop()
"""


# 700 MB of jars, so by hand: a folder with hadoop-aws 3.5.0, the AWS SDK's bundle 2.35.4 and analyticsaccelerator-s3 1.3.1.
SPARK_JARS = os.environ.get("OSDEAR_S3_SPARK")

if SPARK_JARS:
    def test_spark_reads_by_s3a_what_we_wrote():
        with Server("minio") as server:
            uri = f"{BUCKET}/spark table"
            osdear.Table.create(f"s3://{uri}", "id BIGINT, day DATE, name STRING", partition_by=["day"], storage_options=server.options())
            table = osdear.Table.open(f"s3://{uri}", storage_options=server.options())
            for number in range(12):  # one of the commits writes a checkpoint
                table.append([{"id": number, "day": "2024-01-0%d" % (1 + number % 3), "name": None if number == 5 else f"n{number}"}])
            words = [cache() / "spark/bin/python", "-c", SPARK_READS, shared() / "peers/spark", cache() / "spark-jars", SPARK_JARS, f"s3a://{uri}"]
            environment = {**os.environ, **server.environment()}
            environment.pop("PYTHONPATH", None)
            result = subprocess.run(list(map(str, words)), env=environment, capture_output=True, text=True, check=False, timeout=600)
            rows = [line for line in result.stdout.splitlines() if line.startswith("ROWS ")]
            assert rows, result.stderr[-4000:]
            assert json.loads(rows[0][5:]) == [[number, f"2024-01-0{1 + number % 3}", None if number == 5 else f"n{number}"] for number in range(12)]


def test_files_go_there_and_back(server, tmp_path):
    with osdear.Store.open(f"s3://{BUCKET}/files", server.options()) as store:
        store.write("a/one", b"first")
        with pytest.raises(osdear.ExistsError):
            store.write("a/one", b"second", if_absent=True)
        store.write("big", iter([b"x" * 7_000_000] * 3))
        assert store.stat("big").size == 21_000_000
        assert store.read("a/one") == b"first" and store.read("big", 20_999_998, 10) == b"xx"
        assert [file.path for file in store.list()] == ["a/", "big"]
        back = io.BytesIO()
        store.download("a/one", back)
        assert back.getvalue() == b"first"
        with osdear.Store.open(str(tmp_path)) as here:
            assert store.copy_tree(here) == osdear.TreeResult(2, 21_000_005)
        assert (tmp_path / "a/one").read_bytes() == b"first"
        with pytest.raises(osdear.NotFoundError) as missing:
            store.read("nothing")
        assert missing.value.code == "NoSuchKey" and missing.value.http_status == 404 and missing.value.request_id
        server.request("POST", f"/{BUCKET}/files/half", query=[("uploads", "")])
        assert [file.path for file in store.uploads()] == ["half"]
        assert store.delete_uploads() == 0 and store.delete_uploads(older_than=datetime.timedelta(0)) == 1 and store.uploads() == []
        assert store.delete_tree("").files == 2 and store.list(recursive=True) == []
        with pytest.raises(ZeroDivisionError):
            store.write("never", (bytes(1 // 0) for _ in range(1)))
