"""The command, as people and scripts use it."""
import json
import signal
import subprocess
import time

import pytest

from conftest import IMAGE


@pytest.fixture
def on(server):
    return ["--engine", server.address]


def test_run_passes_output_and_exit_code_through(command, on):
    done = command("container", "run", *on, "-e", "A=1", IMAGE, "sh", "-c", "echo $A; echo err >&2; exit 9", code=9)
    assert (done.stdout, done.stderr) == ("1\n", "err\n")


def test_run_keeps_options_behind_the_image_for_the_container(command, on):
    assert command("container", "run", *on, IMAGE, "echo", "-e", "--name", "x").stdout == "--name x\n"


def test_run_takes_what_hands_type_by_habit(command, dockerd):
    on = ["--engine", dockerd.address]
    for size in ("64m", "64", "65536k", "67108864b"):
        command("container", "run", *on, "--rm", "--keep", "--name", "limited", "--existing", "replace", "-m", size, IMAGE, "true")
        assert json.loads(dockerd.curl("http://localhost/v1.41/containers/limited/json").stdout)["HostConfig"]["Memory"] == 64 << 20
    command("container", "rm", *on, "limited")
    command("container", "run", *on, "-m", "64q", IMAGE, "true", code=2)


def test_run_tells_its_own_failures_apart(command, on):
    assert command("container", "run", *on, "--pull", "never", "nonesuch:1", code=125).stderr
    command("container", "run", *on, "--timeout", "2", IMAGE, "sleep", "60", code=124)
    command("container", "run", "--engine", "unix:///nowhere.sock", IMAGE, code=125)


def test_run_mounts_and_copies_results(command, on, tmp_path):
    (tmp_path / "in").write_text("x")
    command("container", "run", *on, "-v", f"{tmp_path}:/in:ro", "--result", f"/tmp/r={tmp_path}", IMAGE, "cp", "/in/in", "/tmp/r")
    assert (tmp_path / "r").read_text() == "x"


def test_containers_are_listed_followed_entered_stopped_and_removed(command, on, server):
    running = subprocess.Popen([command.program, "container", "run", *on, "--name", "service", IMAGE, "sh", "-c",
                                "trap 'echo bye; exit 0' TERM; echo hello; while true; do sleep 0.1; done"],
                               stdout=subprocess.PIPE, text=True)
    assert running.stdout.readline() == "hello\n"
    assert "service" in command("container", "ps", *on).stdout
    assert json.loads(command("container", "ps", *on, "--json").stdout)[0]["State"] == "running"
    assert command("container", "logs", *on, "service").stdout == "hello\n"
    assert command("container", "exec", *on, "service", "sh", "-c", "echo in; exit 3", code=3).stdout == "in\n"
    if server.name == "portainer":  # its proxy passes no standard input
        assert command("container", "exec", *on, "-i", "service", "cat", code=1).stderr
    else:
        assert command("container", "exec", *on, "-i", "service", "cat", input="through").stdout == "through"
    assert "memory_stats" in json.loads(command("container", "stats", *on, "--once", "service").stdout)
    command("container", "stop", *on, "--grace", "5", "service")
    assert running.wait(20) == 0
    assert running.stdout.read() == "bye\n"
    assert "service" not in command("container", "ps", *on, "-a").stdout


def test_kept_containers_are_waited_for_and_removed(command, on):
    command("container", "run", *on, "--name", "kept", "--keep", IMAGE, "sh", "-c", "exit 4", code=4)
    assert command("container", "wait", *on, "kept").stdout == "4\n"
    command("container", "rm", *on, "kept")
    command("container", "wait", *on, "kept", code=5)
    command("container", "rm", *on, "--force", "kept", code=5)


def test_events_are_lines_of_json(command, dockerd):
    on = ["--engine", dockerd.address]
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1))
    command("container", "run", *on, IMAGE, "true")
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
    lines = command("container", "events", *on, "--since", since, "--until", until, "--filter", "type=container").stdout.splitlines()
    assert {"create", "start", "die", "destroy"} <= {json.loads(line)["Action"] for line in lines}
