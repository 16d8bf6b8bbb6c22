"""What goes wrong, as exceptions: one class for each status, all of them `Error`."""

from __future__ import annotations


class Error(Exception):
    """A call failed. `status` is the status's name, such as "not_found"."""

    def __init__(
        self,
        message: str,
        *,
        status: str = "internal",
        code: str | None = None,
        http_status: int = 0,
        request_id: str | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.http_status = http_status
        self.request_id = request_id
        self.retryable = retryable


class ArgumentError(Error, ValueError):
    """The call itself is wrong."""


class NoMemoryError(Error, MemoryError):
    """There was no memory to be had."""


class NotFoundError(Error, LookupError):
    """What was named is not there."""


class ExistsError(Error):
    """What was to be made is there already."""


class ConflictError(Error):
    """Another writer won, and the result would differ: read again, decide again."""


class CorruptError(Error):
    """Stored bytes contradict their format."""


class UnsupportedError(Error):
    """Well formed, but beyond this build; the message names the feature."""


class IOFailedError(Error, OSError):
    """The operating system failed a read or a write."""


class LimitError(Error):
    """A ceiling was met: raise it or give less."""


class DeniedError(Error, PermissionError):
    """Permissions or credentials do not allow it."""


class UnavailableError(Error, ConnectionError):
    """A service did not answer."""


class TimedOutError(Error, TimeoutError):
    """The deadline passed."""


class CancelledError(Error):
    """The caller gave the call up."""


class DataError(Error, ValueError):
    """The rows given do not fit the table."""


class StateError(Error):
    """Not now: the object was closed, or the order of calls is wrong."""


class InternalError(Error):
    """A defect in the library: please report it."""


#: Status number to class.
BY_STATUS: dict[int, type[Error]] = {
    1: ArgumentError,
    2: NoMemoryError,
    3: NotFoundError,
    4: ExistsError,
    5: ConflictError,
    6: CorruptError,
    7: UnsupportedError,
    8: IOFailedError,
    9: LimitError,
    10: DeniedError,
    11: UnavailableError,
    12: TimedOutError,
    13: CancelledError,
    14: DataError,
    15: StateError,
    16: InternalError,
}
