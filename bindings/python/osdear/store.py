"""Files at any address."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, BinaryIO

from ._lib import Context, Options, check, default_context, ffi, lib, text


@dataclasses.dataclass(frozen=True)
class File:
    """A file of a store, or a folder, whose path ends in a slash."""

    path: str
    size: int
    modified: datetime.datetime | None

    @property
    def is_folder(self) -> bool:
        return self.path.endswith("/")


@dataclasses.dataclass(frozen=True)
class TreeResult:
    """What a copy or a deletion of many files did."""

    files: int
    bytes: int


def _file_of(item: Any) -> File:
    path = text(item.path) or ""
    modified = None
    if not path.endswith("/"):
        modified = datetime.datetime.fromtimestamp(item.modified_ms / 1000, tz=datetime.timezone.utc)
    return File(path, item.size_bytes, modified)


class _Guarded:
    """Python code that C calls back: what it raises must wait until C has returned."""

    def __init__(self) -> None:
        self.failure: BaseException | None = None

    def run(self, work: Callable[[], int]) -> int:
        try:
            return work()
        except BaseException as failure:
            self.failure = failure
            return 1

    def check(self, *arguments: Any) -> None:
        try:
            check(*arguments)
        except Exception:
            if self.failure is None:
                raise
        if self.failure is not None:
            raise self.failure


Files = list[File]  # within Store, `list` is a method


def _gather(call: Callable[[Any], tuple[Any, ...]]) -> Files:
    """What a call visits; `call` puts the visitor among the call's arguments."""
    found: Files = []
    guarded = _Guarded()

    def add(item: Any) -> int:
        found.append(_file_of(item))
        return 0

    visit = ffi.callback("osdear_store_visit", lambda _, item: guarded.run(lambda: add(item)))
    guarded.check(*call(visit))
    return found


