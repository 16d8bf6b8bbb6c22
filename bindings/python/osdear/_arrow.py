"""Arrow in and out through the PyCapsule interface: no copy, and no pyarrow."""

from __future__ import annotations

import ctypes
import sys
from typing import Any, Protocol, runtime_checkable

from ._lib import Context, check, ffi, lib, make_error
from . import errors


@runtime_checkable
class ArrowStreamExportable(Protocol):
    """Anything that hands out an Arrow stream: pyarrow, polars, pandas, DuckDB, a Scan."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


@runtime_checkable
class ArrowArrayExportable(Protocol):
    """Anything that hands out one Arrow array, such as a pyarrow.RecordBatch."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...


@runtime_checkable
class ArrowSchemaExportable(Protocol):
    """Anything that hands out an Arrow schema, such as a pyarrow.Schema."""

    def __arrow_c_schema__(self) -> object: ...


_api = ctypes.pythonapi
_api.PyCapsule_New.restype = ctypes.py_object
_api.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
_get_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(("PyCapsule_GetPointer", _api))

_KINDS = {
    b"arrow_schema": "struct ArrowSchema *",
    b"arrow_array": "struct ArrowArray *",
    b"arrow_array_stream": "struct ArrowArrayStream *",
}

# The capsules handed out and the structs inside. A consumer moves the content out and leaves the struct. The capsules have no destructor:
# one written in Python would run while an exception or an interrupt waits to be raised, and lose it.
_alive: dict[int, tuple[object, Any]] = {}  # by the struct's address
_UNHELD = 2  # references: the tuple's, and the one that sys.getrefcount is given


def release(struct: Any) -> None:
    """Release what a struct holds, unless that was done or moved away."""
    if struct.release != ffi.NULL:
        struct.release(struct)


def release_dropped() -> None:
    """Lets go of what is inside of capsules that nobody holds any more."""
    for address, held in list(_alive.items()):
        if sys.getrefcount(held[0]) == _UNHELD and _alive.pop(address, None) is not None:
            release(held[1])


def new(name: bytes) -> Any:
    """An empty struct of the kind, for the library to fill."""
    return ffi.new(_KINDS[name])


def to_capsule(name: bytes, struct: Any) -> object:
    """Gives a filled struct to a capsule. What nobody takes out of it is released when the next one is made."""
    release_dropped()
    address = int(ffi.cast("uintptr_t", struct))
    capsule: object = _api.PyCapsule_New(address, name, None)
    _alive[address] = (capsule, struct)
    return capsule


def from_capsule(name: bytes, capsule: object) -> Any:
    """Moves a capsule's content into a struct of ours."""
    address = _get_pointer(id(capsule), name)
    taken, source = new(name), ffi.cast(_KINDS[name], address)
    if source.release == ffi.NULL:
        raise errors.StateError("this Arrow data was consumed before", status="state")
    taken[0] = source[0]
    source.release = ffi.NULL
    return taken


def import_stream(data: object) -> Any:
    """An ArrowArrayStream out of anything that exports Arrow."""
    if isinstance(data, ArrowStreamExportable):
        return from_capsule(b"arrow_array_stream", data.__arrow_c_stream__())
    if isinstance(data, ArrowArrayExportable):
        schema_capsule, array_capsule = data.__arrow_c_array__()
        schema = from_capsule(b"arrow_schema", schema_capsule)
        array = from_capsule(b"arrow_array", array_capsule)
        stream = new(b"arrow_array_stream")
        check(lib.osdear_stream_new, schema, array, 1, stream)
        return stream
    raise errors.ArgumentError(
        f"{type(data).__name__} exports no Arrow data: give something with __arrow_c_stream__ or __arrow_c_array__, or a list of dicts",
        status="argument",
    )


class Batch:
    """Some rows, once: pyarrow.record_batch(batch), polars.from_arrow(batch)."""

    def __init__(self, schema: Any, array: Any) -> None:
        self._structs: tuple[Any, Any] | None = (schema, array)

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        if self._structs is None:
            raise errors.StateError("this batch was consumed before", status="state")
        (schema, array), self._structs = self._structs, None
        return to_capsule(b"arrow_schema", schema), to_capsule(b"arrow_array", array)

    def __del__(self) -> None:
        if self._structs is not None and ffi is not None:
            for struct in self._structs:
                release(struct)


class Stream:
    """Batches from the library, once: consumed by whoever asks for the Arrow stream first."""

    def __init__(self, context: Context, struct: Any) -> None:
        self._context = context
        self._struct = struct

    def _take(self) -> Any:
        if self._struct is None:
            raise errors.StateError("this stream was consumed before", status="state")
        struct, self._struct = self._struct, None
        return struct

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return to_capsule(b"arrow_array_stream", self._take())

    def read_batch(self) -> Batch | None:
        """The next batch by itself; None: there are no more."""
        if self._struct is None:
            return None
        schema, array = new(b"arrow_schema"), new(b"arrow_array")
        with self._context.watch():
            if self._struct.get_schema(self._struct, schema) or self._struct.get_next(self._struct, array):
                raise make_error(lib.osdear_stream_error(self._struct))
        if array.release == ffi.NULL:
            release(schema)
            release(self._take())
            return None
        return Batch(schema, array)

    def to_pylist(self) -> list[dict[str, Any]]:
        """The rows as dicts, in their JSON forms."""
        from . import _rows

        with self._context.watch():
            return _rows.export_json(self._context.pointer, self._take())

    def __del__(self) -> None:
        if self._struct is not None and ffi is not None:
            release(self._struct)
