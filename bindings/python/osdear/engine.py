"""Container engines: Docker, Podman, Portainer environments; their containers, images, networks and volumes."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import IO, Any

from ._lib import Context, Options, check, default_context, ffi, lib, text

#: Filters of the engine: {"label": "app=etl"} or {"label": ["app=etl", "day=1"]}.
Filters = Mapping[str, str | Sequence[str]]


def _plain(arguments: Sequence[Any]) -> list[Any]:
    """Arguments as C takes them. Options own what their struct points to, so they are handed on whole until here."""
    return [argument.pointer if isinstance(argument, Options) else argument for argument in arguments]


class Kind(enum.IntEnum):
    """What an engine holds."""

    CONTAINER = 0
    IMAGE = 1
    NETWORK = 2
    VOLUME = 3


class State(enum.IntEnum):
    """How a container is, in words that all engines share."""

    OTHER = 0
    CREATED = 1
    RUNNING = 2
    PAUSED = 3
    EXITED = 4
    REMOVED = 5


class Health(enum.IntEnum):
    """What a container's health check says."""

    NONE = 0
    STARTING = 1
    HEALTHY = 2
    UNHEALTHY = 3


class Existing(enum.IntEnum):
    """What a run does with a container of its name that is there already."""

    REPLACE = 0
    TAKE_UP = 1
    FAIL = 2


@dataclasses.dataclass(frozen=True)
class Chunk:
    """A piece of output. `channel` is "stdout" or "stderr"; `time` is known for logs only."""

    channel: str
    data: bytes
    time: datetime.datetime | None


@dataclasses.dataclass(frozen=True)
class Status:
    """How a container is."""

    state: State
    health: Health
    exit_code: int
    was_out_of_memory: bool
    started: datetime.datetime | None
    finished: datetime.datetime | None


@dataclasses.dataclass(frozen=True)
class RunResult:
    """How a run ended. `last_output` is the end of what it wrote."""

    exit_code: int
    was_out_of_memory: bool
    was_taken_up: bool
    container_id: str
    last_output: str


@dataclasses.dataclass(frozen=True)
class Mount:
    """A folder or volume of the engine's host, seen inside; a `source` of None is memory."""

    source: str | None
    target: str
    read_only: bool = False


@dataclasses.dataclass(frozen=True)
class Port:
    """A port inside, reachable from outside; `host_port` 0 lets the engine choose, -1 only declares it."""

    container_port: int
    host_port: int = 0
    host_ip: str | None = None
    protocol: str = "tcp"


@dataclasses.dataclass(frozen=True)
class Network:
    """A network to be in, and the names one is found by there."""

    name: str
    aliases: Sequence[str] = ()


@dataclasses.dataclass(kw_only=True)
class Spec:
    """What a container is to be."""

    image: str
    name: str | None = None
    command: Sequence[str] | None = None
    entrypoint: Sequence[str] | None = None
    environment: Mapping[str, str] | None = None
    labels: Mapping[str, str] | None = None
    mounts: Sequence[Mount] = ()
    ports: Sequence[Port] = ()
    networks: Sequence[Network] = ()
    health: Sequence[str] | None = None
    health_interval_ms: int = 0
    health_timeout_ms: int = 0
    health_start_ms: int = 0
    health_retries: int = 0
    gpus: int = 0
    memory_bytes: int = 0
    cpu_milli: int = 0
    pids: int = 0
    shm_bytes: int = 0
    restart: str | None = None
    user: str | None = None
    folder: str | None = None
    hostname: str | None = None
    stop_signal: str | None = None
    cap_add: Sequence[str] = ()
    cap_drop: Sequence[str] = ()
    tty: bool = False
    open_stdin: bool = False
    init: bool = False
    read_only: bool = False
    privileged: bool = False
    platform: str | None = None
    extra: Mapping[str, object] | None = None
    """Laid over the engine's own request, for what has no field."""

    def _options(self) -> Options:
        options = Options("osdear_container_spec")
        for name in ("image", "name", "restart", "user", "folder", "hostname", "stop_signal", "platform"):
            options.set_text(name, getattr(self, name))
        for name in ("command", "entrypoint", "health", "cap_add", "cap_drop"):
            options.set_texts(name, f"{name}_count", getattr(self, name) or None)
        options.set_pairs("environment", "environment_count", self.environment)
        options.set_pairs("labels", "label_count", self.labels)
        for name in ("health_interval_ms", "health_timeout_ms", "health_start_ms", "health_retries", "gpus", "memory_bytes", "cpu_milli",
                     "pids", "shm_bytes", "tty", "open_stdin", "init", "read_only", "privileged"):
            setattr(options.pointer, name, int(getattr(self, name)))
        if self.extra is not None:
            options.set_text("extra_json", json.dumps(self.extra))
        self._set_places(options)
        return options

    def _set_places(self, options: Options) -> None:
        mounts = options.set_structs("mounts", "mount_count", "osdear_mount", len(self.mounts))
        for i, mount in enumerate(self.mounts):
            mounts[i].source = options.keep_text(mount.source)
            mounts[i].target = options.keep_text(mount.target)
            mounts[i].read_only = mount.read_only
        ports = options.set_structs("ports", "port_count", "osdear_port", len(self.ports))
        for i, port in enumerate(self.ports):
            ports[i].container_port, ports[i].host_port = port.container_port, port.host_port
            ports[i].host_ip = options.keep_text(port.host_ip)
            ports[i].protocol = options.keep_text(port.protocol)
        networks = options.set_structs("networks", "network_count", "osdear_network", len(self.networks))
        for i, network in enumerate(self.networks):
            networks[i].name = options.keep_text(network.name)
            networks[i].aliases = options.keep_text(",".join(network.aliases) or None)


