"""Reads the quickstart's tables with libosdear, with deltalake, and with DuckDB over Arrow, and compares what they see."""

import sys

import deltalake
import duckdb
import pyarrow

import osdear


def check(lake: str, name: str) -> None:
    uri = f"{lake}/{name}"
    ours = pyarrow.table(osdear.Table.open(uri).scan())
    theirs = pyarrow.table(deltalake.DeltaTable(uri).to_pyarrow_table()).select(ours.column_names).cast(ours.schema)
    order = [(column, "ascending") for column in ours.column_names]
    if not ours.sort_by(order).equals(theirs.sort_by(order)):
        sys.exit(f"{name}: deltalake reads other rows than libosdear")
    counted = duckdb.from_arrow(osdear.Table.open(uri).scan()).count("*").fetchall()
    if counted != [(ours.num_rows,)]:
        sys.exit(f"{name}: DuckDB counts {counted}, libosdear {ours.num_rows}")
    print(f"{name:16} {ours.num_rows:7,} rows: libosdear, deltalake and DuckDB agree")


if __name__ == "__main__":
    for table in ("bronze/flights", "bronze/airlines", "bronze/airports", "bronze/planes", "bronze/weather", "silver/flights", "gold/delays"):
        check(sys.argv[1], table)
