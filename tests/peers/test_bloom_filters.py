"""Bloom filters that others wrote: what is there is found, and row groups without it are skipped unread."""
from __future__ import annotations

import datetime as dt
import decimal

import duckdb
import osdear
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from one_file import table_of_file

ROWS = 6000
GROUPS = 3
DAY = dt.date(2000, 1, 1)
AT = dt.datetime(2000, 1, 1)

# What row n holds, for even n; with an odd n it is a value between those of the file that no row has.
KINDS = {
    "i32": ("integer", pa.int32(), lambda n: n * 3, str),
    "i64": ("long", pa.int64(), lambda n: n * 5_000_000_001, str),
    "f32": ("float", pa.float32(), lambda n: n / 4, "CAST({} AS FLOAT)".format),
    "f64": ("double", pa.float64(), lambda n: n / 3, "CAST('{!r}' AS DOUBLE)".format),
    "text": ("string", pa.string(), lambda n: f"k{n:06}", "'{}'".format),
    "bytes": ("binary", pa.binary(), lambda n: f"b{n:06}".encode(), lambda value: f"X'{value.hex()}'"),
    "d9": ("decimal(9,2)", pa.decimal128(9, 2), lambda n: decimal.Decimal(n).scaleb(-2), str),
    "d18": ("decimal(18,6)", pa.decimal128(18, 6), lambda n: decimal.Decimal(n * 10**9).scaleb(-6), str),
    "d38": ("decimal(38,10)", pa.decimal128(38, 10), lambda n: decimal.Decimal(n * 10**20).scaleb(-10), str),
    "day": ("date", pa.date32(), lambda n: DAY + dt.timedelta(days=n), "DATE '{}'".format),
    "at": ("timestamp", pa.timestamp("us", "UTC"), lambda n: (AT + dt.timedelta(seconds=n)).replace(tzinfo=dt.timezone.utc),
           lambda value: f"TIMESTAMP '{value:%Y-%m-%d %H:%M:%S}'"),
}
SCHEMA = {name: kind for name, (kind, *_) in KINDS.items()}


def mixed(number):
    """Every group has values from the whole range, so that bounds exclude nothing."""
    return 2 * (number * 7919 % ROWS)


def columns():
    return pa.table({name: pa.array([make(mixed(n)) for n in range(ROWS)], kind) for name, (_, kind, make, _) in KINDS.items()})


def by_pyarrow(path):
    options = {name: {"ndv": ROWS // GROUPS, "fpp": 0.01} for name in KINDS}
    pq.write_table(columns(), path, row_group_size=ROWS // GROUPS, bloom_filter_options=options, use_dictionary=False,
                   store_decimal_as_integer=True)


def by_duckdb(path):
    with duckdb.connect() as connection:
        connection.register("rows", columns())
        connection.execute(f"COPY rows TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 2048, DICTIONARY_SIZE_LIMIT 100000)")


WRITERS = {
    "pyarrow": (by_pyarrow, set()),
    # It keeps no dictionary of such decimals, and filters only columns with one.
    "duckdb": (by_duckdb, {"d38"}),
}


@pytest.fixture(scope="module", params=WRITERS)
def filtered(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    write, without = WRITERS[request.param]
    write(folder / "data.parquet")
    return osdear.Table.open(str(table_of_file(folder, "data.parquet", SCHEMA))), without


def scan(table, where):
    scan = table.scan(columns=["i32"], where=where)
    return pa.table(scan).num_rows, scan.metrics


def skipped(table, where, rows):
    found, metrics = scan(table, where)
    assert found == rows, where
    return metrics["row_groups_skipped"] / metrics["row_groups"]


@pytest.mark.parametrize("name", KINDS)
def test_what_is_missing_is_not_read_and_what_is_there_is_found(filtered, name):
    table, without = filtered
    _, _, make, literal = KINDS[name]
    there = [skipped(table, f"{name} = {literal(make(n))}", 1) for n in range(2000, 2040, 2)]
    missing = [skipped(table, f"{name} = {literal(make(n))}", 0) for n in range(2001, 2041, 2)]
    assert (sum(missing) / len(missing) > 0.9) == (name not in without), missing
    assert (sum(there) / len(there) > 0.5) == (name not in without), there
    values = ", ".join(literal(make(n)) for n in range(3001, 3011, 2))
    assert (skipped(table, f"{name} IN ({values})", 0) > 0.5) == (name not in without)
    assert skipped(table, f"{name} IN ({values}, {literal(make(4000))})", 1) < 1
    assert skipped(table, f"NOT {name} = {literal(make(3001))}", ROWS) == 0
