"""Many runs, much output, and engines that are killed. OSDEAR_CONTAINER_RUNS=500 is the long form."""
import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

import pytest

import osdear
from osdear import Spec

from conftest import IMAGE

RUNS = int(os.environ.get("OSDEAR_CONTAINER_RUNS", "25"))
IS_LONG = RUNS >= 500
WORKERS = 3
UNKNOWN = 255  # what dockerd says of a container that ended while it was killed itself


def sh(script, **options):
    return Spec(image=IMAGE, command=["sh", "-c", script], **options)


@pytest.fixture(scope="module")
def dockerd(place):
    """One of these tests' own, with a containerd that outlives it: it is killed."""
    docker = place.dockerd(name="killed", containerd=True)
    osdear.Engine(docker.address).import_image(place.folder / "root.tar", IMAGE, ["sh"])
    return docker


@pytest.fixture(scope="module")
def portainer(place, dockerd):
    """Before the dockerd that is killed."""
    relay = place.portainer(dockerd, "portainer-killed")
    os.environ["PORTAINER_API_KEY"] = relay.settings["portainer_api_key"]
    return relay


@pytest.fixture(scope="module", params=["dockerd", "podman", "portainer"])
def server(request):
    return request.getfixturevalue(request.param)


# One client: runs the jobs it is told the numbers of, tells each as it ends.
CLIENT = """import json, sys, osdear
engine = osdear.Engine(sys.argv[1], context=osdear.Context())
for number in map(int, sys.stdin):
    result = engine.run(osdear.Spec(image=sys.argv[2], command=["sh", "-c", f"echo out {number}; exit {number % 200}"], name=f"stress-{number}"))
    print(json.dumps([number, result.exit_code, result.last_output]), flush=True)
"""


