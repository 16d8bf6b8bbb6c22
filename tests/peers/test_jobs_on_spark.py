"""Jobs on a real Spark: a standalone master with its REST server and one worker, on free ports of this machine."""
from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import osdear
import pytest
import s3_servers
from osdear import JobState
from osdear_command import cache

HERE = Path(__file__).parent
S3_JARS = os.environ.get("OSDEAR_S3_SPARK")  # by hand, 700 MB: a folder with hadoop-aws 3.5.0 and the AWS SDK's bundle 2.35.4
BRONZE = [{"id": i, "city": ["Lima", "Oslo"][i % 2], "amount": i} for i in range(40)]
SILVER = [{"city": "Lima", "total": sum(range(10, 40, 2)), "rows": 15}, {"city": "Oslo", "total": sum(range(11, 40, 2)), "rows": 15}]


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Cluster:
    def __init__(self, folder, jws_key=None):
        self.folder, self.jws_key = folder, jws_key
        self.python = cache() / "spark/bin/python"
        self.home = next((cache() / "spark/lib").glob("python3*/site-packages/pyspark"))
        self.rest, self.rpc, self.page, self.worker_rpc, self.worker_page = free_ports(5)
        self.processes = {}
        self.start_master()
        self.start_worker()

    def start_worker(self):
        self.start("worker", "org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1", "--port", str(self.worker_rpc), "--webui-port",
                   str(self.worker_page), "--cores", "2", "--memory", "1536m", "--work-dir", str(self.folder / "drivers"),
                   f"spark://127.0.0.1:{self.rpc}")
        self.until(lambda: b'"aliveworkers" : 1' in self.get(self.page, "/json/"))

    def start_master(self):
        self.start("master", "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", str(self.rpc), "--webui-port",
                   str(self.page))
        self.until(lambda: self.get(self.page, "/json/") and self.is_ready())

    def is_ready(self):
        """A master that wants signatures refuses even this, once it is there."""
        try:
            return self.get(self.rest, "/v1/submissions/readyz")
        except urllib.error.HTTPError as error:
            return self.jws_key and error.code == 403

    def start(self, name, *words):
        lean = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
        recovery = f"-Dspark.deploy.recoveryMode=FILESYSTEM -Dspark.deploy.recoveryDirectory={self.folder}/recovery"
        environment = {**os.environ, "SPARK_HOME": str(self.home), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m",
                       "SPARK_MASTER_OPTS": f"{lean} {recovery} -Dspark.master.rest.enabled=true -Dspark.master.rest.host=127.0.0.1 "
                                            f"-Dspark.master.rest.port={self.rest}" + self.filters(),
                       "SPARK_WORKER_OPTS": lean, "PYSPARK_PYTHON": str(self.python)}
        environment.pop("PYTHONPATH", None)
        log = open(self.folder / f"{name}.log", "ab")
        self.processes[name] = subprocess.Popen([self.home / "bin/spark-class", *words], env=environment, cwd=self.folder, stdout=log,
                                                stderr=log, start_new_session=True)

    def filters(self):
        if not self.jws_key:
            return ""
        name = "org.apache.spark.ui.JWSFilter"
        return f" -Dspark.master.rest.filters={name} -Dspark.{name}.param.secretKey={self.jws_key}"

    def stop(self, name):
        process = self.processes.pop(name)
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def close(self):
        for name in list(self.processes):
            self.stop(name)

    @staticmethod
    def get(port, path):
        return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10).read()

    def until(self, condition, seconds=120):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if condition():
                    return
            time.sleep(0.5)
        logs = "".join(path.read_text()[-2000:] for path in self.folder.glob("*.log"))
        raise AssertionError(f"Spark does not come up:\n{logs}")

    def runner(self, state, hosts=None, **settings):
        return osdear.Runner(f"spark+http://{hosts or f'127.0.0.1:{self.rest}'}", {"web": f"http://127.0.0.1:{self.page}", **settings},
                             state_folder=str(state))

    def spec(self, script, *args, **properties):
        jars = ":".join(str(jar) for folder in (cache() / "spark-jars", S3_JARS) if folder for jar in sorted(Path(folder).glob("*.jar")))
        return {
            "name": "osdear-test", "python": str(script), "args": [str(arg) for arg in args],
            "environment": {"PYSPARK_PYTHON": str(self.python)},
            "properties": {
                "spark.driver.memory": "512m", "spark.executor.memory": "512m", "spark.cores.max": "1", "spark.driver.host": "127.0.0.1",
                "spark.ui.enabled": "false", "spark.driver.extraClassPath": jars, "spark.executor.extraClassPath": jars,
                "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
                "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
                "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
                "spark.sql.shuffle.partitions": "1", "spark.databricks.delta.snapshotPartitions": "1",
                "spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN",
                **properties,
            },
        }


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    if not (cache() / "spark/bin/python").exists():
        pytest.skip("Spark is not installed: run tests/support/prepare.sh spark")
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.close()


