"""The promises of runners, kept on small servers that answer as the services do, and what only shows where a service can be made to fail."""
import base64
import json
import pathlib
import subprocess
import sys
import textwrap
import time

import pytest
import services
from airbyte_service import Airbyte
from dremio_service import Dremio

import osdear
from job_promises import *  # noqa: F403
from osdear import JobState

SERVICES = [services.Spark, services.Airflow, services.Airflow2, Airbyte, Dremio]


class Local:
    """Local programs, in the shape of a service."""

    settings, broken = {}, None

    def address(self):
        return "process:"

    def spec(self, outcome):
        script = {"succeed": "echo hello", "slow": "sleep 2; echo hello", "fail": "exit 3", "hang": "sleep 600"}[outcome]
        return {"name": outcome, "command": ["sh", "-c", script]}

    def parts(self):
        return {}  # nobody stands between a program and its caller

    def started(self):
        return len(list(pathlib.Path(self.folder).glob("state/jobs/*/started")))

    def stop(self):
        pass


@pytest.fixture(params=[Local, *SERVICES], ids=lambda each: each.__name__)
def service(request, tmp_path):
    service = request.param()
    service.folder = tmp_path
    yield service
    service.stop()


@pytest.fixture(params=SERVICES, ids=lambda each: each.__name__)
def remote(request):
    service = request.param()
    yield service
    service.stop()


@pytest.fixture
def open_runner(tmp_path):
    def open_runner(service, folder="state", **settings):
        return osdear.Runner(service.address(), {**service.settings, **settings}, state_folder=str(tmp_path / folder))

    return open_runner


# ---- services that fail ----


def test_no_answer_is_no_failure_of_the_job(remote, open_runner):
    with open_runner(remote) as runner:
        job = runner.submit(remote.spec("succeed"))
        remote.broken += ["drop", 502, "drop", 503, 429]
        assert job.wait(60) is JobState.SUCCEEDED
        jobs = [runner.submit(remote.spec("succeed")) for _ in range(3)]
        remote.broken += ["drop", 502, 503]
        assert {job.state for job in osdear.Follower(jobs) if job.state.is_final} == {JobState.SUCCEEDED}


def test_a_restart_in_between_is_waited_out(remote, open_runner):
    with open_runner(remote) as runner:
        job = runner.submit(remote.spec("hang"))
        job.poll()
        remote.stop()
        with pytest.raises(osdear.UnavailableError):
            job.wait(60, max_failed_polls=1)
        remote.start()
        next(iter(remote.jobs.values())).states = remote.states("succeed")
        assert job.wait(60) is JobState.SUCCEEDED


def test_answers_that_are_none_are_typed_errors(remote, open_runner):
    with open_runner(remote) as runner:
        job = runner.submit(remote.spec("hang"))
        remote.broken += ["torn"]
        with pytest.raises(osdear.CorruptError, match="no JSON"):
            job.poll()
        assert job.poll() in (JobState.PENDING, JobState.RUNNING)


def test_words_that_are_new_are_no_end(remote, open_runner):
    with open_runner(remote) as runner:
        job = runner.submit(remote.spec("strange"))
        seen = set()
        while not job.poll().is_final:
            seen.add((job.state, job.native_state))
        assert (JobState.UNKNOWN, "CONTEMPLATING") in seen or (JobState.UNKNOWN, "contemplating") in seen
        assert job.state is JobState.SUCCEEDED


def test_jobs_that_nobody_knows_are_not_found(remote, open_runner):
    with open_runner(remote) as runner:
        id = runner.submit(remote.spec("succeed")).id
        with pytest.raises(osdear.NotFoundError):
            runner.attach(id[:-1] + ("9" if id[-1] != "9" else "8")).wait(30)


def test_an_answer_that_was_lost_does_not_submit_twice(remote, open_runner):
    with open_runner(remote) as runner:
        runner.submit(remote.spec("succeed")).wait(60)  # versions and tokens are known from here on
        remote.broken += [None] * remote.harmless + ["lose"] * 2
        for _ in range(3):
            try:
                job = runner.submit(remote.spec("succeed"), key="once")
                break
            except osdear.UnavailableError:
                assert runner.jobs()[0].id is None
        assert len(remote.jobs) == 2
        assert job.wait(30) is JobState.SUCCEEDED


def test_what_was_refused_can_be_submitted_again_under_its_key(remote, open_runner):
    with open_runner(remote) as runner:
        with pytest.raises((osdear.ArgumentError, osdear.NotFoundError)) as caught:
            runner.submit(remote.refused_spec(), key="k")
        assert "\n" not in str(caught.value)
        assert caught.value.http_status in (400, 404, 0)
        assert runner.submit(remote.spec("succeed"), key="k").wait(30) is JobState.SUCCEEDED


# ---- what only one service has ----


