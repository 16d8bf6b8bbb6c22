"""Tables to be written by us and read by others. Each function makes one and returns the rows it should then have."""
from __future__ import annotations

import datetime as dt
import decimal

import pyarrow as pa

UTC = dt.timezone.utc
ODD = ["plain", "with space", "per%cent", "per%20cent", "a/b", "a=b", "a:b", "a+b", "ünïcödé", "日本", "quote'\"", "back\\slash", "#?&*|<>",
       "{}[]^", "tab\there", "new\nline", "..", ".", "__HIVE_DEFAULT_PARTITION__x", None]

FLAT = pa.schema([
    ("id", pa.int64()), ("bool", pa.bool_()), ("i8", pa.int8()), ("i16", pa.int16()), ("i32", pa.int32()), ("f32", pa.float32()),
    ("f64", pa.float64()), ("text", pa.string()), ("bytes", pa.binary()), ("d9", pa.decimal128(9, 2)), ("d18", pa.decimal128(18, 6)),
    ("d38", pa.decimal128(38, 10)), ("day", pa.date32()), ("at", pa.timestamp("us", "UTC")), ("local", pa.timestamp("us")),
])


# Decimals stay out of (-1, 0): as partition values deltalake 1.6.6 reads "-0.000001" as "0.0000-1".
def flat_row(number):
    day = dt.date(1970, 1, 1) + dt.timedelta(days=number * 37 - 5000)
    at = dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=number * 86_400_123_457 - 10**14)
    return {
        "id": number, "bool": number % 2 == 0, "i8": number % 256 - 128, "i16": number * 131 % 65536 - 32768,
        "i32": number * 65_537 % 2**32 - 2**31, "f32": number / 4, "f64": number / 3 - 100, "text": f"row {number} ünï",
        "bytes": bytes([number % 256, 0, 255]), "d9": decimal.Decimal(number * 101 - 5000).scaleb(-2),
        "d18": decimal.Decimal(number * 10**12 + 1).scaleb(-6), "d38": decimal.Decimal(number * 10**30 + 7).scaleb(-10),
        "day": day, "at": at.replace(tzinfo=UTC), "local": at,
    }


def extreme_rows():
    low = {
        "id": -(2**63), "bool": False, "i8": -128, "i16": -(2**15), "i32": -(2**31), "f32": -3.4028234663852886e38, "f64": -1.7976931348623157e308,
        "text": "", "bytes": b"", "d9": decimal.Decimal("-9999999.99"), "d18": decimal.Decimal("-999999999999.999999"),
        "d38": decimal.Decimal("-9999999999999999999999999999.9999999999"), "day": dt.date(1, 1, 1),
        "at": dt.datetime(1583, 1, 1, tzinfo=UTC), "local": dt.datetime(1583, 1, 1),
    }
    high = {
        "id": 2**63 - 1, "bool": True, "i8": 127, "i16": 2**15 - 1, "i32": 2**31 - 1, "f32": 1.401298464324817e-45, "f64": 5e-324,
        "text": "\U0001f600" * 40 + "\U0010ffff", "bytes": bytes(range(256)), "d9": decimal.Decimal("9999999.99"),
        "d18": decimal.Decimal("999999999999.999999"), "d38": decimal.Decimal("9999999999999999999999999999.9999999999"),
        "day": dt.date(9999, 12, 31), "at": dt.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        "local": dt.datetime(9999, 12, 31, 23, 59, 59, 999999),
    }
    return [low, high]


def create(osdear, uri, schema, **options):
    return osdear.Table.create(uri, schema, **options)


def all_types(osdear, uri):
    rows = pa.Table.from_pylist([flat_row(n) for n in range(500)] + extreme_rows() + [{"id": 1000 + n} for n in range(20)], FLAT)
    table = create(osdear, uri, FLAT)
    table.append(rows.slice(0, 300))
    table.append(rows.slice(300))
    return rows


def only_nulls(osdear, uri):
    rows = pa.Table.from_pylist([{"id": n} for n in range(50)], FLAT)
    create(osdear, uri, FLAT).append(rows)
    return rows


def special_floats(osdear, uri):
    schema = pa.schema([("id", pa.int64()), ("f32", pa.float32()), ("f64", pa.float64())])
    values = [float("inf"), float("-inf"), 0.0, -0.0, 1.5, None]
    rows = pa.Table.from_pylist([{"id": i, "f32": v, "f64": v} for i, v in enumerate(values)], schema)
    create(osdear, uri, schema).append(rows)
    return rows


