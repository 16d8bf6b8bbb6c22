"""Jobs on a real Airflow 3: API server, scheduler and DAG processor, on a free port of this machine."""
from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import osdear
import pytest
from osdear import JobState
from osdear_command import cache

START_SECONDS = 400
PARTS = {"api-server": [], "scheduler": ["--skip-serve-logs"], "dag-processor": []}  # served logs would listen on all addresses


def free_port():
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        return each.getsockname()[1]


class Airflow:
    def __init__(self, folder):
        self.folder, self.port, self.processes = folder, free_port(), {}
        self.command = cache() / "airflow/bin/airflow"
        (folder / "dags").mkdir()
        shutil.copy(Path(__file__).with_name("jobs_dag.py"), folder / "dags")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON"))},
            "AIRFLOW_HOME": str(folder), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__API__HOST": "127.0.0.1", "AIRFLOW__API__PORT": str(self.port), "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self.port}/execution/",
            # A task outlives that the API server is away.
            "AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS": "50", "AIRFLOW__WORKERS__EXECUTION_API_RETRIES": "20",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin", "AIRFLOW__API_AUTH__JWT_SECRET": os.urandom(32).hex(),
            "AIRFLOW__API__SECRET_KEY": os.urandom(32).hex(),
        }
        self.run("db", "migrate").wait(START_SECONDS)
        for part in PARTS:
            self.start(part)

    def run(self, *words):
        log = open(self.folder / f"{words[0]}.log", "ab")
        return subprocess.Popen([self.command, *words], env=self.environment, cwd=self.folder, stdout=log, stderr=log,
                                start_new_session=True)

    def start(self, part):
        self.processes[part] = self.run(part, *PARTS[part])

    def stop(self, part, patience=90):
        """Asked to end by itself, a scheduler lets its tasks come to theirs."""
        process = self.processes.pop(part)
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def close(self):
        for part in list(self.processes):
            self.stop(part, 5)

    def settings(self):
        passwords = json.loads((self.folder / "simple_auth_manager_passwords.json.generated").read_text())
        return {"username": "admin", "password": passwords["admin"]}

    def runner(self, state, **settings):
        return osdear.Runner(f"airflow+http://127.0.0.1:{self.port}", {**self.settings(), **settings}, state_folder=str(state))

    def wait_until_it_knows_the_dag(self, state):
        """A new file is a DAG once the processor has read it; until then, and while the server starts, submitting fails."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with self.runner(state) as runner:
                    return runner.submit({"dag": "osdear_jobs", "unpause": True}).wait(START_SECONDS)
            except (osdear.UnavailableError, osdear.NotFoundError, osdear.TimedOutError, OSError):
                if time.monotonic() > deadline:
                    raise AssertionError("".join(log.read_text()[-1500:] for log in self.folder.glob("*.log"))) from None
                time.sleep(1)


@pytest.fixture(scope="module")
def airflow(tmp_path_factory):
    if not (cache() / "airflow/bin/airflow").exists():
        pytest.skip("Airflow is not installed: run tests/support/prepare.sh airflow")
    airflow = Airflow(tmp_path_factory.mktemp("airflow"))
    try:
        assert airflow.wait_until_it_knows_the_dag(airflow.folder / "state") is JobState.SUCCEEDED
        yield airflow
    finally:
        airflow.close()


def test_a_run_is_triggered_once_under_its_key_by_whoever_asks(airflow, tmp_path):
    spec = {"dag": "osdear_jobs", "conf": {"n": 5}, "note": "from a test"}
    with airflow.runner(tmp_path / "here") as here, airflow.runner(tmp_path / "there") as there:
        job = here.submit(spec, key="day-one+1:00")
        assert there.submit(spec, key="day-one+1:00").id == job.id == "osdear_jobs/day-one+1:00"
        assert job.wait(200) is JobState.SUCCEEDED
        assert b"hello from work {'n': 5}" in b"".join(job.logs())
        assert b"hello from work" in b"".join(job.logs("work", follow=True))
        (task,) = job.result()["tasks"]
        assert (task["task_id"], task["state"], task["try_number"]) == ("work", "success", 1)


def test_a_run_that_failed_is_told_from_one_that_was_cancelled_and_can_be_cleared(airflow, tmp_path):
    with airflow.runner(tmp_path) as runner:
        job = runner.submit({"dag": "osdear_jobs", "conf": {"fail": True}})
        assert job.wait(200) is JobState.FAILED
        again = runner.submit({"dag": "osdear_jobs", "clear": job.id.partition("/")[2]})
        assert again.id == job.id
        assert again.wait(200) is JobState.FAILED
        assert again.result()["tasks"][0]["try_number"] == 2
        sleeper = runner.submit({"dag": "osdear_jobs", "conf": {"sleep": 60}})
        deadline = time.monotonic() + 200
        while sleeper.poll() is not JobState.RUNNING:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        assert sleeper.cancel() is JobState.CANCELLED
        assert runner.attach(sleeper.id).poll() is JobState.CANCELLED


def test_refusals_are_typed(airflow, tmp_path):
    with airflow.runner(tmp_path) as runner:
        with pytest.raises(osdear.NotFoundError):
            runner.submit({"dag": "nope"})
        with pytest.raises(osdear.NotFoundError):
            runner.attach("osdear_jobs/nope").poll()
        with pytest.raises(osdear.ArgumentError, match="does not match"):
            runner.submit({"dag": "osdear_jobs"}, key="no blanks in a run's id")
        with pytest.raises(osdear.ArgumentError) as caught:
            runner.submit({"dag": "osdear_jobs", "logical_date": "no date"})
        assert caught.value.http_status == 422
        assert runner.jobs() == []
    with airflow.runner(tmp_path, password="wrong") as runner, pytest.raises(osdear.DeniedError, match="Invalid credentials"):
        runner.attach("osdear_jobs/x").poll()
    with airflow.runner(tmp_path, token="wrong") as runner, pytest.raises(osdear.DeniedError, match="Invalid JWT token"):
        runner.attach("osdear_jobs/x").poll()


def test_the_server_may_be_restarted_while_a_run_is_waited_for(airflow, tmp_path):
    with airflow.runner(tmp_path) as runner:
        job = runner.submit({"dag": "osdear_jobs", "conf": {"n": 1}})
        assert job.wait(200) is JobState.SUCCEEDED
        again = runner.attach(job.id)
        airflow.stop("api-server")
        with pytest.raises(osdear.UnavailableError):
            again.poll()
        airflow.start("api-server")
        assert again.wait(START_SECONDS) is JobState.SUCCEEDED
