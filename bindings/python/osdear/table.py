"""Delta tables."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import _arrow, _rows, errors
from ._lib import Context, Options, check, default_context, ffi, lib, text

if TYPE_CHECKING:
    import pandas

#: What the writing calls take: anything that exports Arrow, or a list of dicts.
Data = _arrow.ArrowStreamExportable | _arrow.ArrowArrayExportable | Sequence[Mapping[str, object]]


@dataclasses.dataclass(frozen=True)
class Protocol:
    """What a reader or writer of the table must know."""

    min_reader_version: int
    min_writer_version: int
    reader_features: tuple[str, ...]
    writer_features: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Metadata:
    """What the table says of itself."""

    id: str
    name: str | None
    description: str | None
    partition_columns: tuple[str, ...]
    properties: dict[str, str]
    created: datetime.datetime | None


@dataclasses.dataclass(frozen=True)
class WriteResult:
    """What a write did. `was_done`: `app_version` was recorded already, and nothing was written."""

    version: int
    rows: int
    bytes: int
    files_added: int
    files_removed: int
    attempts: int
    was_done: bool


class Schema:
    """The columns of a table or a scan. `pyarrow.schema(schema)` reads it, and so does whatever else knows Arrow."""

    def __init__(self, export: Callable[[Any], None]) -> None:
        self._export = export
        self._struct = _arrow.new(b"arrow_schema")
        export(self._struct)

    def __del__(self) -> None:
        if hasattr(self, "_struct"):
            _arrow.release(self._struct)

    def __arrow_c_schema__(self) -> object:
        struct = _arrow.new(b"arrow_schema")
        self._export(struct)
        return _arrow.to_capsule(b"arrow_schema", struct)

    @property
    def names(self) -> list[str]:
        return list(self.types)

    @property
    def types(self) -> dict[str, str]:
        """Column to type in Delta's words, such as "decimal(10,2)"."""
        found = {}
        for i in range(self._struct.n_children):
            out = ffi.new("char **")
            check(lib.osdear_schema_print, self._struct.children[i], out)
            found[text(self._struct.children[i].name) or ""] = text(out[0]) or ""
            lib.osdear_text_free(out[0])
        return found

    def __repr__(self) -> str:
        return "Schema(" + ", ".join(f"{name}: {kind}" for name, kind in self.types.items()) + ")"


class Rows:
    """Rows that are read when somebody asks for them: pyarrow.table(rows), polars.DataFrame(rows), duckdb.from_arrow(rows).

    Each asking reads anew."""

    _context: Context

    def _stream(self) -> Any:
        raise NotImplementedError

    def _export_schema(self, out: Any) -> None:
        raise NotImplementedError

    @property
    def schema(self) -> Schema:
        return Schema(self._export_schema)

    def __arrow_c_schema__(self) -> object:
        return self.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return _arrow.to_capsule(b"arrow_array_stream", self._stream())

    def to_pylist(self) -> list[dict[str, Any]]:
        """The rows as dicts, in their JSON forms: decimals, dates and times as text, maps as lists of pairs."""
        with self._context.watch():
            return _rows.export_json(self._context.pointer, self._stream())

    def to_pandas(self, **options: Any) -> pandas.DataFrame:
        """The rows as a pandas.DataFrame; needs pyarrow, whose `Table.to_pandas` takes the options."""
        import pyarrow

        with self._context.watch():
            rows = pyarrow.table(self)
        frame: pandas.DataFrame = rows.to_pandas(**options)
        return frame


class Scan(Rows):
    """Rows of a table at one version."""

    def __init__(self, context: Context, snapshot: Any, options: Options) -> None:
        self._context = context
        out = ffi.new("osdear_scan **")
        check(lib.osdear_scan_new, snapshot, options.pointer, out)
        self._pointer = ffi.gc(out[0], lib.osdear_scan_free)

    def _export_schema(self, out: Any) -> None:
        check(lib.osdear_scan_schema, self._pointer, out)

    def _stream(self) -> Any:
        stream = _arrow.new(b"arrow_array_stream")
        with self._context.watch():
            check(lib.osdear_scan_stream, self._pointer, stream)
        return stream

    @property
    def metrics(self) -> dict[str, int]:
        """What the newest reading of the scan did so far: files, row_groups, rows, and how many could be skipped."""
        out = ffi.new("osdear_scan_metrics *")
        out.size = ffi.sizeof("osdear_scan_metrics")
        check(lib.osdear_scan_metrics_get, self._pointer, out)
        return {name: getattr(out, name) for name, _ in ffi.typeof("osdear_scan_metrics").fields if name != "size"}


