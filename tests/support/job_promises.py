"""One set of promises, kept by every runner. A module of tests imports them all, and has two fixtures: `service`, with `spec(outcome)` for
"succeed" (says hello), "slow" (the same, but takes some seconds), "fail" and "hang", and `open_runner(service)`, which opens a runner with a state
folder of the test's own. `service.parts()` are those that can be restarted: by name how to stop it, how to start it, and the states that a job may end in that
ran meanwhile."""
import asyncio
import datetime
import json
import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest

import osdear
from osdear import JobState

PATIENCE = int(os.environ.get("OSDEAR_PATIENCE", "120"))


def test_a_job_ends_as_the_service_says(service, open_runner):
    with open_runner(service) as runner:
        assert runner.submit(service.spec("succeed")).wait(PATIENCE) is JobState.SUCCEEDED
        job = runner.submit(service.spec("fail"))
        assert job.wait(PATIENCE) is JobState.FAILED
        assert job.message
        assert job.result()["state"] == "failed"


def test_an_id_is_all_that_another_process_needs(service, open_runner, tmp_path):
    script = "import json, sys, osdear; a, s, f, id = json.loads(sys.argv[1]); " \
             "print(osdear.Runner(a, s, state_folder=f).attach(id).wait(120).name)"
    with open_runner(service) as runner:
        job = runner.submit(service.spec("succeed"))
        words = json.dumps([service.address(), service.settings, str(tmp_path / "state"), job.id])
        done = subprocess.run([sys.executable, "-c", script, words], capture_output=True, text=True, check=True)
        assert done.stdout == "SUCCEEDED\n"
        assert [note.id for note in runner.jobs()] == [job.id]


def test_cancelling_is_confirmed_and_does_no_harm_afterwards(service, open_runner):
    with open_runner(service) as runner:
        job = runner.submit(service.spec("hang"))
        assert job.cancel() is JobState.CANCELLED
        assert runner.attach(job.id).wait(PATIENCE) is JobState.CANCELLED
        done = runner.submit(service.spec("succeed"))
        done.wait(PATIENCE)
        again = runner.attach(done.id)
        assert again.cancel() is JobState.SUCCEEDED


def test_at_a_timeout_the_caller_chooses(service, open_runner):
    with open_runner(service) as runner:
        job = runner.submit(service.spec("hang"))
        with pytest.raises(osdear.TimedOutError):
            job.wait(timeout=0)
        assert job.poll() in (JobState.PENDING, JobState.RUNNING)
        with pytest.raises(osdear.TimedOutError, match="the job was ended"):
            job.wait(timeout=0, cancel_on_timeout=True)
        assert job.state is JobState.CANCELLED


def test_a_key_submits_once(service, open_runner):
    with open_runner(service) as runner:
        first = runner.submit(service.spec("succeed"), key="nightly-1")
        again = runner.submit(service.spec("succeed"), key="nightly-1")
        assert (again.id, again.was_found) == (first.id, True)
        with pytest.raises(osdear.ConflictError):
            runner.submit(service.spec("fail"), key="nightly-1")


def test_specs_settings_and_ids_that_are_wrong_are_refused_by_name(service, open_runner):
    with open_runner(service) as runner:
        with pytest.raises(osdear.ArgumentError, match='no member "nmae"'):
            runner.submit({**service.spec("succeed"), "nmae": "x"})
        with pytest.raises(osdear.ArgumentError):
            runner.attach("")
        assert runner.jobs() == []
    with pytest.raises(osdear.ArgumentError, match='no setting "colour"'):
        open_runner(service, colour="blue")


def test_logs_are_read_and_followed(service, open_runner):
    with open_runner(service) as runner:
        job = runner.submit(service.spec("succeed"))
        assert b"hello" in b"".join(job.logs(follow=True))
        assert b"hello" in b"".join(runner.attach(job.id).logs())
        with pytest.raises(osdear.ArgumentError, match="nonsense"):
            b"".join(job.logs("nonsense"))


