"""Jobs on services: local programs, Spark, Airflow and others, in the same words."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import enum
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, TypeVar

from . import _arrow, errors
from ._lib import Context, Options, check, default_context, ffi, lib, make_error, text

if TYPE_CHECKING:
    from typing_extensions import Self

P = ParamSpec("P")
T = TypeVar("T")


class JobState(enum.IntEnum):
    """Where a job stands. UNKNOWN is no end: the service says something that this version does not know."""

    UNKNOWN = 0
    PENDING = 1
    RUNNING = 2
    SUCCEEDED = 3
    FAILED = 4
    CANCELLED = 5

    @classmethod
    def _missing_(cls, value: object) -> JobState:
        return cls.UNKNOWN

    @property
    def is_final(self) -> bool:
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


@dataclasses.dataclass(frozen=True)
class JobNote:
    """What was noted down of a submission. `id` is None where the service's answer never came."""

    id: str | None
    name: str | None
    key: str | None
    created: datetime.datetime


def _milliseconds(seconds: float | None) -> int:
    return -1 if seconds is None else round(seconds * 1000)


class Job:
    """One job of a runner; `Runner.submit` and `Runner.attach` make them. One thread at a time, with its runner."""

    def __init__(self, context: Context, pointer: Any) -> None:
        self._context = context
        self._pointer = ffi.gc(pointer, lib.osdear_job_free)

    @property
    def id(self) -> str:
        return text(lib.osdear_job_id(self._pointer)) or ""

    @property
    def state(self) -> JobState:
        """As of the last poll or wait."""
        return JobState(lib.osdear_job_state_get(self._pointer))

    @property
    def native_state(self) -> str:
        """The service's own word."""
        return text(lib.osdear_job_native_state(self._pointer)) or ""

    @property
    def message(self) -> str | None:
        """What the service says about it."""
        return text(lib.osdear_job_message(self._pointer))

    @property
    def was_found(self) -> bool:
        """The submission's key was known: nothing was sent."""
        return bool(lib.osdear_job_was_found(self._pointer))

    def __repr__(self) -> str:
        return f"Job({self.id!r}, {self.state.name})"

    def poll(self) -> JobState:
        """Ask the service once."""
        with self._context.watch():
            check(lib.osdear_job_poll, self._pointer)
        return self.state

    def wait(self, timeout: float | None = None, *, cancel_on_timeout: bool = False, max_failed_polls: int = 0) -> JobState:
        """Wait until it is over, however it ended. TimedOutError after `timeout` seconds; then it was left running, or cancelled."""
        options = Options("osdear_job_wait_options")
        options.pointer.timeout_ms = _milliseconds(timeout)
        options.pointer.cancel_on_timeout = int(cancel_on_timeout)
        options.pointer.max_failed_polls = max_failed_polls
        with self._context.watch():
            check(lib.osdear_job_wait, self._pointer, options.pointer)
        return self.state

    def cancel(self, timeout: float | None = None) -> JobState:
        """End it, and see that it ended; `timeout` 0 asks only."""
        options = Options("osdear_job_cancel_options")
        options.pointer.timeout_ms = _milliseconds(timeout)
        with self._context.watch():
            check(lib.osdear_job_cancel, self._pointer, options.pointer)
        return self.state

    def result(self) -> dict[str, Any]:
        """What came of it, and what it took."""
        out = ffi.new("char **")
        with self._context.watch():
            check(lib.osdear_job_result, self._pointer, out)
        try:
            found: dict[str, Any] = json.loads(text(out[0]) or "{}")
        finally:
            lib.osdear_text_free(out[0])
        return found

    def rows(self) -> _arrow.Stream:
        """The rows that are its result, typed, once it has succeeded: for statements of Dremio. Read them in the runner's thread."""
        struct = _arrow.new(b"arrow_array_stream")
        with self._context.watch():
            check(lib.osdear_job_rows, self._pointer, struct)
        return _arrow.Stream(self._context, struct)

    def logs(self, stream: str | None = None, *, follow: bool = False) -> Iterator[bytes]:
        """What it wrote, piece by piece; with `follow` until it is over."""
        log = _Log(self, stream, follow)
        try:
            while data := log.read():
                yield data
        finally:
            log.close()