def make_bronze(folder, options=None):
    table = osdear.Table.create(f"{folder}/bronze", "id BIGINT, city STRING, amount BIGINT", storage_options=options)
    table.append(BRONZE[:20])
    table.append(BRONZE[20:])
    return table.uri


def silver_rows(folder, options=None):
    return sorted(osdear.Table.open(f"{folder}/silver", storage_options=options).scan().to_pylist(), key=lambda row: row["city"])


def test_a_transformation_reads_a_bronze_table_of_ours_and_writes_a_silver_one_that_we_read(cluster, tmp_path):
    spec = cluster.spec(HERE / "silver.py", make_bronze(tmp_path), tmp_path / "silver")
    with cluster.runner(tmp_path / "state") as runner:
        job = runner.submit(spec, key="silver")
        assert runner.submit(spec, key="silver").id == job.id
        assert job.wait(timeout=300) is JobState.SUCCEEDED, b"".join(job.logs("stderr")).decode()[-3000:]
        assert b"".join(job.logs()).decode() == f"written {tmp_path}/silver\n"
        result = job.result()
    assert silver_rows(tmp_path) == SILVER
    assert result["native_state"] == "FINISHED"
    assert result["application"]["name"] == "osdear-test"
    assert result["application"]["state"] == "FINISHED"


if S3_JARS:
    def test_the_transformation_goes_from_bronze_to_silver_at_minio(cluster, tmp_path):
        with s3_servers.Server("minio") as server:
            options, lake = server.options(), s3_servers.BUCKET
            make_bronze(f"s3://{lake}", options)
            s3a = {"endpoint": server.endpoint, "endpoint.region": "us-east-1", "access.key": s3_servers.KEY, "secret.key": s3_servers.SECRET,
                   "path.style.access": "true", "connection.ssl.enabled": "false"}
            spec = cluster.spec(HERE / "silver.py", f"s3a://{lake}/bronze", f"s3a://{lake}/silver",
                                **{f"spark.hadoop.fs.s3a.{name}": value for name, value in s3a.items()})
            with cluster.runner(tmp_path / "state") as runner:
                job = runner.submit(spec, key="silver")
                assert job.wait(timeout=600) is JobState.SUCCEEDED, b"".join(job.logs("stderr")).decode()[-3000:]
            assert silver_rows(f"s3://{lake}", options) == SILVER


def test_a_master_that_wants_signatures_gets_them(cluster, tmp_path):
    key = base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
    signed = Cluster(tmp_path, key)
    try:
        with signed.runner(tmp_path / "unsigned") as runner, pytest.raises(osdear.DeniedError):
            runner.submit(signed.spec(HERE / "silver.py"))
        with signed.runner(tmp_path / "state", jws_key=key) as runner:
            job = runner.submit(signed.spec(tmp_path / "missing.py"))
            assert job.wait(timeout=120) is JobState.FAILED
            assert job.native_state == "ERROR"
    finally:
        signed.close()


def test_the_same_spec_runs_locally_by_changing_the_address(cluster, tmp_path):
    spec = cluster.spec(HERE / "silver.py", make_bronze(tmp_path), tmp_path / "silver", **{"spark.master": "local[1]"})
    spec["environment"]["SPARK_LOCAL_IP"] = "127.0.0.1"
    with osdear.Runner("process:", {"python": str(cluster.python)}, state_folder=str(tmp_path / "state")) as runner:
        job = runner.submit(spec)
        assert job.wait(timeout=300) is JobState.SUCCEEDED, b"".join(job.logs("stderr")).decode()[-3000:]
    assert silver_rows(tmp_path) == SILVER


