"""Columns of every kind that a bloom filter can hold, with gaps between their values."""
from __future__ import annotations

import datetime as dt
import decimal

import pyarrow as pa

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