def client(server, numbers):
    process = subprocess.Popen([sys.executable, "-c", CLIENT, server.address, IMAGE], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    process.stdin.write("".join(f"{number}\n" for number in numbers))
    process.stdin.close()
    return process


def work(server, numbers, done, dice):
    """Runs all of the numbers, whatever happens to the clients: one that is killed is followed by another. What goes on while nobody kills the
    daemon is right to the letter. One that is killed may lose an end, or what it had read of the output and not written yet, or the
    container itself; what it must not do is make us tell something that is not so."""
    while numbers:
        since = time.monotonic()
        process = client(server, numbers)
        victim_after = dice.randrange(3, 12)
        for count, line in enumerate(process.stdout):
            number, code, output = json.loads(line)
            result, right = (code, output), (number % 200, f"out {number}\n")
            if server.was_killed_since(since):  # what it started in its last moment and has forgotten is started again
                assert code in (right[0], UNKNOWN) and (2 * right[1]).startswith(output), repr((number, result))
            else:
                assert result == right, repr((number, result))
            since = time.monotonic()
            done.append(number)
            numbers = [n for n in numbers if n != number]
            if count == victim_after:
                time.sleep(dice.random() * 0.3)
                process.kill()
        said = process.stderr.read()
        if process.wait() not in (0, -signal.SIGKILL):
            assert server.was_killed_since(since) and "osdear." in said, said


def test_of_many_runs_none_is_left_behind_whoever_is_killed(engine, server):
    seed = random.randrange(1 << 30)
    print(f"# seed {seed}")
    dice = random.Random(seed)
    done, failures = [], []

    def guarded(numbers):
        try:
            work(server, numbers, done, dice)
        except BaseException as failure:  # told by the test itself
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(list(range(i, RUNS, WORKERS)),)) for i in range(WORKERS)]
    for thread in threads:
        thread.start()
    kills = 0
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.2)
        if kills < max(1, RUNS // 100) and len(done) > (kills + 1) * RUNS // (max(1, RUNS // 100) + 1):
            server.kill_and_start()
            kills += 1
    assert not failures, "\n".join(map(str, failures))
    assert set(done) == set(range(RUNS)) and kills
    engine.run(sh("true"))  # the next run removes what killed clients left
    assert server.containers() == []


class LosesAnAnswer:
    """Stands between a client and an engine. The answer to the first start is lost, after the engine gave it and the container ended."""

    def __init__(self, server, folder):
        self.is_lost = False
        if server.name == "portainer":
            self.family, self.upstream = socket.AF_INET, ("127.0.0.1", urllib.parse.urlsplit(server.url).port)
            self.listener = socket.create_server(("127.0.0.1", 0), backlog=16)
            self.address = server.address.replace(str(self.upstream[1]), str(self.listener.getsockname()[1]))
        else:
            self.family, self.upstream, self.address = socket.AF_UNIX, server.socket, f"unix://{folder}/between"
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(f"{folder}/between")
            self.listener.listen(16)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            engine = socket.socket(self.family)
            engine.connect(self.upstream)
            to_lose = threading.Event()
            threading.Thread(target=self.pump, args=(client, engine, to_lose, True), daemon=True).start()
            threading.Thread(target=self.pump, args=(engine, client, to_lose, False), daemon=True).start()

    def pump(self, source, target, to_lose, is_request):
        try:
            while data := source.recv(65536):
                if is_request and b"/start HTTP" in data and not self.is_lost:
                    self.is_lost = True
                    to_lose.set()
                elif not is_request and to_lose.is_set():
                    time.sleep(1)
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def test_a_run_whose_start_lost_its_answer_is_not_run_twice(engine, server, tmp_path):
    between = LosesAnAnswer(server, tmp_path)
    result = osdear.Engine(between.address).run(sh("echo once; exit 5"))
    assert between.is_lost
    assert (result.exit_code, result.last_output) == (5, "once\n")


def test_a_name_that_is_kept_by_what_is_no_container_is_freed(place):
    """A Podman that is killed in the middle of making one leaves a layer with the name, and knows of no container. So it is when it has lost
    what it knew."""
    podman = place.podman("forgetful")
    engine = osdear.Engine(podman.address)
    engine.import_image(place.folder / "root.tar", IMAGE, ["sh"])
    engine.create(Spec(image=IMAGE, name="kept"))
    podman.stop()
    place.folder.joinpath("forgetful", "root", "libpod", "bolt_state.db").unlink()
    podman.kill_and_start()
    assert podman.containers() == []
    with pytest.raises(osdear.ExistsError):
        engine.create(Spec(image=IMAGE, name="kept"))
    assert engine.run(sh("exit 3", name="kept")).exit_code == 3


def test_much_output_arrives_complete_and_in_order(engine, tmp_path):
    lines = 100_000 if IS_LONG else 10_000  # of 500 bytes on each channel
    script = "BEGIN { for (i = 0; i < %d; i++) { printf \"%%0499d\\n\", i; printf \"%%0499d\\n\", i > \"/dev/stderr\" } }" % lines
    with open(tmp_path / "out", "w+b") as out, open(tmp_path / "err", "w+b") as err:
        result = engine.run(Spec(image=IMAGE, command=["awk", script]), stdout=out, stderr=err)
    assert result.exit_code == 0
    for name in ("out", "err"):
        with open(tmp_path / name, "rb") as file:
            for i, line in enumerate(file):
                assert line == b"%0499d\n" % i
            assert i == lines - 1


def test_a_followed_log_survives_a_restart_of_the_daemon(engine, server):
    container = engine.create(sh("i=0; while [ $i -lt 400 ]; do echo $i; i=$((i+1)); sleep 0.02; done; exit 4"))
    container.start()
    seen = b""
    killed = False
    for chunk in container.logs(follow=True):
        seen += chunk.data
        if not killed and seen.count(b"\n") > 50:
            threading.Thread(target=server.kill_and_start).start()
            killed = True
    assert killed and seen == b"".join(b"%d\n" % i for i in range(400))
    assert container.wait(20) == 4
    container.remove()


def test_a_run_costs_little(engine):
    spec = sh("echo hello; exit 3")
    engine.run(spec)
    before, count = resource.getrusage(resource.RUSAGE_THREAD), 10  # no other thread of ours works; the stand-in has its own
    for _ in range(count):
        assert engine.run(spec).exit_code == 3
    after = resource.getrusage(resource.RUSAGE_THREAD)
    each_ms = 1000 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) / count
    print(f"# {each_ms:.2f} ms of our own CPU for each run")
    assert each_ms < 5
