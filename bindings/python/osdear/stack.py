"""Stacks: services that belong together on one host, made by Portainer from a Compose file or from descriptions of containers."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping, Sequence
from typing import Any

from ._lib import Context, Options, check, ffi, lib, text
from .engine import Engine, Spec


class Pull(enum.IntEnum):
    """Whether images are fetched before services are brought up."""

    MISSING = 0
    ALWAYS = 1
    NEVER = 2


@dataclasses.dataclass(frozen=True)
class StackEntry:
    """A stack in a list. `id` is Portainer's, or None; `is_wanted_up` is what Portainer notes down: a wish, not a state."""

    name: str
    id: int | None
    is_wanted_up: bool
    containers: int
    running: int


@dataclasses.dataclass(frozen=True)
class StackStatus:
    """How a stack is, by its containers: how many run, how many of those are well, how many ended with a failure."""

    id: int | None
    is_wanted_up: bool
    containers: int
    running: int
    ready: int
    failed: int


@dataclasses.dataclass(frozen=True)
class Service:
    """A container of a stack, and what it waits for: other services, as "db", "db:healthy" or "setup:ended"."""

    spec: Spec
    after: Sequence[str] = ()


class Stack:
    """One stack. Losing the object leaves the stack as it is."""

    def __init__(self, context: Context, pointer: Any) -> None:
        self._context = context
        self._pointer = ffi.gc(pointer, lib.osdear_stack_free)

    @staticmethod
    def list(engine: Engine) -> list[StackEntry]:
        """The stacks of an engine, by name."""
        out, count = ffi.new("osdear_stack_entry **"), ffi.new("size_t *")
        engine._call(lib.osdear_stack_list, out, count)
        try:
            return [StackEntry(text(e.name) or "", e.id or None, bool(e.is_wanted_up), e.containers, e.running)
                    for e in (out[0][i] for i in range(count[0]))]
        finally:
            lib.osdear_stack_entries_free(out[0])

    @classmethod
    def get(cls, engine: Engine, name: str) -> Stack:
        """The stack of this name, Portainer's or by the labels of its containers."""
        out = ffi.new("osdear_stack **")
        engine._call(lib.osdear_stack_get, name.encode(), out)
        return cls(engine._context, out[0])

    @classmethod
    def create(cls, engine: Engine, name: str, file: str, *, environment: Mapping[str, str] | None = None, pull: Pull = Pull.MISSING,
               timeout: float | None = None) -> Stack:
        """Have Portainer make one from a Compose file, and wait until its containers are up."""
        out = ffi.new("osdear_stack **")
        engine._call(lib.osdear_stack_create, name.encode(), file.encode(), _options(environment, pull, False, timeout), out)
        return cls(engine._context, out[0])

    @classmethod
    def up(cls, engine: Engine, name: str, services: Mapping[str, Service | Spec], *, networks: Sequence[str] = (),
           volumes: Sequence[str] = (), pull: Pull = Pull.MISSING, keep_dropped: bool = False, timeout: float | None = None) -> Stack:
        """Bring a stack of containers up on any engine: make what is missing, make anew what changed, remove what was dropped."""
        described = Options("osdear_stack_spec")
        described.set_text("name", name)
        described.set_texts("networks", "network_count", networks or None)
        described.set_texts("volumes", "volume_count", volumes or None)
        kept = []
        structs = described.set_structs("services", "service_count", "osdear_service", len(services))
        for i, (label, given) in enumerate(services.items()):
            service = given if isinstance(given, Service) else Service(given)
            kept.append(service.spec._options())
            structs[i].name = described.keep_text(label)
            structs[i].spec = kept[-1].pointer
            structs[i].after = described.keep_text(",".join(service.after) or None)
        out = ffi.new("osdear_stack **")
        engine._call(lib.osdear_stack_up, described, _options(None, pull, keep_dropped, timeout), out)
        return cls(engine._context, out[0])

    @property
    def name(self) -> str:
        return text(lib.osdear_stack_name(self._pointer)) or ""

    def _call(self, function: Any, *arguments: Any) -> None:
        with self._context.watch():
            check(function, self._pointer, *arguments)

    def update(self, file: str | None = None, *, environment: Mapping[str, str] | None = None, pull: Pull = Pull.MISSING,
               keep_dropped: bool = False, timeout: float | None = None) -> None:
        """Have Portainer bring it up to date; None keeps its file. When that fails, what ran before is started again: the error's `code`
        is "restored" then, or "lost"."""
        options = _options(environment, pull, keep_dropped, timeout)
        self._call(lib.osdear_stack_update, ffi.NULL if file is None else ffi.new("char[]", file.encode()), options.pointer)

    def file(self) -> str:
        """Its Compose file, as Portainer keeps it."""
        out = ffi.new("char **")
        self._call(lib.osdear_stack_file, out)
        try:
            return text(out[0]) or ""
        finally:
            lib.osdear_text_free(out[0])

    def status(self) -> StackStatus:
        result = ffi.new("osdear_stack_status_result *")
        result.size = ffi.sizeof("osdear_stack_status_result")
        self._call(lib.osdear_stack_status, result)
        return StackStatus(result.id or None, bool(result.is_wanted_up), result.containers, result.running, result.ready, result.failed)

    def start(self, timeout: float | None = None) -> None:
        """Start it, each service after those it waits for, and wait until it is up."""
        self._call(lib.osdear_stack_start, _ms(timeout))

    def stop(self, timeout: float | None = None) -> None:
        """Stop it, in the reverse order, and wait until it is down."""
        self._call(lib.osdear_stack_stop, _ms(timeout))

    def remove(self, *, volumes: bool = False) -> None:
        """Remove its containers and networks; its volumes, too, if they are asked for."""
        self._call(lib.osdear_stack_remove, volumes)

    def verify(self, *, up: bool = True, timeout: float = 0) -> None:
        """Wait until all its containers really are up, or down."""
        self._call(lib.osdear_stack_verify, up, int(timeout * 1000))

    def __repr__(self) -> str:
        return f"<Stack {self.name}>"


def _ms(timeout: float | None) -> int:
    return 0 if timeout is None else max(1, int(timeout * 1000))


def _options(environment: Mapping[str, str] | None, pull: Pull, keep_dropped: bool, timeout: float | None) -> Options:
    options = Options("osdear_stack_options")
    options.set_pairs("environment", "environment_count", environment)
    options.pointer.pull, options.pointer.keep_dropped, options.pointer.timeout_ms = pull, keep_dropped, _ms(timeout)
    return options


__all__ = ["Pull", "Service", "Stack", "StackEntry", "StackStatus"]
