"""Rows as canonical JSON lines, the form that Spark's checker and the golden files use."""
from __future__ import annotations

import decimal
import json
import math

import pyarrow as pa


def dumps(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def canonical(value, kind):
    if value is None:
        return None
    if pa.types.is_struct(kind):
        return {field.name: canonical(value[field.name], field.type) for field in kind}
    if pa.types.is_map(kind):
        entries = [[canonical(key, kind.key_type), canonical(item, kind.item_type)] for key, item in value]
        return sorted(entries, key=lambda entry: dumps(entry[0]))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [canonical(item, kind.value_type) for item in value]
    if pa.types.is_floating(kind):
        return value if math.isfinite(value) else "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if pa.types.is_decimal(kind):
        with decimal.localcontext(prec=60):
            return format(value.quantize(decimal.Decimal(1).scaleb(-kind.scale)), "f")
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return value.hex()
    if pa.types.is_date(kind):
        return f"{value.year:04}-{value.month:02}-{value.day:02}"
    if pa.types.is_timestamp(kind):
        date = f"{value.year:04}-{value.month:02}-{value.day:02}"
        return f"{date}T{value.hour:02}:{value.minute:02}:{value.second:02}.{value.microsecond:06}{'Z' if kind.tz else ''}"
    return value


def lines(table):
    """The rows of a pyarrow table, sorted bytewise."""
    found = [dumps({field.name: canonical(row[field.name], field.type) for field in table.schema}) for row in table.to_pylist()]
    return sorted(found, key=lambda line: line.encode("utf-8", "surrogatepass"))