def _time(us: int) -> datetime.datetime | None:
    return datetime.datetime.fromtimestamp(us / 1_000_000, datetime.timezone.utc) if us else None


def _us(time: datetime.datetime | None) -> int:
    return 0 if time is None else round(time.timestamp() * 1_000_000)


def _pairs(filters: Filters | None) -> tuple[Any, int, list[Any]]:
    flat = [(key, value) for key, values in (filters or {}).items() for value in ([values] if isinstance(values, str) else values)]
    kept: list[Any] = [ffi.new("char[]", word.encode()) for pair in flat for word in pair]
    pairs = ffi.new("osdear_pair[]", max(len(flat), 1))
    for i in range(len(flat)):
        pairs[i].key, pairs[i].value = kept[2 * i], kept[2 * i + 1]
    return pairs, len(flat), kept


def _descriptor(file: IO[Any] | int | None) -> int:
    if file is None:
        return -1
    if isinstance(file, int):
        return file
    file.flush()
    return file.fileno()


class Stream:
    """What an engine sends bit by bit: iterate over it. Closed at the end of a `with` block, or by close()."""

    def __init__(self, context: Context, pointer: Any) -> None:
        self._context = context
        self._pointer = ffi.gc(pointer, lib.osdear_engine_stream_free)

    def _next(self) -> Any:
        chunk = ffi.new("osdear_chunk *")
        chunk.size = ffi.sizeof("osdear_chunk")
        with self._context.watch():
            check(lib.osdear_engine_stream_next, self._pointer, chunk)
        return chunk

    def close(self) -> None:
        """Let go of it. What it was attached to goes on."""
        if self._pointer != ffi.NULL:
            ffi.release(self._pointer)
            self._pointer = ffi.NULL

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Output(Stream):
    """Output of a container, as Chunks."""

    def __iter__(self) -> Iterator[Chunk]:
        return self

    def __enter__(self) -> Output:
        return self

    def __next__(self) -> Chunk:
        chunk = self._next()
        if chunk.data == ffi.NULL:
            raise StopIteration
        return Chunk("stderr" if chunk.channel == 2 else "stdout", bytes(ffi.buffer(chunk.data, chunk.data_size)), _time(chunk.time_us))

    def write(self, data: bytes) -> None:
        """Send bytes to its standard input."""
        with self._context.watch():
            check(lib.osdear_engine_stream_write, self._pointer, data, len(data))

    def close_input(self) -> None:
        """End its standard input."""
        check(lib.osdear_engine_stream_close_input, self._pointer)


class Exec(Output):
    """Output of a command that was started in a container."""

    def exit_code(self) -> int:
        """How it ended, once it has been read to its end."""
        out = ffi.new("int32_t *")
        check(lib.osdear_engine_stream_exit_code, self._pointer, out)
        return int(out[0])


