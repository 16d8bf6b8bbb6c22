"""Tables from Python: open, create, read, write, refuse."""

import _thread
import datetime
import decimal
import json
import operator
import os
import signal
import subprocess
import sys
import threading
import time

import pyarrow as pa
import pytest

import osdear


@pytest.fixture
def table(tmp_path):
    made = osdear.Table.create(str(tmp_path / "t"), "id BIGINT NOT NULL, name STRING, day DATE", partition_by=["day"])
    made.append([{"id": 1, "name": "a", "day": "2024-01-01"}, {"id": 2, "name": None, "day": "2024-01-02"}])
    return made


def ids(table, **options):
    return sorted(row["id"] for row in table.scan(**options).to_pylist())


def test_a_new_table_says_what_it_is(table):
    assert table.version == 1
    assert table.schema.types == {"id": "long", "name": "string", "day": "date"}
    assert table.metadata.partition_columns == ("day",)
    assert table.protocol.min_reader_version == 1
    assert table.metadata.created.year >= 2024
    assert [commit["operation"] for commit in table.history()] == ["WRITE", "CREATE TABLE"]
    assert table.history(limit=1)[0]["version"] == 1


def test_domain_metadata_is_told(table, tmp_path):
    assert table.domains == {}
    domain = {"domain": "app.é", "configuration": '{"k":1}', "removed": False}
    gone = {"domain": "gone", "configuration": "", "removed": True}
    commit = tmp_path / "t" / "_delta_log" / "00000000000000000002.json"
    commit.write_text("".join(json.dumps({"domainMetadata": each}) + "\n" for each in (domain, gone)), encoding="utf-8")
    assert osdear.Table.open(table.uri).domains == {"app.é": '{"k":1}'}


def test_a_scan_selects_columns_and_rows(table):
    assert table.scan(columns=["name"], where="id = 1").to_pylist() == [{"name": "a"}]
    assert table.scan(limit=1).schema.names == ["id", "name", "day"]
    scan = table.scan(where="day = DATE '2024-01-02'")
    assert [row["id"] for row in scan.to_pylist()] == [2]
    assert scan.metrics["files_skipped"] == 1


def test_every_version_stays_readable(table):
    before = time.time()
    time.sleep(0.05)
    table.append([{"id": 3, "name": "c", "day": None}])
    assert ids(table) == [1, 2, 3]
    assert ids(osdear.Table.open(table.uri, version=1)) == [1, 2]
    moment = datetime.datetime.fromtimestamp(before, datetime.timezone.utc)
    assert osdear.Table.open(table.uri, timestamp=moment).version == 1
    with pytest.raises(osdear.StateError):
        osdear.Table.open(table.uri, version=1).append([{"id": 4, "name": None, "day": None}])


def test_overwrite_replaces_what_was_asked(table):
    table.overwrite([{"id": 7, "name": "x", "day": "2024-01-01"}], where="day = DATE '2024-01-01'")
    assert ids(table) == [2, 7]
    table.overwrite([{"id": 8, "name": "x", "day": "2024-01-02"}], dynamic_partitions=True)
    assert ids(table) == [7, 8]
    table.overwrite([{"id": 9, "name": "x", "day": None}])
    assert ids(table) == [9]


def test_a_named_write_is_done_once(table):
    rows = [{"id": 3, "name": "c", "day": None}]
    assert not table.append(rows, app_id="job", app_version=5).was_done
    assert table.append(rows, app_id="job", app_version=5).was_done
    assert table.append(rows, app_id="job", app_version=4).was_done
    assert ids(table) == [1, 2, 3]


def test_errors_are_typed_and_say_what_came(table, tmp_path):
    with pytest.raises(osdear.NotFoundError, match="nothing"):
        osdear.Table.open(str(tmp_path / "nothing"))
    with pytest.raises(osdear.ExistsError):
        osdear.Table.create(table.uri, "id BIGINT")
    with pytest.raises(osdear.ArgumentError, match="nope"):
        table.scan(columns=["nope"])
    with pytest.raises(osdear.ArgumentError):
        table.scan(where="id =")
    with pytest.raises(osdear.DataError):
        table.append([{"id": None, "name": "x", "day": None}])
    with pytest.raises(osdear.ArgumentError):
        table.append(7)
    assert issubclass(osdear.NotFoundError, osdear.Error)
    assert ids(table) == [1, 2]


def test_an_error_carries_its_status(tmp_path):
    with pytest.raises(osdear.Error) as caught:
        osdear.Table.open(str(tmp_path / "nothing"))
    assert caught.value.status == "not_found"
    assert not caught.value.retryable


def test_a_closed_table_says_so(table):
    with table:
        scan = table.scan()
    assert len(scan.to_pylist()) == 2
    with pytest.raises(osdear.StateError, match="closed"):
        table.scan()