def processes(cluster):
    """What goes on in the worker's folders, by number: virtual machines of drivers and executors, and Python beside both."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.readlink(process / "cwd").startswith(f"{cluster.folder}/drivers/"):
                found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def test_cancelling_leaves_nothing_behind(cluster, tmp_path):
    """Of an application that has an executor with Python of its own, and whose script asks Spark for nothing when it is cancelled."""
    script = tmp_path / "sleeps.py"
    script.write_text("import time\nfrom pyspark import SparkContext\nnumbers = SparkContext.getOrCreate().parallelize([1, 2])\n"
                      "print('sum', numbers.map(lambda number: number + 1).sum(), flush=True)\ntime.sleep(600)\n")
    with cluster.runner(tmp_path / "state") as runner:
        job = runner.submit(cluster.spec(script))
        for piece in job.logs(follow=True):
            assert piece == b"sum 5\n"
            break
        assert job.poll() is JobState.RUNNING
        for part in ("DriverWrapper", "CoarseGrainedExecutorBackend", "sleeps.py", "pyspark.daemon"):
            assert any(part in words for words in processes(cluster).values()), part
        assert job.cancel(timeout=120) is JobState.CANCELLED
        assert job.native_state == "KILLED"
    cluster.until(lambda: not processes(cluster), 30)


def test_a_script_gets_its_python_arguments_and_environment_as_they_are(cluster, tmp_path):
    script, python = tmp_path / "tells.py", tmp_path / "a python's name"
    python.symlink_to(cluster.python)
    script.write_text("import json, os, sys\nfrom pyspark import SparkConf, SparkContext\nSparkContext._ensure_initialized()\n"
                      "print(json.dumps([sys.argv[1:], sys.executable, os.environ['GREETING'], SparkConf().get('spark.told')]))\n")
    words = ["a b", "", "$HOME `id`", "it's \"quoted\" \\\\ * ;", "zażółć 中", "-c", "--", "two\nlines"]
    for given in ({"spark.pyspark.driver.python": str(python)}, {"spark.pyspark.python": str(python)}, {}):
        spec = cluster.spec(script, *words, **given, **{"spark.told": "a $b 'c'"})
        spec["environment"] = {"PYSPARK_DRIVER_PYTHON": str(cluster.python), "PYSPARK_PYTHON": "/nowhere/python", "GREETING": "it's $HOME"}
        with cluster.runner(tmp_path / "state") as runner:
            job = runner.submit(spec)
            assert job.wait(timeout=120) is JobState.SUCCEEDED, b"".join(job.logs("stderr")).decode()[-3000:]
            told = json.loads(b"".join(job.logs()))
        assert told == [words, str(python if given else cluster.python), "it's $HOME", "a $b 'c'"]


def test_failures_are_told_as_what_they_are(cluster, tmp_path):
    script = tmp_path / "fails.py"
    script.write_text("raise SystemExit(3)\n")
    with cluster.runner(tmp_path / "state") as runner:
        job = runner.submit(cluster.spec(script))
        assert job.wait(timeout=120) is JobState.FAILED
        assert "logs" in job.message
        job = runner.submit(cluster.spec(tmp_path / "missing.py"))
        assert job.wait(timeout=120) is JobState.FAILED
        assert job.native_state == "ERROR"
        assert "NoSuchFile" in job.message and "\n" not in job.message
        with pytest.raises(osdear.NotFoundError):
            runner.attach("driver-20200101000000-0000").wait()
        with pytest.raises(osdear.ArgumentError, match="Malformed request"):
            runner.submit(cluster.spec(script, **{"spark.driver.supervise": "maybe"}))
        assert len(runner.jobs()) == 2


def test_a_driver_that_no_worker_can_take_says_so_while_it_waits(cluster, tmp_path):
    with cluster.runner(tmp_path / "state") as runner:
        job = runner.submit(cluster.spec(HERE / "silver.py", **{"spark.driver.memory": "64g"}))
        with pytest.raises(osdear.TimedOutError):
            job.wait(timeout=25)
        assert job.state is JobState.PENDING
        assert "65536 MB" in job.message and "at most 2 cores and 1536 MB" in job.message
        assert job.cancel(timeout=60) is JobState.CANCELLED


def test_the_master_may_be_restarted_and_another_may_not_answer(cluster, tmp_path):
    script = tmp_path / "sleeps.py"
    script.write_text("import time\ntime.sleep(45)\nprint('slept')\n")
    nobody = free_ports(1)[0]
    with cluster.runner(tmp_path / "state", f"127.0.0.1:{nobody},127.0.0.1:{cluster.rest}") as runner:
        spec = cluster.spec(script, **{"spark.master": f"spark://127.0.0.1:{cluster.rpc}"})
        job = runner.submit(spec)
        cluster.until(lambda: job.poll() is JobState.RUNNING)
        cluster.stop("master")
        with pytest.raises(osdear.UnavailableError):
            job.poll()
        cluster.start_master()
        assert job.wait(timeout=180) is JobState.SUCCEEDED


def test_a_caller_that_lost_the_answer_finds_its_driver_by_the_mark_on_the_command_line(cluster, tmp_path):
    script = tmp_path / "quick.py"
    script.write_text("print('ran')\n")
    spec = cluster.spec(script)
    with cluster.runner(tmp_path / "state") as runner:
        job = runner.submit(spec, key="once")
        assert job.wait(timeout=120) is JobState.SUCCEEDED
        # What a caller leaves behind that is killed between sending and hearing.
        note = next((tmp_path / "state/jobs").glob("*/note.json"))
        note.write_text(note.read_text().replace(f',"id":"{job.id}"', ""))
        again = runner.submit(spec, key="once")
        assert (again.id, again.was_found) == (job.id, True)
