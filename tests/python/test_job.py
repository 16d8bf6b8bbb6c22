"""Jobs from Python: plain, followed by one thread, and in asyncio."""

import asyncio
import os
import pathlib
import time

import pytest

import osdear
from osdear import JobState


@pytest.fixture
def runner(tmp_path):
    with osdear.Runner("process:", state_folder=str(tmp_path)) as runner:
        yield runner


def shell(script):
    return {"name": "shell", "command": ["sh", "-c", script]}


def test_a_job_is_submitted_waited_for_and_read(runner):
    job = runner.submit(shell("echo out; echo err >&2; exit 3"))
    assert job.wait(timeout=30) is JobState.FAILED
    assert job.native_state == "exit 3"
    assert job.message == "ended with exit 3: err"
    assert b"".join(job.logs()) == b"out\n"
    assert b"".join(job.logs("stderr", follow=True)) == b"err\n"
    assert job.result()["exit_code"] == 3


def supervisors(state_folder):
    """Processes that hold a job's folder open below the state folder."""
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "fd/3").startswith(str(state_folder)):
                yield process
        except OSError:
            pass


@pytest.mark.parametrize("attached", [False, True])
def test_who_supervises_sleeps_while_the_job_does(runner, tmp_path, attached):
    job = runner.submit({**shell("sleep 60"), "attached": attached})
    while not list(supervisors(tmp_path)):
        time.sleep(0.01)
    time.sleep(1)
    ticks = [sum(map(int, (process / "stat").read_text().rpartition(")")[2].split()[11:13])) for process in supervisors(tmp_path)]
    assert len(ticks) == 1
    assert ticks[0] < os.sysconf("SC_CLK_TCK") / 10
    job.cancel(timeout=30)


def test_a_key_finds_the_first_job_and_an_id_attaches(runner):
    first = runner.submit(shell("true"), key="k")
    again = runner.submit(shell("true"), key="k")
    assert (first.was_found, again.was_found, again.id) == (False, True, first.id)
    assert runner.attach(first.id).wait(30) is JobState.SUCCEEDED
    assert [(note.id, note.key, note.name) for note in runner.jobs()] == [(first.id, "k", "shell")]
    with pytest.raises(osdear.ConflictError):
        runner.submit(shell("false"), key="k")


def test_errors_are_typed(runner):
    with pytest.raises(osdear.ArgumentError, match="comand"):
        runner.submit({"comand": []})
    with pytest.raises(osdear.NotFoundError):
        runner.attach("00000000-0000-4000-8000-000000000000").poll()
    with pytest.raises(osdear.ArgumentError, match="no runner"):
        osdear.Runner("nonsense:")


def test_a_timeout_leaves_or_cancels(runner):
    job = runner.submit(shell("sleep 60"))
    with pytest.raises(osdear.TimedOutError):
        job.wait(timeout=0)
    assert job.state is JobState.RUNNING
    with pytest.raises(osdear.TimedOutError):
        job.wait(timeout=0, cancel_on_timeout=True)
    assert job.state is JobState.CANCELLED


def test_one_thread_follows_many(runner):
    jobs = [runner.submit(shell(f"exit {i % 2}")) for i in range(20)]
    over = [job for job in osdear.Follower(jobs) if job.state.is_final]
    assert sorted(job.id for job in over) == sorted(job.id for job in jobs)
    assert sum(job.state is JobState.SUCCEEDED for job in over) == 10


def test_asyncio_waits_for_many_without_a_thread_for_each(tmp_path):
    async def main():
        async with osdear.AsyncRunner("process:", state_folder=str(tmp_path)) as runner:
            jobs = [await runner.submit(shell("sleep 0.5; echo done")) for _ in range(10)]
            start = time.monotonic()
            states = await asyncio.gather(*(job.wait(30) for job in jobs))
            assert states == [JobState.SUCCEEDED] * 10
            assert time.monotonic() - start < 10
            assert b"".join([piece async for piece in jobs[0].logs()]) == b"done\n"
            sleeper = await runner.submit(shell("echo on; sleep 60"))
            with pytest.raises(osdear.TimedOutError):
                await sleeper.wait(0.1, cancel_on_timeout=True)
            assert sleeper.state is JobState.CANCELLED
            assert (await (await runner.attach(sleeper.id)).poll()) is JobState.CANCELLED
            assert b"".join([piece async for piece in sleeper.logs(follow=True)]) == b"on\n"
            with pytest.raises(osdear.NotFoundError):
                await (await runner.attach("00000000-0000-4000-8000-000000000000")).wait()

    asyncio.run(main())