class Store:
    """A folder of files: a path, `file:///p`, `s3://bucket/p`, `memory://name/p`. Paths are relative to it.

    Use `Store.open`. A context manager: leaving it closes the store. Any thread may use it."""

    def __init__(self, context: Context, pointer: Any) -> None:
        self._context = context
        self._pointer = pointer

    @classmethod
    def open(cls, uri: str, storage_options: Mapping[str, str] | None = None, *, context: Context | None = None) -> Store:
        """The store at `uri`; nothing is created and no network touched."""
        context = context or default_context()
        options = Options("osdear_store_options")
        options.set_pairs("storage", "storage_count", storage_options)
        out = ffi.new("osdear_store **")
        check(lib.osdear_store_open, context.pointer, uri.encode(), options.pointer, out)
        return cls(context, ffi.gc(out[0], lib.osdear_store_free))

    @property
    def uri(self) -> str:
        return text(lib.osdear_store_uri(self._pointer)) or ""

    def list(self, prefix: str = "", *, recursive: bool = False, start_after: str | None = None) -> Files:
        """The files whose paths start with `prefix`; without `recursive` those right below its last slash, folders first."""
        options = Options("osdear_store_list_options")
        options.pointer.recursive = recursive
        options.set_text("start_after", start_after)
        with self._context.watch():
            return _gather(lambda visit: (lib.osdear_store_list, self._pointer, prefix.encode(), options.pointer, visit, ffi.NULL))

    def uploads(self, prefix: str = "") -> Files:
        """Uploads in parts to an s3: store that were begun and neither finished nor given up: what a process leaves that was killed."""
        with self._context.watch():
            return _gather(lambda visit: (lib.osdear_store_uploads, self._pointer, prefix.encode(), visit, ffi.NULL))

    def delete_uploads(self, prefix: str = "", older_than: datetime.timedelta = datetime.timedelta(days=1)) -> int:
        """Give up those uploads that were begun at least `older_than` ago; how many there were. One that still goes on fails."""
        deleted = ffi.new("int64_t *")
        with self._context.watch():
            check(lib.osdear_store_delete_uploads, self._pointer, prefix.encode(), round(older_than.total_seconds() * 1000), deleted)
        return int(deleted[0])

    def stat(self, path: str) -> File:
        """Size and time of a file."""
        out = ffi.new("osdear_store_item *")
        name = ffi.new("char[]", path.encode())
        with self._context.watch():
            check(lib.osdear_store_stat, self._pointer, name, out)
        return _file_of(out)

    def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        """The bytes of a file, or `length` of them from `offset`."""
        pieces: list[bytes] = []
        self._get(path, offset, length, pieces.append)
        return b"".join(pieces)

    def download(self, path: str, file: BinaryIO) -> None:
        """Write the bytes of a file to one that is open for writing, piece by piece."""
        self._get(path, 0, None, file.write)

    def _get(self, path: str, offset: int, length: int | None, take: Callable[[bytes], object]) -> None:
        guarded = _Guarded()
        options = Options("osdear_store_get_options")
        options.pointer.offset = offset
        options.pointer.length_bytes = -1 if length is None else length

        def pass_on(data: Any, size: int) -> int:
            take(ffi.buffer(data, size)[:])
            return 0

        write = ffi.callback("osdear_store_write", lambda _, data, size: guarded.run(lambda: pass_on(data, size)))
        with self._context.watch():
            guarded.check(lib.osdear_store_get, self._pointer, path.encode(), options.pointer, write, ffi.NULL)

    def write(self, path: str, data: bytes | BinaryIO | Iterator[bytes], *, if_absent: bool = False) -> None:
        """Write a file from bytes, from a file open for reading, or from an iterator of bytes. It is seen once all of it is there."""
        guarded = _Guarded()
        options = Options("osdear_store_put_options")
        options.pointer.if_absent = if_absent
        pending = memoryview(data if isinstance(data, bytes) else b"")

        def give(out: Any, room: int, got: Any) -> int:
            nonlocal pending
            while not pending and not isinstance(data, bytes):
                more = data.read(room) if hasattr(data, "read") else next(data, None)
                if not more:
                    break
                pending = memoryview(more)
            piece = pending[:room]
            ffi.memmove(out, piece, len(piece))
            pending = pending[len(piece):]
            got[0] = len(piece)
            return 0

        read = ffi.callback("osdear_store_read", lambda _, out, room, got: guarded.run(lambda: give(out, room, got)))
        with self._context.watch():
            guarded.check(lib.osdear_store_put, self._pointer, path.encode(), options.pointer, read, ffi.NULL)

    def copy(self, path: str, to: str, target: Store | None = None, *, if_absent: bool = False) -> None:
        """Copy a file within this store, or to another."""
        options = Options("osdear_store_put_options")
        options.pointer.if_absent = if_absent
        with self._context.watch():
            check(lib.osdear_store_copy, self._pointer, path.encode(), (target or self)._pointer, to.encode(), options.pointer)

    def copy_tree(self, target: Store, prefix: str = "", to_prefix: str = "", *, if_absent: bool = False, concurrency: int = 0) -> TreeResult:
        """Copy every file whose path starts with `prefix`, several at once."""
        options = Options("osdear_store_put_options")
        options.pointer.if_absent = if_absent
        options.pointer.concurrency = concurrency
        result = ffi.new("osdear_store_result *")
        result.size = ffi.sizeof("osdear_store_result")
        with self._context.watch():
            check(lib.osdear_store_copy_tree, self._pointer, prefix.encode(), target._pointer, to_prefix.encode(), options.pointer, result)
        return TreeResult(result.files, result.bytes)

    def delete(self, path: str) -> None:
        """Delete a file."""
        with self._context.watch():
            check(lib.osdear_store_delete, self._pointer, path.encode())

    def delete_tree(self, prefix: str) -> TreeResult:
        """Delete every file whose path starts with `prefix`."""
        result = ffi.new("osdear_store_result *")
        result.size = ffi.sizeof("osdear_store_result")
        with self._context.watch():
            check(lib.osdear_store_delete_tree, self._pointer, prefix.encode(), result)
        return TreeResult(result.files, result.bytes)

    def presign(self, path: str, method: str = "GET", expires: int = 3600) -> str:
        """A URL by which anybody may read (GET) or write (PUT) a file of an s3: store for `expires` seconds."""
        out = ffi.new("char **")
        with self._context.watch():
            check(lib.osdear_store_presign, self._pointer, path.encode(), method.encode(), expires, out)
        try:
            return text(out[0]) or ""
        finally:
            lib.osdear_text_free(out[0])

    def close(self) -> None:
        """Let go of the store now instead of with the object."""
        ffi.release(self._pointer)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self.uri!r})"
