"""Logs made by hand: Spark says what they mean. Where it reads on and this library refuses, the test says so, and docs/internals/log-replay.md why."""
from __future__ import annotations

import odd_logs
import osdear
import pyarrow as pa
import pytest
from canonical import lines


def ours(folder):
    return sorted(lines(pa.table(osdear.Table.open(str(folder)).scan())))


def test_odd_logs_mean_what_they_mean_to_spark(spark, tmp_path):
    different = {}
    for name in odd_logs.make_all(tmp_path):
        wanted = sorted(spark.ask(tmp_path / name)["rows"])
        try:
            got = ours(tmp_path / name)
        except (osdear.Error, OSError) as error:
            got = str(error)
        if got != wanted:
            different[name] = (got, wanted)
    assert not different


@pytest.mark.parametrize("name", odd_logs.LEAVES)
def test_a_path_that_leaves_the_table_is_refused(tmp_path, name):
    maker = odd_logs.Maker(tmp_path)
    maker.data("outside", "f.parquet", 1)
    maker.with_files("table", odd_logs.LEAVES[name])
    with pytest.raises(osdear.CorruptError, match="climbs out"):
        ours(tmp_path / "table")


@pytest.mark.parametrize("kind", odd_logs.LOST)
def test_a_partition_value_that_spark_would_lose_is_refused(tmp_path, kind):
    odd_logs.Maker(tmp_path).partitioned("table", kind, [odd_logs.LOST[kind]])
    with pytest.raises(OSError, match="partition value"):
        ours(tmp_path / "table")


@pytest.mark.parametrize("line", ['{"add":null,"txn":{"appId":"a","version":1},"remove":{"path":"f.parquet","dataChange":true}}',
                                  '{"txn":{"appId":"a","version":1,"lastUpdated":2,"lastUpdated":null}}'])
def test_what_could_mean_two_things_is_refused(tmp_path, line):
    odd_logs.Maker(tmp_path).one_file("table", odd_logs.PROTOCOL, odd_logs.metadata(), line)
    with pytest.raises(osdear.CorruptError, match="two actions in one line|twice"):
        ours(tmp_path / "table")


def test_the_version_that_writers_need_is_nothing_to_a_reader(tmp_path):
    odd_logs.Maker(tmp_path).one_file("table", {"protocol": {"minReaderVersion": 1, "minWriterVersion": 99}}, odd_logs.metadata())
    assert ours(tmp_path / "table") == ['{"id":1}']
