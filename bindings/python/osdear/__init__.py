"""Delta Lake tables in and out through Arrow, on top of libosdear.

    import osdear, pyarrow
    table = osdear.Table.open("lake/flights")
    pyarrow.table(table.scan(columns=["carrier", "arr_delay"], where="month = 3"))
"""

from ._lib import Context, interruptible, lib, text
from .engine import (
    Chunk,
    Container,
    Engine,
    Exec,
    Existing,
    Health,
    Kind,
    Mount,
    Network,
    Port,
    RunResult,
    Spec,
    State,
    Status,
)
from .errors import (
    ArgumentError,
    CancelledError,
    ConflictError,
    CorruptError,
    DataError,
    DeniedError,
    Error,
    ExistsError,
    InternalError,
    IOFailedError,
    LimitError,
    NoMemoryError,
    NotFoundError,
    StateError,
    TimedOutError,
    UnavailableError,
    UnsupportedError,
)
from .job import AsyncJob, AsyncRunner, Follower, Job, JobNote, JobState, Runner
from .stack import Pull, Service, Stack, StackEntry, StackStatus
from .store import File, Store, TreeResult
from .table import Changes, Metadata, Protocol, Scan, Schema, Table, WriteResult

__version__ = text(lib.osdear_version()) or ""

__all__ = [
    "ArgumentError",
    "AsyncJob",
    "AsyncRunner",
    "CancelledError",
    "Changes",
    "Chunk",
    "ConflictError",
    "Container",
    "Context",
    "CorruptError",
    "DataError",
    "DeniedError",
    "Engine",
    "Error",
    "Exec",
    "Existing",
    "ExistsError",
    "File",
    "Follower",
    "Health",
    "IOFailedError",
    "InternalError",
    "Job",
    "JobNote",
    "JobState",
    "Kind",
    "LimitError",
    "Metadata",
    "Mount",
    "Network",
    "NoMemoryError",
    "NotFoundError",
    "Port",
    "Protocol",
    "Pull",
    "RunResult",
    "Runner",
    "Scan",
    "Schema",
    "Service",
    "Spec",
    "Stack",
    "StackEntry",
    "StackStatus",
    "State",
    "StateError",
    "Status",
    "Store",
    "Table",
    "TimedOutError",
    "TreeResult",
    "UnavailableError",
    "UnsupportedError",
    "WriteResult",
    "__version__",
    "interruptible",
]
