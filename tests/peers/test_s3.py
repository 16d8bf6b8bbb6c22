"""Tables at real S3 servers: our writers beside deltalake's, each row once, and both read what the other wrote."""
from __future__ import annotations

import io
import os
import subprocess
import sys

import deltalake
import osdear
import pyarrow
import pytest
import s3_servers
from s3_servers import BUCKET, Server

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
        assert store.delete_tree("").files == 2 and store.list(recursive=True) == []
        with pytest.raises(ZeroDivisionError):
            store.write("never", (bytes(1 // 0) for _ in range(1)))