class Messages(Stream):
    """Events or statistics, as dicts."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self

    def __enter__(self) -> Messages:
        return self

    def __next__(self) -> dict[str, Any]:
        chunk = self._next()
        if chunk.data == ffi.NULL:
            raise StopIteration
        found: dict[str, Any] = json.loads(bytes(ffi.buffer(chunk.data, chunk.data_size)))
        return found


class Container:
    """One container. Losing the object leaves the container as it is."""

    def __init__(self, context: Context, pointer: Any) -> None:
        self._context = context
        self._pointer = ffi.gc(pointer, lib.osdear_container_free)

    @property
    def id(self) -> str:
        return text(lib.osdear_container_id(self._pointer)) or ""

    def _call(self, function: Any, *arguments: Any) -> None:
        with self._context.watch():
            check(function, self._pointer, *_plain(arguments))

    def start(self) -> None:
        """Start it; one that runs already is no failure."""
        self._call(lib.osdear_container_start)

    def stop(self, grace_s: int = -1) -> None:
        """Ask it to end, and kill it when it has not by then."""
        self._call(lib.osdear_container_stop, grace_s)

    def restart(self, grace_s: int = -1) -> None:
        self._call(lib.osdear_container_restart, grace_s)

    def kill(self, signal: str | None = None) -> None:
        self._call(lib.osdear_container_kill, ffi.NULL if signal is None else ffi.new("char[]", signal.encode()))

    def pause(self) -> None:
        self._call(lib.osdear_container_pause)

    def unpause(self) -> None:
        self._call(lib.osdear_container_unpause)

    def rename(self, name: str) -> None:
        self._call(lib.osdear_container_rename, ffi.new("char[]", name.encode()))

    def update(self, *, memory_bytes: int = 0, cpu_milli: int = 0, pids: int = 0, restart: str | None = None) -> None:
        """Change its limits."""
        spec = Spec(image="", memory_bytes=memory_bytes, cpu_milli=cpu_milli, pids=pids, restart=restart)
        self._call(lib.osdear_container_update, spec._options())

    def remove(self, *, force: bool = False, volumes: bool = False, missing: bool = False) -> None:
        self._call(lib.osdear_container_remove, _remove_options(force, volumes, missing))

    def status(self) -> Status:
        result = ffi.new("osdear_container_status_result *")
        result.size = ffi.sizeof("osdear_container_status_result")
        self._call(lib.osdear_container_status, result)
        return Status(State(result.state), Health(result.health), result.exit_code, bool(result.was_out_of_memory),
                      _time(result.started_us), _time(result.finished_us))

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended; its exit code. TimedOutError when it still runs after `timeout` seconds."""
        out = ffi.new("int32_t *")
        self._call(lib.osdear_container_wait, -1 if timeout is None else int(timeout * 1000), out)
        return int(out[0])

    def wait_healthy(self, timeout: float | None = None) -> None:
        """Wait until its health check says that it is well."""
        self._call(lib.osdear_container_wait_healthy, -1 if timeout is None else int(timeout * 1000))

    def logs(self, *, follow: bool = False, stdout: bool = True, stderr: bool = True, tail: int | None = None,
             since: datetime.datetime | None = None, until: datetime.datetime | None = None) -> Output:
        """What it wrote. With `follow` until it ends, across restarts of the engine, without loss or repeats."""
        options = Options("osdear_logs_options")
        options.pointer.follow, options.pointer.no_stdout, options.pointer.no_stderr = follow, not stdout, not stderr
        options.pointer.tail = -1 if tail is None else tail
        options.pointer.since_us, options.pointer.until_us = _us(since), _us(until)
        return Output(self._context, self._stream(lib.osdear_container_logs, options))

    def attach(self) -> Output:
        """Its output from now on, and its standard input."""
        return Output(self._context, self._stream(lib.osdear_container_attach))

    def exec(self, command: Sequence[str], *, environment: Mapping[str, str] | None = None, user: str | None = None,
             folder: str | None = None, tty: bool = False, open_stdin: bool = False) -> Exec:
        """Run a further command in it."""
        options = Options("osdear_exec_options")
        options.set_pairs("environment", "environment_count", environment)
        options.set_text("user", user)
        options.set_text("folder", folder)
        options.pointer.tty, options.pointer.open_stdin = tty, open_stdin
        words = [ffi.new("char[]", word.encode()) for word in command]
        return Exec(self._context, self._stream(lib.osdear_container_exec, ffi.new("char *[]", words or [ffi.NULL]), len(words), options))

    def stats(self, *, once: bool = False) -> Messages:
        """What it uses: a dict each second, or one."""
        return Messages(self._context, self._stream(lib.osdear_container_stats, once))

    def copy_in(self, path: str | os.PathLike[str], target: str) -> None:
        """Copy a file or folder of this machine into an existing folder inside."""
        self._call(lib.osdear_container_copy_in, os.fsencode(path), target.encode())

    def copy_out(self, path: str, target: str | os.PathLike[str]) -> None:
        """Copy a file or folder of the container into a folder here."""
        self._call(lib.osdear_container_copy_out, path.encode(), os.fsencode(target))

    def _stream(self, function: Any, *arguments: Any) -> Any:
        out = ffi.new("osdear_engine_stream **")
        self._call(function, *arguments, out)
        return out[0]

    def __repr__(self) -> str:
        return f"<Container {self.id[:12]}>"


