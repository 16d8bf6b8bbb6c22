"""We read what deltalake writes now, beside the golden tables of Spark: the same rows, or a refusal that names the feature."""
from __future__ import annotations

import osdear
import pyarrow as pa
import pytest
import tables
from canonical import lines
from deltalake import DeltaTable, write_deltalake


def ours(folder, **options):
    return lines(pa.table(osdear.Table.open(str(folder), **options).scan()))


def theirs(folder, version=None):
    return lines(DeltaTable(str(folder), version=version).to_pyarrow_table())


def rows(first, count, part=None):
    values = [{**tables.flat_row(n), "part": part} for n in range(first, first + count)]
    return pa.Table.from_pylist(values, tables.FLAT.append(pa.field("part", pa.string())))


@pytest.mark.parametrize("partition_by", [None, ["part"]])
def test_appends_and_overwrites(tmp_path, partition_by):
    write_deltalake(tmp_path, rows(0, 10, "a b"), partition_by=partition_by)
    write_deltalake(tmp_path, rows(10, 10, "ü/%"), mode="append")
    write_deltalake(tmp_path, rows(20, 5, None), mode="overwrite")
    write_deltalake(tmp_path, rows(30, 5, "x"), mode="append")
    for version in range(4):
        assert ours(tmp_path, version=version) == theirs(tmp_path, version)


def test_deletes_and_updates_that_rewrite_files(tmp_path):
    write_deltalake(tmp_path, rows(0, 100, "a"))
    table = DeltaTable(tmp_path)
    table.delete("id % 7 = 0")
    table.update(updates={"text": "'changed'"}, predicate="id > 50")
    table.optimize.compact()
    for version in range(table.version() + 1):
        assert ours(tmp_path, version=version) == theirs(tmp_path, version)


def test_checkpoints_and_a_cleaned_log(tmp_path):
    for number in range(25):
        write_deltalake(tmp_path, rows(number * 3, 3, f"p{number % 2}"), partition_by=["part"], mode="append")
        if number in (8, 17):
            DeltaTable(tmp_path).create_checkpoint()
    for path in (tmp_path / "_delta_log").glob("0000000000000000000[0-9].json"):
        path.unlink()
    assert ours(tmp_path) == theirs(tmp_path)
    assert ours(tmp_path, version=20) == theirs(tmp_path, 20)


def test_both_write_in_turn(tmp_path):
    osdear.Table.create(str(tmp_path / "table"), rows(0, 1).schema, partition_by=["part"])
    for number in range(12):
        if number % 2:
            write_deltalake(tmp_path / "table", rows(number * 5, 5, "them"), mode="append")
        else:
            osdear.Table.open(str(tmp_path / "table")).append(rows(number * 5, 5, "us"))
    assert ours(tmp_path / "table") == theirs(tmp_path / "table")
    assert len(ours(tmp_path / "table")) == 60


def test_a_predicate_finds_the_same_rows(tmp_path):
    write_deltalake(tmp_path, rows(0, 200, "a"))
    write_deltalake(tmp_path, rows(200, 200, "b"), mode="append")
    where = "id BETWEEN 150 AND 250 AND text LIKE 'row 2%' OR d9 < -40"
    scan = osdear.Table.open(str(tmp_path)).scan(where=where)
    wanted = [row for row in rows(0, 400).to_pylist()
              if 150 <= row["id"] <= 250 and row["text"].startswith("row 2") or row["d9"] < -40]
    assert sorted(pa.table(scan)["id"].to_pylist()) == sorted(row["id"] for row in wanted)