class _Log:
    """A log that is read on from where it was. Without `follow` nothing is what it gives when there is nothing now."""

    def __init__(self, job: Job, stream: str | None, follow: bool) -> None:
        options = Options("osdear_job_log_options")
        options.set_text("stream", stream)
        options.pointer.follow = int(follow)
        out = ffi.new("osdear_job_log **")
        self._job = job
        with job._context.watch():
            check(lib.osdear_job_logs, job._pointer, options.pointer, out)
        self._pointer = ffi.gc(out[0], lib.osdear_job_log_free)
        self._data, self._size = ffi.new("char **"), ffi.new("size_t *")

    def read(self) -> bytes:
        with self._job._context.watch():
            check(lib.osdear_job_log_next, self._pointer, self._data, self._size)
        return bytes(ffi.buffer(self._data[0], self._size[0]))

    def close(self) -> None:
        ffi.release(self._pointer)


def _check_scheme(runner: Runner | AsyncRunner, address: str) -> None:
    if not address.startswith(runner._scheme):
        words = f'the address of a {type(runner).__name__} starts with "{runner._scheme}"; this one is "{address}"'
        raise errors.ArgumentError(words, status="argument")


class Runner:
    """A service that runs jobs, by address: "process:", "spark+http://host:6066". A context manager; jobs outlive it."""

    _scheme: ClassVar[str] = ""  # of the one service that a subclass is for

    def __init__(
        self,
        address: str,
        settings: Mapping[str, str] | None = None,
        *,
        state_folder: str | None = None,
        context: Context | None = None,
    ) -> None:
        _check_scheme(self, address)
        self.address = address
        self._context = context or default_context()
        options = Options("osdear_runner_options")
        options.set_pairs("settings", "setting_count", settings)
        options.set_text("state_folder", state_folder)
        out = ffi.new("osdear_runner **")
        check(lib.osdear_runner_open, self._context.pointer, address.encode(), options.pointer, out)
        self._pointer = ffi.gc(out[0], lib.osdear_runner_free)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the runner. Its jobs go on, and stay usable."""
        if self._pointer is not None:
            ffi.release(self._pointer)
        self._pointer = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address!r})"

    def _handle(self) -> Any:
        if self._pointer is None:
            raise errors.StateError(f"the runner {self.address} was closed", status="state")
        return self._pointer

    def submit(self, spec: Mapping[str, Any] | str, *, key: str | None = None) -> Job:
        """Start what `spec` describes. A second submission under the same `key` finds the first job, and sends nothing."""
        options = Options("osdear_submit_options")
        options.set_text("key", key)
        words = spec if isinstance(spec, str) else json.dumps(spec)
        out = ffi.new("osdear_job **")
        with self._context.watch():
            check(lib.osdear_runner_submit, self._handle(), words.encode(), options.pointer, out)
        return Job(self._context, out[0])

    def attach(self, id: str) -> Job:
        """Take up a job by its id, whoever started it."""
        out = ffi.new("osdear_job **")
        check(lib.osdear_runner_attach, self._handle(), id.encode(), out)
        return Job(self._context, out[0])

    def call(self, verb: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """Have the service do something that is no job, such as "pause" of Airflow; gives what it says."""
        out = ffi.new("char **")
        words = json.dumps(arguments or {})
        with self._context.watch():
            check(lib.osdear_runner_call, self._handle(), verb.encode(), words.encode(), out)
        try:
            return json.loads(text(out[0]) or "null")
        finally:
            lib.osdear_text_free(out[0])

    def prune(self, min_age: datetime.timedelta | None = None) -> int:
        """Forget jobs that are over and were submitted so long ago or longer, by default 30 days; gives how many."""
        options = Options("osdear_prune_options")
        if min_age is not None:
            options.pointer.min_age_ms = _milliseconds(min_age.total_seconds())
        removed = ffi.new("int64_t *")
        with self._context.watch():
            check(lib.osdear_runner_prune, self._handle(), options.pointer, removed)
        return int(removed[0])

    def jobs(self) -> list[JobNote]:
        """What was noted down of submissions to this address, newest first. Asks no service."""
        out = ffi.new("osdear_job_list **")
        check(lib.osdear_runner_jobs, self._handle(), out)
        notes = ffi.gc(out[0], lib.osdear_job_list_free)
        found: list[JobNote] = []
        while (note := lib.osdear_job_list_get(notes, len(found))) != ffi.NULL:
            created = datetime.datetime.fromtimestamp(note.created_us / 1e6, datetime.timezone.utc)
            found.append(JobNote(text(note.id), text(note.name), text(note.key), created))
        return found


class Follower:
    """Follows thousands of jobs from one thread. `for job in follower` gives each job that changed, until all are over.

    With a loop of your own: when `fileno()` is readable, call `step(0)`, then take what `changes()` gives."""

    def __init__(self, jobs: Iterable[Job] = (), *, context: Context | None = None) -> None:
        self._context = context or default_context()
        out = ffi.new("osdear_follower **")
        check(lib.osdear_follower_new, self._context.pointer, ffi.NULL, out)
        self._pointer = ffi.gc(out[0], lib.osdear_follower_free)
        self._jobs: dict[Any, Job] = {}
        for job in jobs:
            self.add(job)

    def add(self, job: Job) -> None:
        check(lib.osdear_follower_add, self._pointer, job._pointer, ffi.NULL)
        self._jobs[job._pointer] = job

    def remove(self, job: Job) -> None:
        lib.osdear_follower_remove(self._pointer, job._pointer)
        self._jobs.pop(job._pointer, None)

    def __len__(self) -> int:
        return int(lib.osdear_follower_count(self._pointer))

    def fileno(self) -> int:
        return int(lib.osdear_follower_descriptor(self._pointer))

    def step(self, timeout: float | None = None) -> None:
        """Do what there is to do, and wait for something for `timeout` seconds; None: until there is a change."""
        with self._context.watch():
            check(lib.osdear_follower_step, self._pointer, _milliseconds(timeout))

    def changes(self) -> Iterator[tuple[Job, errors.Error | None]]:
        """The jobs that changed; with an error, a job that can be followed no more."""
        change = ffi.new("osdear_job_change *")
        while lib.osdear_follower_next(self._pointer, change):
            job = self._jobs[change.job]
            failure = make_error(change.failure) if change.failure != ffi.NULL else None
            if failure is not None or job.state.is_final:
                del self._jobs[change.job]
            yield job, failure

    def __iter__(self) -> Iterator[Job]:
        while self._jobs:
            self.step()
            for job, failure in self.changes():
                if failure is not None:
                    raise failure
                yield job


class AsyncJob:
    """A job for asyncio. Waiting takes no thread: one follower for each runner polls from the event loop."""

    def __init__(self, runner: AsyncRunner, job: Job) -> None:
        self._runner = runner
        self._job = job

    @property
    def id(self) -> str:
        return self._job.id

    @property
    def state(self) -> JobState:
        return self._job.state

    @property
    def native_state(self) -> str:
        return self._job.native_state

    @property
    def message(self) -> str | None:
        return self._job.message

    @property
    def was_found(self) -> bool:
        return self._job.was_found

    def __repr__(self) -> str:
        return f"AsyncJob({self.id!r}, {self.state.name})"

    async def poll(self) -> JobState:
        return await self._runner._call(self._job.poll)

    async def wait(self, timeout: float | None = None, *, cancel_on_timeout: bool = False) -> JobState:
        """Wait until it is over. TimeoutError after `timeout` seconds; then it was left running, or cancelled."""
        try:
            await asyncio.wait_for(self._runner._end_of(self.id), timeout)
        except asyncio.TimeoutError:
            if cancel_on_timeout:
                await self.cancel()
            raise errors.TimedOutError(f"job {self.id} was not over in {timeout} s", status="timeout") from None
        return await self.poll()

    async def cancel(self, timeout: float | None = None) -> JobState:
        return await self._runner._call(self._job.cancel, timeout)

    async def result(self) -> dict[str, Any]:
        return await self._runner._call(self._job.result)

    async def rows(self) -> AsyncIterator[_arrow.Batch]:
        """The rows that are its result, typed, once it has succeeded; a page at a time, with other calls in between."""
        stream = await self._runner._call(self._job.rows)
        while (batch := await self._runner._call(stream.read_batch)) is not None:
            yield batch

    async def logs(self, stream: str | None = None, *, follow: bool = False) -> AsyncIterator[bytes]:
        """What it wrote. With `follow` it is read until the job is over, with other calls in between."""
        log = await self._runner._call(_Log, self._job, stream, False)
        try:
            while True:
                is_over = not follow or (await self.poll()).is_final
                while data := await self._runner._call(log.read):
                    yield data
                if is_over:
                    return
                await asyncio.sleep(0.5)
        finally:
            log.close()


class AsyncRunner:
    """A runner for asyncio. Calls that may wait run in a thread, one at a time; following does not need one."""

    _scheme: ClassVar[str] = ""

    def __init__(self, address: str, settings: Mapping[str, str] | None = None, *, state_folder: str | None = None) -> None:
        _check_scheme(self, address)
        # Two handles, since a runner belongs to one thread at a time: one for calls, one for what the event loop follows.
        self._calling = Runner(address, settings, state_folder=state_folder)
        self._following = Runner(address, settings, state_folder=state_folder)
        self._lock = asyncio.Lock()
        self._follower: Follower | None = None
        self._ends: dict[str, asyncio.Future[None]] = {}

    async def _call(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        async with self._lock:
            return await asyncio.to_thread(function, *arguments, **named)

    async def submit(self, spec: Mapping[str, Any] | str, *, key: str | None = None) -> AsyncJob:
        return AsyncJob(self, await self._call(self._calling.submit, spec, key=key))

    async def attach(self, id: str) -> AsyncJob:
        return AsyncJob(self, await self._call(self._calling.attach, id))

    async def call(self, verb: str, arguments: Mapping[str, Any] | None = None) -> Any:
        return await self._call(self._calling.call, verb, arguments)

    async def prune(self, min_age: datetime.timedelta | None = None) -> int:
        return await self._call(self._calling.prune, min_age)

    async def jobs(self) -> list[JobNote]:
        return await self._call(self._calling.jobs)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        if self._follower is not None:
            asyncio.get_running_loop().remove_reader(self._follower.fileno())
            self._follower = None
        self._calling.close()
        self._following.close()

    async def _end_of(self, id: str) -> None:
        """Comes back when the job is over; waiters for one job share one place in the follower."""
        if id not in self._ends:
            loop = asyncio.get_running_loop()
            if self._follower is None:
                self._follower = Follower()
                loop.add_reader(self._follower.fileno(), self._step)
            self._ends[id] = loop.create_future()
            self._follower.add(self._following.attach(id))
        await asyncio.shield(self._ends[id])

    def _step(self) -> None:
        if self._follower is None:
            return
        try:
            self._follower.step(0)
            changes = list(self._follower.changes())
        except errors.Error as error:
            for end in self._ends.values():
                end.set_exception(error)
            self._ends.clear()
            return
        for job, failure in changes:
            if failure is None and not job.state.is_final:
                continue
            end = self._ends.pop(job.id)
            if failure is not None:
                end.set_exception(failure)
            else:
                end.set_result(None)