def _remove_options(force: bool, volumes: bool, missing: bool) -> Options:
    options = Options("osdear_remove_options")
    options.pointer.force, options.pointer.volumes, options.pointer.missing = force, volumes, missing
    return options


class Engine:
    """The way to a container engine. `address` is `unix:///path`, `tcp://host:port`, `ssh://user@host`, `podman`,
    `portainer+https://host:9443/environment`; None is what DOCKER_HOST or Docker's current context says."""

    def __init__(self, address: str | None = None, *, settings: Mapping[str, str] | None = None, timeout: float | None = None,
                 context: Context | None = None) -> None:
        self._context = context or default_context()
        options = Options("osdear_engine_options")
        options.set_pairs("settings", "setting_count", settings)
        options.pointer.timeout_ms = 0 if timeout is None else int(timeout * 1000)
        out = ffi.new("osdear_engine **")
        with self._context.watch():
            check(lib.osdear_engine_open, self._context.pointer, ffi.NULL if address is None else address.encode(), options.pointer, out)
        self._pointer = ffi.gc(out[0], lib.osdear_engine_unref)

    @property
    def address(self) -> str:
        return text(lib.osdear_engine_address(self._pointer)) or ""

    @property
    def kind(self) -> str:
        """ "docker" or "podman"."""
        return text(lib.osdear_engine_kind(self._pointer)) or ""

    @property
    def api_version(self) -> str:
        return text(lib.osdear_engine_api_version(self._pointer)) or ""

    def _call(self, function: Any, *arguments: Any) -> None:
        with self._context.watch():
            check(function, self._pointer, *_plain(arguments))

    def _json(self, function: Any, *arguments: Any) -> Any:
        out = ffi.new("char **")
        self._call(function, *arguments, out)
        try:
            answer = text(out[0]) or ""
        finally:
            lib.osdear_text_free(out[0])
        return json.loads(answer) if answer.strip() else None

    def request(self, method: str, path: str, body: object = None) -> Any:
        """Any request of the Engine API, for what has no call of its own."""
        return self._json(lib.osdear_engine_request, method.encode(), path.encode(), ffi.NULL if body is None else json.dumps(body).encode())

    def inspect(self, kind: Kind, name: str) -> dict[str, Any]:
        """All that the engine knows of one object."""
        found: dict[str, Any] = self._json(lib.osdear_engine_inspect, kind, name.encode())
        return found

    def list(self, kind: Kind, filters: Filters | None = None) -> list[dict[str, Any]]:
        """The objects of a kind; containers include those that do not run."""
        pairs, count, _kept = _pairs(filters)
        found: list[dict[str, Any]] = self._json(lib.osdear_engine_list, kind, pairs, count)
        return found

    def remove(self, kind: Kind, name: str, *, force: bool = False, volumes: bool = False, missing: bool = False) -> None:
        self._call(lib.osdear_engine_remove, kind, name.encode(), _remove_options(force, volumes, missing))

    def prune(self, kind: Kind, filters: Filters | None = None) -> dict[str, Any]:
        """Remove what nothing uses."""
        pairs, count, _kept = _pairs(filters)
        found: dict[str, Any] = self._json(lib.osdear_engine_prune, kind, pairs, count)
        return found

    def create_network(self, name: str, *, driver: str | None = None, labels: Mapping[str, str] | None = None, internal: bool = False,
                       if_not_exists: bool = False) -> None:
        self._make(lib.osdear_engine_network_create, name, driver, labels, internal, if_not_exists)

    def create_volume(self, name: str, *, driver: str | None = None, labels: Mapping[str, str] | None = None,
                      if_not_exists: bool = False) -> None:
        self._make(lib.osdear_engine_volume_create, name, driver, labels, False, if_not_exists)

    def _make(self, function: Any, name: str, driver: str | None, labels: Mapping[str, str] | None, internal: bool,
              if_not_exists: bool) -> None:
        options = Options("osdear_object_options")
        options.set_text("driver", driver)
        options.set_pairs("labels", "label_count", labels)
        options.pointer.internal, options.pointer.if_not_exists = internal, if_not_exists
        self._call(function, name.encode(), options)

    def pull(self, image: str, *, platform: str | None = None, username: str | None = None, password: str | None = None,
             only_if_missing: bool = False) -> None:
        """Fetch an image; credentials come from Docker's configuration where none are given."""
        self._call(lib.osdear_image_pull, image.encode(), _pull_options(platform, username, password, only_if_missing))

    def has_image(self, image: str) -> bool:
        out = ffi.new("int32_t *")
        self._call(lib.osdear_image_present, image.encode(), out)
        return bool(out[0])

    def tag_image(self, image: str, name: str) -> None:
        self._call(lib.osdear_image_tag, image.encode(), name.encode())

    def load_image(self, path: str | os.PathLike[str]) -> None:
        """Bring in images from a file that `docker save` wrote."""
        self._call(lib.osdear_image_load, os.fsencode(path))

    def import_image(self, path: str | os.PathLike[str], name: str, command: Sequence[str] = ()) -> None:
        """Make an image from a tar file of a root file system."""
        words = [ffi.new("char[]", word.encode()) for word in command]
        self._call(lib.osdear_image_import, os.fsencode(path), name.encode(), ffi.new("char *[]", [*words, ffi.NULL]))

    def create(self, spec: Spec) -> Container:
        """Make a container, which does not run yet."""
        out = ffi.new("osdear_container **")
        options = spec._options()
        self._call(lib.osdear_container_create, options, out)
        return Container(self._context, out[0])

    def get(self, name: str) -> Container:
        """The container of this name or id."""
        out = ffi.new("osdear_container **")
        self._call(lib.osdear_container_get, name.encode(), out)
        return Container(self._context, out[0])

    def run(self, spec: Spec, *, stdout: IO[Any] | int | None = None, stderr: IO[Any] | int | None = None,
            results: Mapping[str, str] | None = None, existing: Existing = Existing.REPLACE, timeout: float | None = None, grace_s: int = 0,
            keep: bool = False, never_pull: bool = False, always_pull: bool = False, last_bytes: int = 0, run_id: str | None = None) -> RunResult:
        """Run a job in a container, from pulling its image to removing what is left of it."""
        options = Options("osdear_run_options")
        pull = _pull_options(None, None, None, False)
        if always_pull:
            options.pointer.pull = pull.pointer
        options.pointer.never_pull, options.pointer.existing, options.pointer.keep = never_pull, existing, keep
        options.pointer.timeout_ms = 0 if timeout is None else int(timeout * 1000)
        options.pointer.grace_s, options.pointer.last_bytes = grace_s, last_bytes
        options.pointer.stdout_fd, options.pointer.stderr_fd = _descriptor(stdout), _descriptor(stderr)
        options.set_pairs("results", "result_count", results)
        options.set_text("run_id", run_id)
        result = ffi.new("osdear_run_result *")
        result.size = ffi.sizeof("osdear_run_result")
        described = spec._options()
        self._call(lib.osdear_container_run, described, options, result)
        try:
            return RunResult(result.exit_code, bool(result.was_out_of_memory), bool(result.was_taken_up), text(result.container_id) or "",
                             text(result.last_output) or "")
        finally:
            lib.osdear_run_result_clear(result)

    def sweep(self, run_id: str | None = None) -> int:
        """Remove the containers of runs whose process has died here, or of one run; how many they were."""
        out = ffi.new("int32_t *")
        self._call(lib.osdear_container_sweep, ffi.NULL if run_id is None else run_id.encode(), out)
        return int(out[0])

    def events(self, filters: Filters | None = None, *, since: datetime.datetime | None = None,
               until: datetime.datetime | None = None) -> Messages:
        """What happens in the engine, from now on or from `since`, until `until` or for ever."""
        pairs, count, _kept = _pairs(filters)
        options = Options("osdear_events_options")
        options.pointer.filters, options.pointer.filter_count = pairs, count
        options.pointer.since_us, options.pointer.until_us = _us(since), _us(until)
        out = ffi.new("osdear_engine_stream **")
        self._call(lib.osdear_engine_events, options, out)
        return Messages(self._context, out[0])

    def __repr__(self) -> str:
        return f"<Engine {self.kind} {self.address}>"


def _pull_options(platform: str | None, username: str | None, password: str | None, only_if_missing: bool) -> Options:
    options = Options("osdear_pull_options")
    options.set_text("platform", platform)
    options.set_text("username", username)
    options.set_text("password", password)
    options.pointer.only_if_missing = only_if_missing
    return options


__all__ = [
    "Chunk",
    "Container",
    "Engine",
    "Exec",
    "Existing",
    "Filters",
    "Health",
    "Kind",
    "Messages",
    "Mount",
    "Network",
    "Output",
    "Port",
    "RunResult",
    "Spec",
    "State",
    "Status",
    "Stream",
]