class Changes(Rows):
    """What happened to the rows of a table between two versions."""

    def __init__(self, context: Context, table: Any, options: Options) -> None:
        self._context = context
        self._table = table
        self._options = options
        _arrow.release(self._stream())  # what is asked for is checked now, not when it is read

    def _stream(self) -> Any:
        stream = _arrow.new(b"arrow_array_stream")
        with self._context.watch():
            check(lib.osdear_table_changes, self._table, self._options.pointer, stream)
        return stream

    def _export_schema(self, out: Any) -> None:
        stream = self._stream()
        try:
            if stream.get_schema(stream, out) != 0:
                raise MemoryError
        finally:
            _arrow.release(stream)


def _timestamp_us(value: datetime.datetime | str | None) -> int | None:
    if value is None:
        return None
    if isinstance(value, datetime.datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
        return int((moment - _EPOCH) / datetime.timedelta(microseconds=1))
    out = ffi.new("int64_t *")
    check(lib.osdear_timestamp_parse, value.encode(), out)
    return int(out[0])


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def _all(at: Any, snapshot: Any) -> list[Any]:
    """A list that the library hands out item by item."""
    found: list[Any] = []
    while (item := at(snapshot, len(found))) != ffi.NULL:
        found.append(item)
    return found


class Table:
    """A Delta table at one version; writing moves it to the version written.

    Use `Table.open` or `Table.create`. A context manager: leaving it lets go of the table."""

    def __init__(self, context: Context, uri: str, storage_options: Mapping[str, str] | None, snapshot: Any, table: Any) -> None:
        self._context = context
        self._uri = uri
        self._storage = dict(storage_options or {})
        self._snapshot = snapshot
        self._table = table  # None: opened at a chosen version, or not yet needed

    @classmethod
    def open(
        cls,
        uri: str,
        version: int | None = None,
        timestamp: datetime.datetime | str | None = None,
        storage_options: Mapping[str, str] | None = None,
        *,
        context: Context | None = None,
    ) -> Table:
        """The table at its newest version, at `version`, or as it was at `timestamp`."""
        context = context or default_context()
        if version is None and timestamp is None:
            options = Options("osdear_table_options")
            options.set_pairs("storage", "storage_count", storage_options)
            out = ffi.new("osdear_table **")
            with context.watch():
                check(lib.osdear_table_open, context.pointer, uri.encode(), options.pointer, out)
            return cls._of_handle(context, uri, storage_options, out[0])
        options = Options("osdear_snapshot_options")
        options.set_pairs("storage", "storage_count", storage_options)
        if version is not None:
            options.pointer.version = version
        moment = _timestamp_us(timestamp)
        if moment is not None:
            options.pointer.timestamp_us = moment
        out = ffi.new("osdear_snapshot **")
        with context.watch():
            check(lib.osdear_snapshot_open, context.pointer, uri.encode(), options.pointer, out)
        return cls(context, uri, storage_options, ffi.gc(out[0], lib.osdear_snapshot_unref), None)

    @classmethod
    def create(
        cls,
        uri: str,
        schema: _arrow.ArrowSchemaExportable | str,
        partition_by: Sequence[str] = (),
        properties: Mapping[str, str] | None = None,
        *,
        name: str | None = None,
        description: str | None = None,
        if_not_exists: bool = False,
        storage_options: Mapping[str, str] | None = None,
        context: Context | None = None,
    ) -> Table:
        """A new, empty table. `schema` is SQL text ("id BIGINT NOT NULL, name STRING") or anything with __arrow_c_schema__."""
        context = context or default_context()
        options = Options("osdear_table_create_options")
        options.set_pairs("storage", "storage_count", storage_options)
        options.set_texts("partition_columns", "partition_count", list(partition_by))
        options.set_pairs("properties", "property_count", properties)
        options.set_text("name", name)
        options.set_text("description", description)
        options.pointer.if_not_exists = int(if_not_exists)
        if isinstance(schema, str):
            columns = _arrow.new(b"arrow_schema")
            check(lib.osdear_schema_parse, schema.encode(), columns)
        else:
            columns = _arrow.from_capsule(b"arrow_schema", schema.__arrow_c_schema__())
        out = ffi.new("osdear_table **")
        try:
            with context.watch():
                check(lib.osdear_table_create, context.pointer, uri.encode(), columns, options.pointer, out)
        finally:
            _arrow.release(columns)
        return cls._of_handle(context, uri, storage_options, out[0])

    @classmethod
    def _of_handle(cls, context: Context, uri: str, storage_options: Mapping[str, str] | None, table: Any) -> Table:
        table = ffi.gc(table, lib.osdear_table_free)
        snapshot = ffi.gc(lib.osdear_table_snapshot(table), lib.osdear_snapshot_unref)
        return cls(context, uri, storage_options, snapshot, table)

    def __enter__(self) -> Table:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the table. Scans made from it stay usable."""
        for handle in (self._snapshot, self._table):
            if handle is not None:
                ffi.release(handle)
        self._snapshot = self._table = None

    def __repr__(self) -> str:
        return f"Table({self._uri!r}, version={self.version})"

    # ---- what it is ----

    def _state(self) -> Any:
        if self._snapshot is None:
            raise errors.StateError(f"the table {self._uri} was closed", status="state")
        return self._snapshot

    @property
    def uri(self) -> str:
        return text(lib.osdear_snapshot_uri(self._state())) or ""

    @property
    def version(self) -> int:
        return int(lib.osdear_snapshot_version(self._state()))

    @property
    def schema(self) -> Schema:
        snapshot = self._state()
        return Schema(lambda out: check(lib.osdear_snapshot_schema, snapshot, out))

    @property
    def protocol(self) -> Protocol:
        snapshot = self._state()
        return Protocol(
            lib.osdear_snapshot_min_reader_version(snapshot),
            lib.osdear_snapshot_min_writer_version(snapshot),
            tuple(text(item) or "" for item in _all(lib.osdear_snapshot_reader_feature, snapshot)),
            tuple(text(item) or "" for item in _all(lib.osdear_snapshot_writer_feature, snapshot)),
        )

    @property
    def metadata(self) -> Metadata:
        snapshot = self._state()
        created_ms = lib.osdear_snapshot_created_ms(snapshot)
        return Metadata(
            text(lib.osdear_snapshot_id(snapshot)) or "",
            text(lib.osdear_snapshot_name(snapshot)),
            text(lib.osdear_snapshot_description(snapshot)),
            tuple(text(item) or "" for item in _all(lib.osdear_snapshot_partition_column, snapshot)),
            {text(item.key) or "": text(item.value) or "" for item in _all(lib.osdear_snapshot_property, snapshot)},
            None if created_ms < 0 else _EPOCH + datetime.timedelta(milliseconds=created_ms),
        )

    @property
    def domains(self) -> dict[str, str]:
        """Domain metadata, which table features and applications keep with the table: each domain's configuration."""
        return {text(item.key) or "": text(item.value) or "" for item in _all(lib.osdear_snapshot_domain, self._state())}

    def files(self, where: str | None = None) -> _arrow.Stream:
        """The data files as an Arrow stream, or those that may hold rows for which `where` is true."""
        stream = _arrow.new(b"arrow_array_stream")
        predicate = ffi.NULL if where is None else ffi.new("char[]", where.encode())
        with self._context.watch():
            check(lib.osdear_snapshot_files, self._state(), predicate, stream)
        return _arrow.Stream(self._context, stream)

    def history(self, limit: int | None = None) -> list[dict[str, Any]]:
        """The commits, newest first."""
        stream = _arrow.new(b"arrow_array_stream")
        with self._context.watch():
            check(lib.osdear_table_history, self._handle(), -1 if limit is None else limit, stream)
            rows = _rows.export_json(self._context.pointer, stream)
        for row in rows:
            for key in ("operation_parameters", "operation_metrics"):
                row[key] = json.loads(row[key]) if row[key] else {}
        return rows

    # ---- reading ----

    def scan(
        self,
        columns: Sequence[str] | None = None,
        where: str | None = None,
        *,
        limit: int | None = None,
        batch_rows: int | None = None,
        variant_as_json: bool = False,
        row_ids: bool = False,
    ) -> Scan:
        """Some columns and the rows for which `where`, a predicate in SQL, is true. Variants come as Arrow's `arrow.parquet.variant`, or as
        JSON text. With `row_ids` also `_row_id` and `_row_commit_version` come, where the table tracks its rows."""
        options = Options("osdear_scan_options")
        options.set_texts("columns", "column_count", columns)
        options.set_text("where", where)
        if limit is not None:
            options.pointer.limit = limit
        if batch_rows is not None:
            options.pointer.batch_rows = batch_rows
        options.pointer.variant_as_json = variant_as_json
        options.pointer.row_ids = int(row_ids)
        return Scan(self._context, self._state(), options)

    def changes(
        self,
        from_version: int,
        to_version: int | None = None,
        *,
        columns: Sequence[str] | None = None,
        where: str | None = None,
    ) -> Changes:
        """The rows that were inserted, deleted and updated by these versions, both included; by default up to the table's own.

        Behind the table's columns stand `_change_type`, `_commit_version` and `_commit_timestamp`."""
        options = Options("osdear_changes_options")
        options.pointer.from_version = from_version
        options.pointer.to_version = self.version if to_version is None else to_version
        options.set_texts("columns", "column_count", columns)
        options.set_text("where", where)
        if self._table is not None:
            return Changes(self._context, self._table, options)
        with Table.open(self._uri, storage_options=self._storage, context=self._context) as newest:
            return Changes(self._context, newest._table, options)

    # ---- writing ----

    def _handle(self) -> Any:
        self._state()
        if self._table is None:
            raise errors.StateError(f"{self!r} was opened at a chosen version: open it without one to write", status="state")
        return self._table

    def refresh(self) -> None:
        """See the newest version."""
        with self._context.watch():
            check(lib.osdear_table_refresh, self._handle())
        self._see()

    def _see(self) -> None:
        self._snapshot = ffi.gc(lib.osdear_table_snapshot(self._table), lib.osdear_snapshot_unref)

    def _write(self, function: Any, data: Data, options: Options) -> WriteResult:
        table = self._handle()
        result = ffi.new("osdear_write_result *")
        result.size = ffi.sizeof("osdear_write_result")
        with self._imported(data) as rows, self._context.watch():
            check(function, table, rows, options.pointer, result)
        self._see()
        return WriteResult(
            result.version,
            result.rows,
            result.bytes,
            result.files_added,
            result.files_removed,
            result.attempts,
            bool(result.was_done),
        )

    @contextlib.contextmanager
    def _imported(self, data: Data) -> Iterator[Any]:
        if not isinstance(data, list | tuple):
            yield _arrow.import_stream(data)
            return
        columns = _arrow.new(b"arrow_schema")
        check(lib.osdear_snapshot_schema, self._state(), columns)
        try:
            with _rows.imported(self._context.pointer, data, columns) as rows:
                yield rows
        finally:
            _arrow.release(columns)

    def append(
        self,
        data: Data,
        *,
        app_id: str | None = None,
        app_version: int = 0,
        user_metadata: str | None = None,
        max_attempts: int = 0,
    ) -> WriteResult:
        """Add rows in one commit. With `app_id`, a write whose `app_version` is recorded already does nothing."""
        options = _write_options(app_id, app_version, user_metadata, max_attempts)
        return self._write(lib.osdear_table_append, data, options)

    def overwrite(
        self,
        data: Data,
        where: str | None = None,
        *,
        dynamic_partitions: bool = False,
        app_id: str | None = None,
        app_version: int = 0,
        user_metadata: str | None = None,
        max_attempts: int = 0,
    ) -> WriteResult:
        """Replace all rows, those that `where` (over partition columns) selects, or those in the partitions of the new rows."""
        options = _write_options(app_id, app_version, user_metadata, max_attempts)
        options.set_text("where", where)
        options.pointer.dynamic_partitions = int(dynamic_partitions)
        return self._write(lib.osdear_table_overwrite, data, options)

    def checkpoint(self) -> None:
        """Write a checkpoint of this version, so that opening the table reads less."""
        with self._context.watch():
            check(lib.osdear_table_checkpoint, self._handle())


def _write_options(app_id: str | None, app_version: int, user_metadata: str | None, max_attempts: int) -> Options:
    options = Options("osdear_write_options")
    options.set_text("app_id", app_id)
    options.set_text("user_metadata", user_metadata)
    options.pointer.app_version = app_version
    options.pointer.max_attempts = max_attempts
    return options
