"""The library and what every call of it needs: text, options, errors, a context that Ctrl-C cancels."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import cffi

from . import errors
from ._cdef import CDEF, INITIALIZERS

ffi: Any = cffi.FFI()
ffi.cdef(CDEF)

# The wheel holds the library beside this file; OSDEAR_LIBRARY names another, such as an installed one.
_path = os.environ.get("OSDEAR_LIBRARY") or str(pathlib.Path(__file__).with_name("_libosdear.so"))
lib: Any = ffi.dlopen(_path)


def text(pointer: Any) -> str | None:
    """A C string of the library's, or None for NULL."""
    if pointer == ffi.NULL:
        return None
    value: str = ffi.string(pointer).decode("utf-8", "replace")
    return value


class Options:
    """An options struct with its defaults, and the memory that its fields point to."""

    def __init__(self, struct: str) -> None:
        self.pointer: Any = ffi.new(f"{struct} *")
        self._kept: list[Any] = []
        fields = [name for name, _ in ffi.typeof(struct).fields]
        self.pointer.size = ffi.sizeof(struct)
        for name, value in zip(fields[1:], INITIALIZERS[struct]):
            if value is not None and value != 0:
                setattr(self.pointer, name, value)

    def set_text(self, field: str, value: str | None) -> None:
        if value is not None:
            setattr(self.pointer, field, self._keep(ffi.new("char[]", value.encode())))

    def set_texts(self, field: str, count: str, values: Sequence[str] | None) -> None:
        if values is None:
            return
        texts = [self._keep(ffi.new("char[]", value.encode())) for value in values]
        setattr(self.pointer, field, self._keep(ffi.new("char *[]", texts or [ffi.NULL])))
        setattr(self.pointer, count, len(texts))

    def set_pairs(self, field: str, count: str, values: Mapping[str, str] | None) -> None:
        if not values:
            return
        pairs = self._keep(ffi.new("osdear_pair[]", len(values)))
        for i, (key, value) in enumerate(values.items()):
            pairs[i].key = self._keep(ffi.new("char[]", key.encode()))
            pairs[i].value = self._keep(ffi.new("char[]", str(value).encode()))
        setattr(self.pointer, field, pairs)
        setattr(self.pointer, count, len(values))

    def set_structs(self, field: str, count: str, struct: str, length: int) -> Any:
        """An array for `field`, to be filled by the caller; None where it would be empty."""
        if length == 0:
            return None
        structs = self._keep(ffi.new(f"{struct}[]", length))
        setattr(self.pointer, field, structs)
        setattr(self.pointer, count, length)
        return structs

    def keep_text(self, value: str | None) -> Any:
        """A C string that lives as long as the options."""
        return ffi.NULL if value is None else self._keep(ffi.new("char[]", value.encode()))

    def _keep(self, memory: Any) -> Any:
        self._kept.append(memory)
        return memory


def make_error(error: Any) -> errors.Error:
    """The exception for an `osdear_error *`, which stays the caller's."""
    status = lib.osdear_error_status(error)
    return errors.BY_STATUS.get(status, errors.Error)(
        text(lib.osdear_error_message(error)) or "",
        status=text(lib.osdear_status_name(status)) or "unknown",
        code=text(lib.osdear_error_code(error)),
        http_status=lib.osdear_error_http_status(error),
        request_id=text(lib.osdear_error_request_id(error)),
        retryable=bool(lib.osdear_error_retryable(error)),
    )


def check(function: Any, *arguments: Any) -> None:
    """Call with a place for the error behind the arguments; raise what comes of it. cffi lets go of the GIL meanwhile."""
    error = ffi.new("osdear_error **")
    if function(*arguments, error) == 0:
        return
    try:
        raise make_error(error[0])
    finally:
        lib.osdear_error_free(error[0])


class Context:
    """Threads, memory budget and cancellation that calls share. Ctrl-C ends the calls that wait within `watch()`."""

    def __init__(self, *, threads: int = 0, memory_budget: int = 0) -> None:
        token = ffi.new("osdear_cancel **")
        check(lib.osdear_cancel_new, -1, token)
        self.cancel: Any = ffi.gc(token[0], lib.osdear_cancel_unref)
        options = Options("osdear_context_options")
        options.pointer.threads = threads
        options.pointer.memory_budget_bytes = memory_budget
        options.pointer.cancel = self.cancel
        out = ffi.new("osdear_context **")
        check(lib.osdear_context_new, options.pointer, out)
        self.pointer: Any = ffi.gc(out[0], lib.osdear_context_unref)

    @contextlib.contextmanager
    def watch(self) -> Iterator[None]:
        """While a call waits in C, Python's signal handlers do not run: a watching thread throws the token instead.

        The interrupt is raised once, when the block ends, whatever other libraries made of it; a second one is raised at once."""
        in_main = threading.current_thread() is threading.main_thread()
        if not in_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            yield
            return
        watcher = _Watcher(self.cancel)
        failure: Exception | None = None
        try:
            yield
        except Exception as error:
            failure = error
        finally:
            watcher.stop()
            if watcher.was_interrupted:
                lib.osdear_cancel_reset(self.cancel)
        # Whatever the block failed with, the interrupt was first: it may have struck the stream that another library was reading.
        if watcher.was_interrupted:
            raise KeyboardInterrupt from None
        if failure is not None:
            raise failure


def interruptible(context: Context | None = None) -> contextlib.AbstractContextManager[None]:
    """Lets Ctrl-C end what other libraries read from a scan: by themselves most of them look for it after the last row only.

    with osdear.interruptible():
        rows = pyarrow.table(table.scan())
    """
    return (context or default_context()).watch()


class _Watcher:
    """Reads the numbers of arriving signals from Python's wake-up descriptor.

    A handler of its own keeps KeyboardInterrupt from being raised where nobody can catch it, such as in a capsule's destructor."""

    def __init__(self, cancel: Any) -> None:
        self.was_interrupted = False
        self._cancel = cancel
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        self._has_arrived = False
        self._handler = signal.signal(signal.SIGINT, self._record)
        self._before = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _record(self, number: int, frame: Any) -> None:
        self.was_interrupted = True
        if self._has_arrived:
            raise KeyboardInterrupt
        self._has_arrived = True

    def _run(self) -> None:
        while True:
            signals = os.read(self._reading, 64)
            if signal.SIGINT in signals:
                self.was_interrupted = True
                lib.osdear_cancel_throw(self._cancel)
            if not signals or 0 in signals:
                return

    def stop(self) -> None:
        signal.set_wakeup_fd(self._before)
        os.write(self._writing, b"\0")
        self._thread.join()
        os.close(self._reading)
        os.close(self._writing)
        signal.signal(signal.SIGINT, self._handler)


_default: Context | None = None
_lock = threading.Lock()


def default_context() -> Context:
    """The context of calls that are given none."""
    global _default
    with _lock:
        if _default is None:
            _default = Context()
        return _default