def test_spark_goes_on_to_the_master_that_is_alive(tmp_path):
    standby, alive = services.Spark(), services.Spark()
    standby.standby = True
    address = f"spark+http://127.0.0.1:{standby.port},127.0.0.1:{alive.port}"
    with osdear.Runner(address, alive.settings, state_folder=str(tmp_path)) as runner:
        job = runner.submit(alive.spec("hang"))
        assert alive.jobs and not standby.jobs
        assert alive.jobs[job.id].body["sparkProperties"]["spark.master"] == address.replace("spark+http", "spark")
        standby.standby, alive.standby = False, True
        standby.jobs = alive.jobs
        assert job.poll() is JobState.PENDING
        assert job.cancel() is JobState.CANCELLED
        standby.standby = True
        with pytest.raises(osdear.UnavailableError, match="no master is alive"):
            runner.submit(alive.spec("hang"))
    standby.stop()
    alive.stop()


def test_spark_is_asked_with_signatures(open_runner):
    spark = services.Spark()
    spark.jws_key = base64.urlsafe_b64encode(b"k" * 32).decode().rstrip("=")
    with open_runner(spark, jws_key=spark.jws_key) as runner:
        assert runner.submit(spark.spec("succeed")).wait(30) is JobState.SUCCEEDED
    with open_runner(spark) as runner, pytest.raises(osdear.DeniedError):
        runner.submit(spark.spec("succeed"))
    other = base64.urlsafe_b64encode(b"x" * 32).decode()
    with open_runner(spark, jws_key=other) as runner, pytest.raises(osdear.DeniedError) as caught:
        runner.submit(spark.spec("succeed"))
    assert other[:8] not in str(caught.value)
    for bad in ("short", "?" * 60):
        with pytest.raises(osdear.ArgumentError, match="no key"):
            open_runner(spark, jws_key=bad)
    with pytest.raises(osdear.ArgumentError, match="give one"):
        open_runner(spark, jws_key=other, token="t")
    spark.stop()


def test_airflow_renews_a_token_that_is_refused_and_tells_a_wrong_password(open_runner):
    airflow = services.Airflow()
    with open_runner(airflow) as runner:
        job = runner.submit(airflow.spec("hang"))
        assert airflow.logins == 1
        time.sleep(1.1)
        airflow.tokens.clear()
        job.poll()
        assert airflow.logins == 2
    with open_runner(airflow, password="wrong") as runner, pytest.raises(osdear.DeniedError, match="Invalid credentials") as caught:
        runner.attach(job.id).poll()
    assert caught.value.http_status == 401
    assert "wrong" not in str(caught.value)
    airflow.stop()


@pytest.mark.parametrize("kind", [services.Airflow, services.Airflow2])
def test_airflow_pauses_and_unpauses(kind, open_runner):
    airflow = kind()
    with open_runner(airflow) as runner:
        assert runner.call("unpause", {"dag": "hang"}) == {"dag_id": "hang", "is_paused": False}
        assert airflow.paused is False
        assert runner.call("pause", {"dag": "hang"})["is_paused"] is True
        assert airflow.paused is True
        with pytest.raises(osdear.NotFoundError):
            runner.call("pause", {"dag": "nope"})
        with pytest.raises(osdear.ArgumentError, match='no verb "stop"; it has pause, unpause'):
            runner.call("stop")
        with pytest.raises(osdear.ArgumentError, match='no member "dags"'):
            runner.call("pause", {"dags": "hang"})
    airflow.stop()


@pytest.mark.parametrize("kind", [services.Airflow, services.Airflow2])
def test_airflow_unpauses_and_clears(kind, open_runner):
    airflow = kind()
    with open_runner(airflow) as runner:
        first = runner.submit({**airflow.spec("succeed"), "unpause": True})
        assert airflow.paused is False
        assert first.wait(30) is JobState.SUCCEEDED
        assert first.result()["tasks"][0]["task_id"] == "load"
        again = runner.submit({"dag": "succeed", "clear": first.id.partition("/")[2], "tasks": ["load"], "only_failed": False})
        assert again.id == first.id
        assert again.poll() is JobState.PENDING
        assert again.wait(30) is JobState.SUCCEEDED
    airflow.stop()


def test_a_thousand_jobs_are_followed_by_one_thread_in_little_memory(tmp_path):
    spark = services.Spark()
    script = textwrap.dedent(r"""
        import json, re, sys
        import osdear
        address, settings, state, ids = json.loads(sys.stdin.read())
        runner = osdear.Runner(address, settings, state_folder=state)
        def peak_mib(): # not getrusage: what a parent had taken counts there, too
            return int(re.search(r"VmHWM:\s*(\d+)", open("/proc/self/status").read())[1]) // 1024
        before = peak_mib()
        jobs = [runner.attach(id) for id in ids]
        over = sum(job.state.is_final for job in osdear.Follower(jobs))
        print(over, peak_mib() - before, peak_mib())
        """)
    for _ in range(1000):
        id = f"driver-20260101000000-{next(spark.numbers):04d}"
        spark.jobs[id] = services.Job(id, ["SUBMITTED", "RUNNING", "FINISHED"], {})
    given = json.dumps([spark.address(), spark.settings, str(tmp_path), list(spark.jobs)])
    result = subprocess.run([sys.executable, "-c", script], input=given, capture_output=True, text=True, check=True, timeout=300)
    over, grown, whole = map(int, result.stdout.split())
    assert over == 1000
    assert whole < 64, f"{grown} MiB more, {whole} in all, of which Python has most"
    spark.stop()