def test_dicts_may_hold_every_type(tmp_path):
    made = osdear.Table.create(
        str(tmp_path / "t"),
        "b BINARY, d DECIMAL(10,2), t TIMESTAMP, s STRUCT<x: INT, l: ARRAY<DOUBLE>>, m MAP<STRING, INT>",
    )
    zone = datetime.timezone(datetime.timedelta(hours=2))
    made.append(
        [
            {
                "b": b"\x00\xff",
                "d": decimal.Decimal("12.30"),
                "t": datetime.datetime(2024, 1, 1, 2, tzinfo=zone),
                "s": {"x": 1, "l": [1.5, None]},
                "m": {"k": 1},
            },
            {},
        ]
    )
    rows = made.scan().to_pylist()
    assert {
        "b": "00ff",
        "d": "12.30",
        "t": "2024-01-01T00:00:00.000000Z",
        "s": {"x": 1, "l": [1.5, None]},
        "m": [["k", 1]],
    } in rows
    assert {"b": None, "d": None, "t": None, "s": None, "m": None} in rows


def test_many_threads_may_append_through_tables_of_their_own(tmp_path):
    uri = str(tmp_path / "t")
    osdear.Table.create(uri, "id BIGINT")

    def run(start):
        own = osdear.Table.open(uri)
        for i in range(10):
            own.append([{"id": start + i}])

    threads = [threading.Thread(target=run, args=(100 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    newest = osdear.Table.open(uri)
    assert newest.version == 40
    assert ids(newest) == sorted(100 * n + i for n in range(4) for i in range(10))


def test_ctrl_c_ends_a_long_call(tmp_path):
    script = (
        "import osdear, sys\n"
        f"t = osdear.Table.create({str(tmp_path / 't')!r}, 'id BIGINT')\n"
        "class Endless:\n"
        "    def __arrow_c_stream__(self, requested_schema=None):\n"
        "        import pyarrow as pa\n"
        "        batch = pa.record_batch({'id': pa.array(range(1000))})\n"
        "        def batches():\n"
        "            while True:\n"
        "                yield batch\n"
        "        return pa.RecordBatchReader.from_batches(batch.schema, batches()).__arrow_c_stream__()\n"
        "print('ready', flush=True)\n"
        "try:\n"
        "    t.append(Endless())\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', osdear.Table.open(t.uri).version)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout.readline() == "ready\n"
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert out == "interrupted 0\n"


def test_ctrl_c_ends_what_another_library_reads(tmp_path):
    table = osdear.Table.create(str(tmp_path / "t"), "s STRING")
    table.append(pa.table({"s": ["x" * 100] * 200_000}))
    log = tmp_path / "t" / "_delta_log"
    add = next(line for line in (log / f"{1:020}.json").read_text().splitlines() if line.startswith('{"add"'))
    name = json.loads(add)["add"]["path"]
    copies = [f"copy-{i}.parquet" for i in range(1000)]
    for copy in copies:
        os.link(tmp_path / "t" / name, tmp_path / "t" / copy)
    (log / f"{2:020}.json").write_text("\n".join(add.replace(name, copy) for copy in copies))
    script = (
        "import osdear, pyarrow, sys\n"
        f"scan = osdear.Table.open({table.uri!r}).scan(where=\"s LIKE '%y%'\")\n"
        "print('ready', flush=True)\n"
        "try:\n"
        "    with osdear.interruptible():\n"
        "        pyarrow.table(scan)\n"
        "except KeyboardInterrupt:\n"
        f"    print('interrupted', scan.metrics['files'] < 1001, len(osdear.Table.open({table.uri!r}).scan(limit=3).to_pylist()))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60) == ("interrupted True 3\n", "")


def test_an_interrupt_that_waits_while_a_capsule_is_dropped_is_not_lost(tmp_path, capfd):
    table = osdear.Table.create(str(tmp_path / "t"), "id BIGINT")
    capsules = [table.scan().__arrow_c_stream__()]
    with pytest.raises(KeyboardInterrupt):
        # Both are called from C, as another library would: nothing looks for signals in between.
        list(map(operator.methodcaller("__call__"), [_thread.interrupt_main, capsules.clear]))
        assert not capsules
    assert "ignored" not in capfd.readouterr().err
    assert pa.table(table.scan()).num_rows == 0


def test_changes_tell_what_commits_did_to_rows(tmp_path):
    made = osdear.Table.create(str(tmp_path / "t"), "id BIGINT", properties={"delta.enableChangeDataFeed": "true"})
    made.append([{"id": 1}])
    made.overwrite([{"id": 2}])
    changes = made.changes(0)
    assert [field.name for field in pa.schema(changes)] == ["id", "_change_type", "_commit_version", "_commit_timestamp"]
    rows = [(row["id"], row["_change_type"], row["_commit_version"]) for row in changes.to_pylist()]
    assert sorted(rows) == [(1, "delete", 2), (1, "insert", 1), (2, "insert", 2)]
    assert pa.table(made.changes(2, where="_change_type = 'insert'", columns=["id"])).column_names[0] == "id"
    with pytest.raises(osdear.NotFoundError):
        made.changes(0, 9).to_pylist()


def test_changes_of_a_table_that_keeps_none_are_refused(table):
    with pytest.raises(osdear.UnsupportedError, match="enableChangeDataFeed"):
        table.changes(0).to_pylist()


def test_row_ids_of_a_table_that_gives_none_are_refused(table):
    with pytest.raises(osdear.Error, match="(?i)row"):
        table.scan(row_ids=True).to_pylist()
