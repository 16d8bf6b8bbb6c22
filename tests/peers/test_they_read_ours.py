"""Every engine reads the tables we write, and sees the rows that went in."""
from __future__ import annotations

import duckdb
import osdear
import pandas
import polars
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
from canonical import lines
from deltalake import DeltaTable
from urllib.parse import unquote


def same(got, wanted):
    """Rows by value: engines choose among string, large string and view, among names for elements, and whether fields may be null."""
    assert lines(pa.table(got).select(wanted.column_names)) == lines(wanted)


def data_files(folder):
    return [str(folder / path) for path in pa.table(osdear.Table.open(str(folder)).files())["path"].to_pylist()]


def has_no_partitions(folder):
    return not osdear.Table.open(str(folder)).metadata.partition_columns


def test_we_do(ours):
    folder, rows = ours
    got = pa.table(osdear.Table.open(str(folder)).scan())
    got.validate(full=True)
    flat = [name for name in rows.column_names if not pa.types.is_nested(rows.schema.field(name).type)]
    assert got.select(flat).schema.types == rows.select(flat).schema.types
    same(got, rows)


def test_deltalake(ours):
    folder, rows = ours
    same(DeltaTable(str(folder)).to_pyarrow_table(), rows)


def test_deltalake_counts_from_our_statistics(ours):
    folder, rows = ours
    assert DeltaTable(str(folder)).count() == rows.num_rows


def test_polars(ours):
    folder, rows = ours
    if "map" in rows.column_names:  # it has no type for maps: entries are a list of structs
        rows = rows.drop_columns(["map", "deep"])
    same(polars.read_delta(str(folder), columns=rows.column_names).to_arrow(), rows)


def test_pandas(ours):
    folder, rows = ours
    frame = DeltaTable(str(folder)).to_pandas(types_mapper=pandas.ArrowDtype)
    same(pa.Table.from_pandas(frame, schema=rows.schema, preserve_index=False), rows)


def test_pyarrow_reads_our_data_files(ours):
    folder, rows = ours
    for path in data_files(folder):
        table = pyarrow.parquet.read_table(path, partitioning=None)
        table.validate(full=True)
    if has_no_partitions(folder) and rows.num_rows:
        same(pyarrow.dataset.dataset(data_files(folder), schema=rows.schema).to_table(), rows)


def test_duckdb_reads_our_data_files(ours):
    folder, rows = ours
    if has_no_partitions(folder) and rows.num_rows:
        result = duckdb.connect().execute("SELECT * FROM read_parquet(?)", [data_files(folder)])
        same(result.to_arrow_table(), rows)


def test_duckdb_takes_our_stream(ours):
    folder, rows = ours
    scan = osdear.Table.open(str(folder)).scan()
    same(duckdb.connect().from_arrow(pa.RecordBatchReader.from_stream(scan)).to_arrow_table(), rows)


def test_spark(ours, spark):
    folder, rows = ours
    answer = spark.ask(folder, validate=True)
    assert answer["rows"] == lines(rows)
    validated = answer["validate"]
    assert validated["count_query"] == validated["count_from_data"] == rows.num_rows
    assert validated["append_ok"] and validated["checkpoint_ok"] and validated["rows_after_checkpoint_equal"]


def test_spark_reads_every_version_of_ours(tmp_path, spark):
    import tables

    folder = tmp_path / "table"
    tables.overwritten(osdear, str(folder))
    for version in range(5):
        wanted = lines(pa.table(osdear.Table.open(str(folder), version=version).scan()))
        assert spark.ask(folder, version=version)["rows"] == wanted


def test_names_of_data_files_are_found_as_the_log_escapes_them(tmp_path):
    import tables

    folder = tmp_path / "table"
    tables.partitions_with_odd_names(osdear, str(folder))
    for uri in DeltaTable(str(folder)).file_uris():
        pyarrow.parquet.read_metadata(unquote(uri.removeprefix("file://")) if uri.startswith("file:") else uri)