def test_one_thread_follows_many(service, open_runner):
    with open_runner(service) as runner:
        jobs = [runner.submit(service.spec("succeed" if i % 2 else "fail")) for i in range(20)]
        over = [job for job in osdear.Follower(jobs) if job.state.is_final]
        assert sorted(job.id for job in over) == sorted(job.id for job in jobs)
        assert sum(job.state is JobState.SUCCEEDED for job in over) == 10


def submit_when_it_answers(runner, spec, key):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return runner.submit(spec, key=key)
        except (osdear.UnavailableError, osdear.TimedOutError):
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_each_part_of_a_service_may_be_restarted_while_a_job_is_waited_for_and_another_is_submitted(service, open_runner):
    def wait(id, found):
        with open_runner(service) as runner:
            found.append(runner.attach(id).wait(PATIENCE).name)

    for name, (stop, start, ends) in service.parts().items():
        with open_runner(service) as runner:
            before = service.started()
            running = runner.submit(service.spec("slow"))
            while running.poll() is not JobState.RUNNING:
                assert not running.state.is_final, name
                time.sleep(0.1)
            found = []
            waiter = threading.Thread(target=wait, args=(running.id, found))
            waiter.start()
            stop()
            back = threading.Thread(target=lambda start=start: (time.sleep(1), start()))
            back.start()
            job = submit_when_it_answers(runner, service.spec("succeed"), f"while {name} is away".replace(" ", "-"))
            assert job.wait(PATIENCE) is JobState.SUCCEEDED, name
            back.join()
            waiter.join()
            assert found and found[0] in ends, (name, found)
            assert running.wait(PATIENCE).name == found[0], (name, running.native_state, running.message)
            assert service.started() == before + 2, name


def test_asyncio_follows_from_the_event_loop(service, tmp_path):
    async def main():
        async with osdear.AsyncRunner(service.address(), service.settings, state_folder=str(tmp_path)) as runner:
            jobs = [await runner.submit(service.spec("succeed")) for _ in range(5)]
            assert await asyncio.gather(*(job.wait(PATIENCE) for job in jobs)) == [JobState.SUCCEEDED] * 5

    asyncio.run(main())


def test_pruning_forgets_what_is_over_and_leaves_what_goes_on(service, open_runner):
    with open_runner(service) as runner:
        done, going = runner.submit(service.spec("succeed"), key="k"), runner.submit(service.spec("hang"))
        done.wait(PATIENCE)
        assert runner.prune() == 0
        assert runner.prune(datetime.timedelta()) == 1
        assert [note.id for note in runner.jobs()] == [going.id]
        assert going.cancel() is JobState.CANCELLED


def test_a_killed_caller_finds_its_job_again_and_starts_no_second(service, tmp_path, open_runner):
    """Killed at many moments between deciding to submit and hearing the id."""
    script = textwrap.dedent("""
        import json, os, signal, sys, threading, time
        import osdear
        address, settings, spec, state, key, delay = json.loads(sys.argv[1])
        threading.Thread(target=lambda: (time.sleep(delay), os.kill(os.getpid(), signal.SIGKILL)), daemon=True).start()
        osdear.Runner(address, settings, state_folder=state).submit(spec, key=key)
        time.sleep(9)
        """)
    before = service.started()
    for number, delay in enumerate((0.0, 0.002, 0.004, 0.008, 0.016, 0.05)):
        key = f"{os.getpid()}-{number}"
        words = [service.address(), service.settings, service.spec("succeed"), str(tmp_path / "state"), key, delay]
        subprocess.run([sys.executable, "-c", script, json.dumps(words)], check=False)
        with open_runner(service) as runner:
            job = submit_when_it_answers(runner, service.spec("succeed"), key)
            assert job.wait(PATIENCE) is JobState.SUCCEEDED
            assert runner.submit(service.spec("succeed"), key=key).id == job.id
    assert service.started() == before + 6
