"""Rows to and from pyarrow, polars, pandas and DuckDB, and tables that deltalake reads and writes."""

import datetime
import decimal

import deltalake
import duckdb
import pandas
import polars
import pyarrow
import pytest

import osdear

UTC = datetime.timezone.utc


@pytest.fixture
def everything():
    """Every type that Delta has and Arrow can name, with nulls."""
    moment = datetime.datetime(2024, 2, 29, 12, 30, 1, 123456)
    return pyarrow.table(
        {
            "bool": pyarrow.array([True, None, False]),
            "i8": pyarrow.array([-128, None, 127], pyarrow.int8()),
            "i16": pyarrow.array([-32768, None, 32767], pyarrow.int16()),
            "i32": pyarrow.array([-(2**31), None, 2**31 - 1], pyarrow.int32()),
            "i64": pyarrow.array([-(2**63), None, 2**63 - 1], pyarrow.int64()),
            "f32": pyarrow.array([1.5, None, float("inf")], pyarrow.float32()),
            "f64": pyarrow.array([-0.0, None, 1e300], pyarrow.float64()),
            "dec9": pyarrow.array([decimal.Decimal("1.23"), None, decimal.Decimal("-9999999.99")], pyarrow.decimal128(9, 2)),
            "dec38": pyarrow.array([decimal.Decimal(10**37), None, decimal.Decimal(-1)], pyarrow.decimal128(38, 0)),
            "text": pyarrow.array(["", None, "漢字 é"]),
            "bytes": pyarrow.array([b"", None, b"\x00\xff"]),
            "date": pyarrow.array([datetime.date(1, 1, 1), None, datetime.date(9999, 12, 31)]),
            "ts": pyarrow.array([moment, None, datetime.datetime(1969, 1, 1)], pyarrow.timestamp("us", "UTC")),
            "ntz": pyarrow.array([moment, None, datetime.datetime(1969, 1, 1)], pyarrow.timestamp("us")),
            "list": pyarrow.array([[1, None], None, []], pyarrow.list_(pyarrow.int32())),
            "map": pyarrow.array([[("k", 1)], None, []], pyarrow.map_(pyarrow.string(), pyarrow.int64())),
            "struct": pyarrow.array([{"a": 1, "b": [{"c": "x"}]}, None, {"a": None, "b": None}]),
        }
    )


def write(tmp_path, data, **options):
    table = osdear.Table.create(str(tmp_path / "t"), data.schema, **options)
    table.append(data)
    return table


def test_pyarrow_round_trip(tmp_path, everything):
    table = write(tmp_path, everything)
    assert pyarrow.table(table.scan()).to_pylist() == everything.to_pylist()
    assert pyarrow.schema(table.schema).names == everything.schema.names


def test_deltalake_reads_what_was_written(tmp_path, everything):
    write(tmp_path, everything)
    theirs = pyarrow.table(deltalake.DeltaTable(str(tmp_path / "t")).to_pyarrow_table())
    assert theirs.select(everything.column_names).to_pylist() == everything.to_pylist()


def test_what_deltalake_wrote_is_read(tmp_path, everything):
    deltalake.write_deltalake(str(tmp_path / "t"), everything)
    ours = pyarrow.table(osdear.Table.open(str(tmp_path / "t")).scan())
    assert ours.to_pylist() == everything.to_pylist()


def test_both_may_write_to_one_table(tmp_path):
    rows = pyarrow.table({"id": pyarrow.array([1, 2], pyarrow.int64())})
    deltalake.write_deltalake(str(tmp_path / "t"), rows)
    table = osdear.Table.open(str(tmp_path / "t"))
    for _ in range(12):
        table.append(rows)
    deltalake.write_deltalake(str(tmp_path / "t"), rows, mode="append")
    table.refresh()
    assert pyarrow.table(table.scan()).num_rows == 28
    assert deltalake.DeltaTable(str(tmp_path / "t")).to_pyarrow_table().num_rows == 28


def test_polars_round_trip(tmp_path):
    frame = polars.DataFrame({"id": [1, 2, None], "name": ["a", None, "a long string that is no inlined view"]})
    table = osdear.Table.create(str(tmp_path / "t"), "id BIGINT, name STRING")
    table.append(frame)
    assert polars.DataFrame(table.scan()).equals(frame)
    assert polars.from_arrow(table.scan()).struct.unnest().equals(frame)


def test_pandas_round_trip(tmp_path):
    frame = pandas.DataFrame({"id": [1, 2], "name": ["a", "b"]})
    table = osdear.Table.create(str(tmp_path / "t"), "id BIGINT, name STRING")
    table.append(frame)
    assert table.scan().to_pandas().to_dict("list") == frame.to_dict("list")


def test_duckdb_round_trip(tmp_path):
    table = osdear.Table.create(str(tmp_path / "t"), "n BIGINT, s STRING")
    table.append(duckdb.sql("select range as n, 'v' || range as s from range(100000)").to_arrow_table())
    rows = duckdb.from_arrow(table.scan(where="n % 2 = 0"))
    assert rows.aggregate("count(*), sum(n), min(s)").fetchall() == [(50000, 2499950000, "v0")]


def test_dictionaries_and_record_batches_come_in(tmp_path):
    batch = pyarrow.record_batch({"s": pyarrow.array(["x", "y", "x"]).dictionary_encode()})
    table = osdear.Table.create(str(tmp_path / "t"), "s STRING")
    table.append(batch)
    assert pyarrow.table(table.scan())["s"].to_pylist() == ["x", "y", "x"]


def test_a_stream_is_consumed_once(tmp_path):
    table = osdear.Table.create(str(tmp_path / "t"), "id BIGINT")
    table.append([{"id": 1}])
    files = table.files()
    assert pyarrow.table(files)["num_records"].to_pylist() == [1]
    with pytest.raises(osdear.StateError):
        pyarrow.table(files)


def test_a_capsule_that_nobody_takes_is_released(tmp_path):
    table = osdear.Table.create(str(tmp_path / "t"), "id BIGINT")
    for _ in range(100):
        table.scan().__arrow_c_stream__()
        table.schema.__arrow_c_schema__()
    from osdear import _arrow

    assert len(_arrow._alive) == 1
    _arrow.release_dropped()
    assert not _arrow._alive


def test_partition_values_of_every_kind_come_back(tmp_path, everything):
    for column in ("bool", "i8", "i64", "f64", "dec9", "dec38", "text", "date", "ts", "ntz"):
        data = everything.select([column, "i32"])
        table = osdear.Table.create(str(tmp_path / column), data.schema, partition_by=[column])
        table.append(data)
        want = sorted((str(row[column]) if row[column] != "" else "None", str(row["i32"])) for row in data.to_pylist())
        got = sorted((str(row[column]), str(row["i32"])) for row in pyarrow.table(table.scan()).to_pylist())
        assert got == want, column
