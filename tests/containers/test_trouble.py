"""What goes wrong between us and an engine: daemons that restart or are killed, clients that are killed, much output."""
import os
import random
import signal
import subprocess
import threading
import time

import pytest

import osdear
from osdear import Spec

from conftest import IMAGE

FULL = os.environ.get("OSDEAR_FULL") == "1"


def sh(script, **options):
    return Spec(image=IMAGE, command=["sh", "-c", script], **options)


def restart(server, number=signal.SIGKILL):
    server.stop(number)
    server.start()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_followed_log_survives_the_restart_of_the_engine(dockerd, number):
    engine = osdear.Engine(dockerd.address)
    container = engine.create(sh("i=0; while [ $i -lt 80 ]; do echo out $i; echo err $i >&2; sleep 0.1; i=$((i+1)); done"))
    container.start()
    timer = threading.Timer(3, lambda: restart(dockerd, number))
    timer.start()
    found = {"stdout": [], "stderr": []}
    for chunk in container.logs(follow=True):
        found[chunk.channel].append(chunk.data)
    timer.join()
    for channel, word in (("stdout", b"out"), ("stderr", b"err")):
        assert found[channel] == [b"%s %d\n" % (word, i) for i in range(80)]
    assert container.wait(10) == 0
    container.remove(force=True)


def test_a_hundred_megabytes_arrive_complete_and_in_order(dockerd, command, tmp_path):
    """Two writers at once; on each channel every line is there, in its place."""
    lines = 800_000 if FULL else 120_000
    script = f"seq -f 'out %060g' {lines} & seq -f 'err %060g' {lines} >&2 & wait"
    with open(tmp_path / "out", "wb") as out, open(tmp_path / "err", "wb") as err:
        code = subprocess.run([command.program, "container", "run", "--engine", dockerd.address, IMAGE, "sh", "-c", script], stdout=out, stderr=err,
                              timeout=600, check=False).returncode
    assert code == 0
    for name in ("out", "err"):
        expected = 0
        with open(tmp_path / name, encoding="ascii") as file:
            for expected, line in enumerate(file, 1):
                assert line == f"{name} {expected:060d}\n"
        assert expected == lines


def start_run(command, dockerd, script, *words):
    return subprocess.Popen([command.program, "container", "run", "--engine", dockerd.address, *words, IMAGE, "sh", "-c", script],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def wait_until(condition, seconds=30):
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.1)
    return condition()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_client_that_is_killed_leaves_nothing(dockerd, command, number):
    client = start_run(command, dockerd, "sleep 60")
    assert wait_until(dockerd.containers)
    os.killpg(client.pid, number)
    client.communicate(timeout=30)
    assert wait_until(lambda: not dockerd.containers())
    if number != signal.SIGKILL:
        assert client.returncode == 130


def test_many_short_runs_with_random_kills_leave_nothing(dockerd, command):
    chance = random.Random(7)
    count = 500 if FULL else 40
    waiting, running, codes = list(range(count)), [], {}
    next_kill = time.monotonic() + 4
    while waiting or running:
        while waiting and len(running) < 8:
            number = waiting.pop()
            victim = chance.random() < 0.2
            client = start_run(command, dockerd, f"sleep 0.{chance.randrange(10)}; echo {number}; exit {number % 50}")
            running.append((client, number, time.monotonic() + chance.random() if victim else None))
        if time.monotonic() > next_kill:
            restart(dockerd)
            next_kill = time.monotonic() + (15 if FULL else 6)
        for entry in list(running):
            client, number, kill_at = entry
            if kill_at and time.monotonic() > kill_at:
                client.kill()
            if client.poll() is not None:
                output = client.communicate()
                if kill_at is None:
                    codes[number] = (client.returncode, output)
                running.remove(entry)
        time.sleep(0.05)
    assert wait_until(lambda: not dockerd.containers(), 90), f"{len(dockerd.containers())} of {count} are left behind"
    wrong = {number: found for number, found in codes.items() if found[0] != number % 50}
    assert not wrong, f"{len(wrong)} of {len(codes)}: {dict(list(wrong.items())[:5])}"


def test_a_run_costs_little_of_our_own(dockerd, place):
    """CPU of this process, not the engine's."""
    engine = osdear.Engine(dockerd.address)
    engine.run(sh("exit 0"))
    before, count = time.process_time(), 20
    for _ in range(count):
        assert engine.run(sh("exit 0")).exit_code == 0
    assert (time.process_time() - before) / count < 0.005
