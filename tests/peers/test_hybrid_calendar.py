"""Old dates that Spark wrote in the hybrid calendar: we read what Spark reads, and skip nothing that matches."""
from __future__ import annotations

import datetime as dt
import operator

import osdear
import pyarrow as pa
import pytest
from one_file import table_of_file

FORMS = ["TIMESTAMP_MICROS", "TIMESTAMP_MILLIS", "INT96"]
ZONES = ["UTC", "America_Los_Angeles", "Europe_Dublin", "Asia_Kolkata", "GMT+05_30", "+01_00"]
INSTANTS = {"type": "array", "elementType": "timestamp", "containsNull": True}


def numbers(column, kind):
    return column.cast(kind).to_pylist()


@pytest.fixture(params=[f"{zone}-{form}" for zone in ZONES for form in FORMS])
def hybrid(request, spark_files, tmp_path):
    folder, calendars = spark_files
    (tmp_path / "data.parquet").symlink_to(folder / f"{request.param}.parquet")
    schema = {"id": "integer", "d": "date", "t": "timestamp", "l": INSTANTS}
    return osdear.Table.open(str(table_of_file(tmp_path, "data.parquet", schema))), calendars[request.param]


def read(table, where=None):
    rows = pa.table(table.scan(where=where))
    return list(map(list, zip(rows["id"].to_pylist(), numbers(rows["d"], pa.int32()), numbers(rows["t"], pa.int64()),
                              numbers(rows["l"].combine_chunks().flatten(), pa.int64()))))


def test_days_and_instants_are_those_that_spark_reads(hybrid):
    table, wanted = hybrid
    assert len(wanted) > 150
    assert read(table) == wanted


EPOCH = dt.datetime(1970, 1, 1)
FIRST = -62135596800 * 10**6  # 0001-01-01, from which on Python knows dates


def test_bounds_in_the_other_calendar_exclude_nothing_that_matches(hybrid):
    table, wanted = hybrid
    for row in [row for row in wanted if min(row[1] * 86400 * 10**6, row[2]) >= FIRST][::31]:
        day, instant = EPOCH + dt.timedelta(days=row[1]), EPOCH + dt.timedelta(microseconds=row[2])
        for op, keep in {"=": operator.eq, "<": operator.lt, ">=": operator.ge}.items():
            assert read(table, f"d {op} DATE '{day.date().isoformat()}'") == [other for other in wanted if keep(other[1], row[1])]
            assert read(table, f"t {op} TIMESTAMP '{instant.isoformat(' ')}'") == [other for other in wanted if keep(other[2], row[2])]
