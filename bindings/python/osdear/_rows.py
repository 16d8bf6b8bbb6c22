"""Rows as Python objects: lists of dicts in, lists of dicts out, by way of the library's own NDJSON."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import json
import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from . import _arrow
from ._lib import Options, check, ffi, lib


def _plain(value: object) -> object:
    """What JSON has no form for, in the form that the library's NDJSON reader takes for the column's type."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            return value.isoformat(timespec="microseconds")
        return value.astimezone(datetime.timezone.utc).isoformat(timespec="microseconds")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


@contextlib.contextmanager
def imported(context: Any, rows: Iterable[Mapping[str, object]], schema: Any) -> Iterator[Any]:
    """An ArrowArrayStream of the rows, typed by an ArrowSchema, which stays the caller's. It is read from a file while this lasts."""
    with tempfile.NamedTemporaryFile(prefix="osdear-", suffix=".ndjson") as file:
        for row in rows:
            file.write(json.dumps(_plain(row), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n")
        file.flush()
        options = Options("osdear_source_options")
        options.set_text("format", "ndjson")
        options.pointer.schema = schema
        uri = ffi.new("char[]", os.fsencode(file.name))
        source = ffi.new("osdear_source **")
        check(lib.osdear_source_open, context, ffi.new("char *[]", [uri]), 1, options.pointer, source)
        try:
            stream = _arrow.new(b"arrow_array_stream")
            check(lib.osdear_source_stream, source[0], stream)
        finally:
            lib.osdear_source_free(source[0])
        yield stream


@ffi.callback("int32_t(void *, const void *, size_t)")  # type: ignore[untyped-decorator]
def _collect(argument: Any, data: Any, size: int) -> int:
    ffi.from_handle(argument).append(bytes(ffi.buffer(data, size)))
    return 0


def export_json(context: Any, stream: Any) -> list[dict[str, Any]]:
    """All rows of a stream (consumed) as the canonical JSON forms: decimals, dates and times as text, maps as lists of pairs."""
    pieces: list[bytes] = []
    handle = ffi.new_handle(pieces)
    check(lib.osdear_sink_write, context, stream, b"jsonl", ffi.NULL, _collect, handle, ffi.NULL)
    return [json.loads(line) for line in b"".join(pieces).splitlines()]
