"""An engine that is stopped midway, and says nothing more. Whatever is under way ends in a timeout, or at once where it is given up. When the
engine goes on, nothing is left behind."""
import signal
import socket
import threading
import time

import pytest

import osdear
from osdear import Spec
from osdear._lib import lib

from conftest import IMAGE

UNLOGGED = {"HostConfig": {"LogConfig": {"Type": "none"}}}

# Seconds. A busy machine takes some to start a container; after 5 of silence an engine is asked, and has to answer within as many.
ANSWER_WITHIN = 8
LONGEST_UNTIL_NOTICED = 5 + ANSWER_WITHIN + 5


def sleeping(name=None, **options):
    return Spec(image=IMAGE, command=["sleep", "300"], name=name, **options)


def feed(output):
    while True:
        output.write(b"x" * 65536)


# By name: what is done with an engine, the id of a container, and the name of an image whose registry never answers.
UNDER_WAY = {
    "a pull": lambda engine, container, image: engine.pull(image),
    "a run that pulls": lambda engine, container, image: engine.run(Spec(image=image, command=["true"])),
    "a run whose output is followed": lambda engine, container, image: engine.run(sleeping("followed")),
    "a run that is waited for": lambda engine, container, image: engine.run(sleeping("unlogged", extra=UNLOGGED)),
    "a run that a short time is given": lambda engine, container, image: engine.run(sleeping("short"), timeout=10),
    "a log": lambda engine, container, image: list(engine.get(container).logs(follow=True)),
    "a command": lambda engine, container, image: list(engine.get(container).exec(["sleep", "300"])),
    "standard input": lambda engine, container, image: feed(engine.get(container).exec(["sleep", "300"], open_stdin=True)),
    "statistics": lambda engine, container, image: list(engine.get(container).stats()),
    "events": lambda engine, container, image: list(engine.events({"type": "container", "event": "die"})),
    "an end": lambda engine, container, image: engine.get(container).wait(),
    "an end that a short time is given": lambda engine, container, image: engine.get(container).wait(10),
    "health": lambda engine, container, image: engine.get(container).wait_healthy(10),
}


class Activity(threading.Thread):
    def __init__(self, name, server, *given):
        super().__init__(daemon=True)
        self.activity, self.given, self.outcome = name, given, None
        self.context = osdear.Context()
        self.engine = osdear.Engine(server.address, timeout=ANSWER_WITHIN, context=self.context)
        self.start()

    def run(self):
        try:
            self.outcome = UNDER_WAY[self.activity](self.engine, *self.given)
        except osdear.Error as failure:
            self.outcome = failure

    @property
    def tidies(self):
        """Whether it has made something by the time the engine stops, and will not end before that is removed."""
        return self.activity.startswith("a run") and self.activity != "a run that pulls"


@pytest.fixture
def under_way(server):
    """All of them, each in a thread, for some seconds. Then the engine is stopped; when the test is done with it, it goes on."""
    container = osdear.Engine(server.address).create(sleeping(health=["false"]))
    container.start()
    with socket.create_server(("127.0.0.1", 0)) as registry:
        image = f"127.0.0.1:{registry.getsockname()[1]}/silent:1"
        activities = [Activity(name, server, container.id, image) for name in UNDER_WAY
                      if server.name != "portainer" or name != "standard input"]
        time.sleep(5)
        early = {a.activity: repr(a.outcome) for a in activities if not a.is_alive()}
        server.send(signal.SIGSTOP)
        try:
            assert early == {}
            yield activities
        finally:
            server.send(signal.SIGCONT)
            for activity in activities:
                lib.osdear_cancel_throw(activity.context.cancel)
            for activity in activities:
                activity.join(60)
            container.remove(force=True)


def ended(activities, seconds):
    """Waits so long for them, and tells which are not done by then."""
    until = time.monotonic() + seconds
    for activity in activities:
        activity.join(max(0, until - time.monotonic()))
    return [a.activity for a in activities if a.is_alive()]


def test_whatever_is_under_way_when_an_engine_stops_ends_in_a_timeout(under_way, server):
    stopped = time.monotonic()
    assert ended([a for a in under_way if not a.tidies], 30) == []
    # The others are not seen to end yet. An engine that went on before it was asked would answer them, and they would go on as well.
    time.sleep(max(0, stopped + LONGEST_UNTIL_NOTICED - time.monotonic()))
    server.send(signal.SIGCONT)
    assert ended(under_way, 60) == []
    assert {a.activity: repr(a.outcome) for a in under_way if not isinstance(a.outcome, osdear.TimedOutError)} == {}


def test_whatever_is_under_way_when_an_engine_stops_can_be_given_up_at_once(under_way, server):
    for activity in under_way:
        lib.osdear_cancel_throw(activity.context.cancel)
    assert ended([a for a in under_way if not a.tidies], 3) == []
    server.send(signal.SIGCONT)
    assert ended(under_way, 60) == []
    assert {a.activity: repr(a.outcome) for a in under_way if not isinstance(a.outcome, osdear.CancelledError)} == {}
