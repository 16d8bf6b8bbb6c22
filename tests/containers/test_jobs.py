"""Containers as jobs: what every runner promises, on each engine, and what only containers have."""
import datetime
import json
import time

import pytest

import osdear
from conftest import IMAGE
from job_promises import *  # noqa: F403
from osdear import JobState
from osdear.job import _Log

SCRIPTS = {"succeed": "echo hello; echo grumble >&2", "slow": "sleep 5; echo hello", "fail": "exit 3", "hang": "sleep 600"}


class Containers:
    """An engine, in the shape of a service. What ended stays there with its log, until it is pruned."""

    settings = {}

    def __init__(self, server):
        self.server = server

    def address(self):
        return f"container+{self.server.address}"

    def spec(self, outcome):
        return {"name": outcome, "image": IMAGE, "command": ["sh", "-c", SCRIPTS[outcome]], "grace_ms": 0}

    def parts(self):
        engine = getattr(self.server, "docker", self.server)  # a Portainer stays, the engine behind it goes
        return {"the engine": (engine.stop, engine.start, ["SUCCEEDED"])}

    def started(self):
        return len(self.server.containers())


@pytest.fixture
def service(server, nothing_is_left_behind):
    service = Containers(server)
    yield service
    for container in server.containers():
        server.curl("-X", "DELETE", f"http://localhost/v1.41/containers/{container}?force=1&v=1")


@pytest.fixture
def open_runner(tmp_path):
    def open_runner(service, folder="state", **settings):
        return osdear.Runner(service.address(), {**service.settings, **settings}, state_folder=str(tmp_path / folder))

    return open_runner


def test_cancelling_leaves_no_container_behind(service, open_runner):
    with open_runner(service) as runner:
        jobs = [runner.submit(service.spec("hang")) for _ in range(3)]
        assert len(service.server.containers()) == 3
        assert [job.cancel() for job in jobs] == [JobState.CANCELLED] * 3
        assert service.server.containers() == []
        assert jobs[0].result()["exit_code"] == 137
        with open_runner(service, "elsewhere") as other, pytest.raises(osdear.NotFoundError):
            other.attach(jobs[0].id).poll()


def test_pruning_removes_the_containers_that_ended(service, open_runner):
    with open_runner(service) as runner:
        assert runner.submit(service.spec("succeed"), key="k").wait(60) is JobState.SUCCEEDED
        assert runner.prune(datetime.timedelta()) == 1
        assert service.server.containers() == []
        assert runner.submit(service.spec("succeed"), key="k").was_found is False


def test_a_container_that_somebody_removed_is_known_by_its_note(service, open_runner):
    with open_runner(service) as runner:
        job = runner.submit(service.spec("fail"))
        assert job.wait(60) is JobState.FAILED
        service.server.curl("-X", "DELETE", f"http://localhost/v1.41/containers/{job.id}?force=1")
        again = runner.attach(job.id)
        assert again.poll() is JobState.FAILED
        assert (again.native_state, again.result()["exit_code"]) == ("exited 3", 3)
        lost = runner.submit(service.spec("hang"))
        service.server.curl("-X", "DELETE", f"http://localhost/v1.41/containers/{lost.id}?force=1")
        with pytest.raises(osdear.NotFoundError):
            lost.wait(60)


def test_a_key_is_one_container_for_callers_that_share_nothing_else(service, open_runner):
    with open_runner(service) as runner, open_runner(service, "elsewhere") as other:
        job = runner.submit(service.spec("hang"), key="k")
        again = other.submit(service.spec("hang"), key="k")
        assert again.id == job.id
        assert len(service.server.containers()) == 1
        with open_runner(service, "yonder") as third, pytest.raises(osdear.ConflictError, match="another spec"):
            third.submit(service.spec("fail"), key="k")


def test_streams_are_kept_apart_and_read_on_from_where_they_were(service, open_runner):
    with open_runner(service) as runner:
        job = runner.submit({**service.spec("succeed"), "command": ["sh", "-c", "for i in 1 2 3; do echo $i; echo e$i >&2; sleep 1; done"]})
        assert b"".join(job.logs(follow=True)) == b"1\n2\n3\n"
        assert b"".join(job.logs("stderr")) == b"e1\ne2\ne3\n"


def test_what_cannot_run_is_refused_and_leaves_nothing(service, open_runner):
    with open_runner(service) as runner:
        with pytest.raises(osdear.ArgumentError):
            runner.submit({"image": IMAGE, "command": ["/bin/nonsense"]})
        with pytest.raises(osdear.NotFoundError):
            runner.submit({"image": "osdear/nowhere:1", "pull": "never"})
        with pytest.raises(osdear.ArgumentError, match='a mount has no member "from"'):
            runner.submit({"image": IMAGE, "mounts": [{"from": "/x"}]})
        assert runner.jobs() == []
        assert service.server.containers() == []


def test_a_description_reaches_the_engine(service, open_runner, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/file").write_text("found")
    spec = {**service.spec("succeed"), "command": ["sh", "-c", "echo $WORD; cat /in/file; id -u; pwd"], "environment": {"WORD": "a b"},
            "mounts": [{"source": str(tmp_path / "in"), "target": "/in", "read_only": True}], "user": "1000", "folder": "/tmp",
            "labels": {"purpose": "test"}, "memory_bytes": 64 << 20, "networks": ["none"], "extra": {"HostConfig": {"PidsLimit": 50}}}
    with open_runner(service) as runner:
        job = runner.submit(spec)
        assert job.wait(60) is JobState.SUCCEEDED
        assert b"".join(job.logs()).decode().split() == ["a", "b", "found1000", "/tmp"]
        seen = json.loads(service.server.curl(f"http://localhost/v1.41/containers/{job.id}/json").stdout)
        assert seen["Config"]["Labels"]["purpose"] == "test"
        assert seen["HostConfig"]["PidsLimit"] == 50
        assert seen["HostConfig"]["Memory"] == 64 << 20


DEAF = "trap '' TERM; echo deaf; while :; do sleep 0.2; done"


def test_asking_alone_does_not_wait_for_the_grace_and_a_deadline_is_kept(service, open_runner):
    """Of a program that ends only when it is killed: the engine does that, whoever listens."""
    with open_runner(service) as runner:
        job = runner.submit({**service.spec("hang"), "command": ["sh", "-c", DEAF], "grace_ms": 8000})
        assert next(iter(job.logs(follow=True))) == b"deaf\n"
        start = time.monotonic()
        job.cancel(timeout=0)
        assert time.monotonic() - start < 6
        assert job.poll() is JobState.RUNNING
        with pytest.raises(osdear.TimedOutError, match="not confirmed"):
            job.cancel(timeout=0.5)
        assert time.monotonic() - start < 7.5
        assert job.wait(60) is JobState.CANCELLED
        assert 7 < time.monotonic() - start
        assert job.cancel(timeout=0) is JobState.CANCELLED
        assert service.server.containers() == []
        assert job.result()["exit_code"] == 137


def test_a_log_is_read_on_from_where_it_was_without_loss_or_repeats(service, open_runner):
    script = "i=0; while [ $i -lt 60 ]; do i=$((i+1)); echo $i; echo e$i >&2; [ $((i % 3)) != 0 ] || sleep 0.3; done"
    with open_runner(service) as runner:
        job = runner.submit({**service.spec("succeed"), "command": ["sh", "-c", script]})
        log, read = _Log(job, None, False), []
        while not job.poll().is_final:
            read += iter(log.read, b"")
        read += iter(log.read, b"")
        assert b"".join(read).split() == [str(i + 1).encode() for i in range(60)]
        assert log.read() == b""