def nested(osdear, uri):
    point = pa.struct([("x", pa.int32()), ("tags", pa.list_(pa.string()))])
    schema = pa.schema([("id", pa.int64()), ("list", pa.list_(pa.int64())), ("point", point), ("points", pa.list_(point)),
                        ("map", pa.map_(pa.string(), point)), ("deep", pa.list_(pa.list_(pa.map_(pa.string(), pa.list_(pa.float64())))))])

    def row(n):
        return {
            "id": n, "list": None if n % 5 == 0 else [n, None][: n % 3], "point": None if n % 7 == 0 else {"x": n, "tags": ["a", None, ""][: n % 4]},
            "points": [{"x": None, "tags": None}, None, {"x": n, "tags": []}][: n % 4],
            "map": None if n % 6 == 0 else [(f"k{i}", {"x": i, "tags": ["t"]}) for i in range(n % 3)],
            "deep": [[[("k", [1.5, None])], []], None, []][: n % 4],
        }

    rows = pa.Table.from_pylist([row(n) for n in range(400)], schema)
    table = create(osdear, uri, schema)
    table.append(rows.slice(0, 150))
    table.append(rows.slice(150))
    return rows


def partitions_with_odd_names(osdear, uri):
    schema = pa.schema([("id", pa.int64()), ("part", pa.string()), ("value", pa.float64())])
    rows = pa.Table.from_pylist([{"id": n, "part": ODD[n % len(ODD)], "value": n / 7} for n in range(len(ODD) * 3)], schema)
    create(osdear, uri, schema, partition_by=["part"]).append(rows)
    return rows


def partitions_of_every_type(osdear, uri):
    names = [name for name in FLAT.names if name not in ("id", "bytes")]
    # No decimals below 0: deltalake 1.6.6 takes the partition value -48.99 for "-48.-99".
    rows = pa.Table.from_pylist([{**flat_row(n), "d9": decimal.Decimal(n)} for n in range(1, 9)] + [{"id": 1000}], FLAT)
    create(osdear, uri, FLAT, partition_by=names).append(rows)
    return rows


def column_with_an_odd_name(osdear, uri):
    schema = pa.schema([("id", pa.int64()), ("a.b", pa.int64()), ("MiXed", pa.string()), ("ünï", pa.string())])
    rows = pa.Table.from_pylist([{"id": n, "a.b": n, "MiXed": "x", "ünï": None} for n in range(9)], schema)
    create(osdear, uri, schema).append(rows)
    return rows


def overwritten(osdear, uri):
    schema = pa.schema([("id", pa.int64()), ("part", pa.int32()), ("text", pa.string())])

    def some(first, part, word):
        return pa.Table.from_pylist([{"id": n, "part": part, "text": word} for n in range(first, first + 4)], schema)

    table = create(osdear, uri, schema, partition_by=["part"])
    table.append(some(0, 1, "gone"))
    table.overwrite(pa.concat_tables([some(10, 1, "kept"), some(20, 2, "replaced"), some(30, 3, "replaced too")]))
    table.overwrite(some(40, 2, "by predicate"), where="part = 2")
    table.overwrite(some(50, 3, "by partition"), dynamic_partitions=True)
    return pa.concat_tables([some(10, 1, "kept"), some(40, 2, "by predicate"), some(50, 3, "by partition")])


def a_thousand_commits(osdear, uri):
    schema = pa.schema([("id", pa.int64()), ("text", pa.string())])
    table = create(osdear, uri, schema)
    batches = [pa.Table.from_pylist([{"id": n, "text": f"commit {n}"}], schema) for n in range(1000)]
    for batch in batches:
        table.append(batch)
    return pa.concat_tables(batches)


def empty(osdear, uri):
    schema = pa.schema([("id", pa.int64()), ("text", pa.string())])
    create(osdear, uri, schema)
    return schema.empty_table()


def required_columns(osdear, uri):
    schema = pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("s", pa.struct([pa.field("a", pa.int32(), nullable=False)]))])
    rows = pa.Table.from_pylist([{"id": n, "s": None if n % 2 else {"a": n}} for n in range(11)], schema)
    create(osdear, uri, schema).append(rows)
    return rows


def many_row_groups(osdear, uri):
    schema = pa.schema([("id", pa.int64()), ("text", pa.string()), ("small", pa.int16())])
    count = 300_000
    rows = pa.table([pa.array(range(count), pa.int64()), pa.array([f"value {n % 1000}" for n in range(count)]),
                     pa.array([None if n % 10 == 0 else n % 7 for n in range(count)], pa.int16())], schema=schema)
    create(osdear, uri, schema).append(rows)
    return rows


ALL = [all_types, only_nulls, special_floats, nested, partitions_with_odd_names, partitions_of_every_type, column_with_an_odd_name,
       overwritten, a_thousand_commits, empty, required_columns, many_row_groups]
