"""Bloom filters that others wrote: what is there is found, and row groups without it are skipped unread."""
from __future__ import annotations

import duckdb
import osdear
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numbers_between import GROUPS, KINDS, ROWS, SCHEMA, columns
from one_file import table_of_file

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


@pytest.fixture(scope="module", params=[*WRITERS, "spark"])
def filtered(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "spark":
        (folder / "data.parquet").symlink_to(request.getfixturevalue("spark_files")[0] / "filtered.parquet")
        without = set()
    else:
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
