"""The promises of runners, kept by a real Spark and a real Airflow. It takes some minutes of two processors, so it is for OSDEAR_JOB_PROMISES=1."""
from __future__ import annotations

import json
import os
import urllib.request

import osdear
import pytest
from osdear import JobState
from osdear_command import cache
from test_jobs_on_airflow import PARTS, Airflow
from test_jobs_on_spark import Cluster

if os.environ.get("OSDEAR_JOB_PROMISES"):
    from job_promises import *  # noqa: F403

SCRIPTS = {"succeed": "print('hello')\n", "slow": "import time\ntime.sleep(20)\nprint('hello')\n",
           "fail": "raise SystemExit(3)\n", "hang": "import time\ntime.sleep(100)\n"}
CONF = {"succeed": {}, "slow": {"sleep": 20}, "fail": {"fail": True}, "hang": {"sleep": 100}}


class OnSpark:
    def __init__(self, folder):
        self.cluster, self.folder = Cluster(folder), folder
        self.settings = {"web": f"http://127.0.0.1:{self.cluster.page}"}
        for name, text in SCRIPTS.items():
            (folder / f"{name}.py").write_text(text)

    def address(self):
        return f"spark+http://127.0.0.1:{self.cluster.rest}"

    def spec(self, outcome):
        return self.cluster.spec(self.folder / f"{outcome}.py")

    def parts(self):
        """A worker takes its drivers along, and one that is killed is missed by the master after a while."""
        stop = self.cluster.stop
        return {"the master": (lambda: stop("master"), self.cluster.start_master, ["SUCCEEDED"]),
                "the worker": (lambda: stop("worker"), self.cluster.start_worker, ["FAILED", "CANCELLED"])}

    def started(self):
        """By the worker's folders: a master that was restarted has forgotten the drivers that are over."""
        return len(list((self.folder / "drivers").glob("driver-*")))

    def close(self):
        self.cluster.close()


class OnAirflow:
    def __init__(self, folder):
        self.airflow = Airflow(folder)
        assert self.airflow.wait_until_it_knows_the_dag(folder / "state") is JobState.SUCCEEDED
        self.settings = self.airflow.settings()

    def address(self):
        return f"airflow+http://127.0.0.1:{self.airflow.port}"

    def spec(self, outcome):
        return {"name": outcome, "dag": "osdear_jobs", "conf": CONF[outcome]}

    def ask(self, path, body=None, token=None):
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        request = urllib.request.Request(f"http://127.0.0.1:{self.airflow.port}{path}", body, headers)
        return json.loads(urllib.request.urlopen(request, timeout=60).read())

    def parts(self):
        airflow = self.airflow
        return {part: (lambda part=part: airflow.stop(part), lambda part=part: airflow.start(part), ["SUCCEEDED"]) for part in PARTS}

    def started(self):
        token = self.ask("/auth/token", json.dumps(self.settings).encode())["access_token"]
        return self.ask("/api/v2/dags/osdear_jobs/dagRuns?limit=1", token=token)["total_entries"]

    def close(self):
        self.airflow.close()


@pytest.fixture(scope="module", params=[OnSpark, OnAirflow], ids=["spark", "airflow"])
def service(request, tmp_path_factory):
    name = "spark" if request.param is OnSpark else "airflow"
    if not (cache() / name / "bin/python").exists():
        pytest.skip(f"{name} is not installed: run tests/support/prepare.sh {name}")
    service = request.param(tmp_path_factory.mktemp(name))
    yield service
    service.close()


@pytest.fixture
def open_runner(tmp_path):
    def open_runner(service, folder="state", **settings):
        return osdear.Runner(service.address(), {**service.settings, **settings}, state_folder=str(tmp_path / folder))

    return open_runner
