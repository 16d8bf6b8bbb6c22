"""One promise, kept by every engine. What they do differently is in docs/internals/containers.md, and in the conditions below."""
import concurrent.futures
import contextlib
import io
import os
import re
import signal
import subprocess
import tarfile
import threading
import time

import pytest

import osdear
from osdear._lib import lib
from osdear import Existing, Health, Kind, Mount, Network, Port, Spec, State

from conftest import IMAGE


def sh(script, **options):
    return Spec(image=IMAGE, command=["sh", "-c", script], **options)


def joined(output):
    """All bytes of each channel."""
    found = {"stdout": b"", "stderr": b""}
    for chunk in output:
        found[chunk.channel] += chunk.data
    return found


@pytest.fixture
def made(engine):
    """Makes containers that are removed after the test."""
    containers = []

    def make(script, start=True, **options):
        container = engine.create(sh(script, **options))
        containers.append(container)
        if start:
            container.start()
        return container

    yield make
    for container in containers:
        container.remove(force=True, volumes=True, missing=True)


# ---- engines ----


def test_an_engine_says_what_it_is(engine, server):
    assert engine.kind == ("podman" if server.name == "podman" else "docker")
    theirs = re.search(r"(?im)^api-version: 1\.(\d+)", server.curl("-I", "http://localhost/_ping").stdout)[1]
    assert engine.api_version == f"1.{min(int(theirs), 51)}"
    assert engine.request("GET", "/info")["Containers"] == 0


def test_where_nothing_answers_the_message_names_the_address(tmp_path):
    with pytest.raises(osdear.UnavailableError, match="nowhere.sock"):
        osdear.Engine(f"unix://{tmp_path}/nowhere.sock")


def test_an_engine_that_is_stopped_leads_to_a_timeout(server):
    engine = osdear.Engine(server.address, timeout=1)
    server.send(signal.SIGSTOP)
    try:
        before = time.monotonic()
        with pytest.raises(osdear.TimedOutError):
            engine.request("POST", "/containers/create", {})
        assert time.monotonic() - before < 10
    finally:
        server.send(signal.SIGCONT)


def test_unknown_paths_and_names_are_not_found(engine):
    with pytest.raises(osdear.NotFoundError):
        engine.request("GET", "/nonsense")
    with pytest.raises(osdear.NotFoundError):
        engine.get("nonesuch")
    engine.remove(Kind.CONTAINER, "nonesuch", missing=True)


# ---- images ----


def test_images_are_found_named_and_removed(engine):
    assert engine.has_image(IMAGE) and not engine.has_image("nonesuch:1")
    engine.tag_image(IMAGE, "osdear/other:2")
    assert engine.has_image("osdear/other:2")
    engine.remove(Kind.IMAGE, "osdear/other:2")
    assert not engine.has_image("osdear/other:2")
    assert engine.inspect(Kind.IMAGE, IMAGE)["Config"]["Cmd"] == ["sh"]


def test_an_image_goes_through_a_registry_with_a_password(dockerd, registry, tmp_path):
    engine = osdear.Engine(dockerd.address)
    name = f"{registry.host}/osdear/box:1"
    engine.tag_image(IMAGE, name)
    subprocess.run(["docker", "--config", str(tmp_path), "-H", dockerd.address, "login", "-u", registry.username, "--password-stdin", registry.host],
                   input=registry.password, text=True, check=True, capture_output=True)
    subprocess.run(["docker", "--config", str(tmp_path), "-H", dockerd.address, "push", name], check=True, capture_output=True)
    engine.remove(Kind.IMAGE, name)

    with pytest.raises(osdear.DeniedError):
        osdear.Engine(dockerd.address, settings={"docker_config": str(tmp_path / "none")}).pull(name)
    with pytest.raises(osdear.DeniedError) as failure:
        engine.pull(name, username=registry.username, password="wrong-pw")
    assert "wrong-pw" not in str(failure.value)
    assert not engine.has_image(name)

    osdear.Engine(dockerd.address, settings={"docker_config": str(tmp_path)}).pull(name)
    assert engine.has_image(name)
    engine.remove(Kind.IMAGE, name)
    engine.pull(name, username=registry.username, password=registry.password)
    with pytest.raises(osdear.NotFoundError):
        engine.pull(f"{registry.host}/osdear/nonesuch:1", username=registry.username, password=registry.password)
    engine.remove(Kind.IMAGE, name)


def test_an_image_that_docker_saved_is_loaded(dockerd, tmp_path):
    engine = osdear.Engine(dockerd.address)
    engine.tag_image(IMAGE, "osdear/saved:1")
    subprocess.run(["docker", "-H", dockerd.address, "save", "-o", str(tmp_path / "saved.tar"), "osdear/saved:1"], check=True)
    engine.remove(Kind.IMAGE, "osdear/saved:1")
    engine.load_image(tmp_path / "saved.tar")
    assert engine.has_image("osdear/saved:1")
    engine.remove(Kind.IMAGE, "osdear/saved:1")


def test_a_failure_within_an_answer_that_began_well_is_a_failure(engine, tmp_path):
    (tmp_path / "bad.tar").write_bytes(b"this is no tar file" * 100)
    with pytest.raises(osdear.Error):
        engine.load_image(tmp_path / "bad.tar")


# ---- containers ----


def test_a_container_lives_through_all_its_states(engine, made):
    container = made("trap 'exit 3' TERM; while true; do sleep 0.05; done", start=False, name="life", labels={"a": "1"})
    assert container.status().state == State.CREATED
    with pytest.raises(osdear.ExistsError):
        engine.create(sh("true", name="life"))
    container.start()
    container.start()
    status = container.status()
    assert status.state == State.RUNNING and status.started is not None
    container.pause()
    assert container.status().state == State.PAUSED
    container.unpause()
    with pytest.raises(osdear.ConflictError):
        container.remove()
    container.rename("afterlife")
    assert engine.get("afterlife").id == container.id
    assert [c["Id"] for c in engine.list(Kind.CONTAINER, {"label": "a=1"})] == [container.id]
    assert engine.list(Kind.CONTAINER, {"label": "a=2"}) == []
    container.stop(5)
    container.stop(5)
    assert container.wait(5) == 3
    with pytest.raises(osdear.StateError):
        container.kill()
    container.restart(1)
    container.kill()
    assert container.wait(5) == 137
    assert container.status().state == State.EXITED
    container.remove()
    with pytest.raises(osdear.NotFoundError):
        container.status()


def test_the_description_arrives(engine, made, tmp_path):
    (tmp_path / "file").write_text("from the host")
    tmp_path.chmod(0o755)
    container = made("cat /in/file; echo $A; id -u; pwd; touch /in/no 2>/dev/null || echo read-only", environment={"A": "x=y"}, user="guest",
                     folder="/tmp", mounts=[Mount(str(tmp_path), "/in", True), Mount(None, "/scratch")], memory_bytes=64 << 20,
                     ports=[Port(80, 0)], init=True, cap_drop=["ALL"])
    assert container.wait(10) == 0
    assert joined(container.logs())["stdout"].decode().split("\n") == ["from the hostx=y", "1000", "/tmp", "read-only", ""]
    found = engine.inspect(Kind.CONTAINER, container.id)
    assert found["HostConfig"]["Memory"] == 64 << 20
    assert found["HostConfig"].get("Init")


def test_limits_are_changed(engine, made):
    container = made("sleep 30", memory_bytes=64 << 20)
    if engine.kind == "podman":
        with pytest.raises(osdear.UnsupportedError):
            container.update(memory_bytes=32 << 20)
        return
    container.update(memory_bytes=32 << 20, cpu_milli=500)
    assert engine.inspect(Kind.CONTAINER, container.id)["HostConfig"]["Memory"] == 32 << 20


def test_a_missing_image_and_a_bad_command_are_told_apart(engine, made):
    with pytest.raises(osdear.NotFoundError):
        engine.create(Spec(image="nonesuch:1"))
    container = engine.create(Spec(image=IMAGE, command=["/nonesuch"]))
    with pytest.raises(osdear.ArgumentError):
        container.start()
    container.remove(force=True)


def test_waiting_has_an_end(made):
    container = made("sleep 30")
    before = time.monotonic()
    with pytest.raises(osdear.TimedOutError):
        container.wait(1)
    assert time.monotonic() - before < 5


def test_an_end_is_told_although_somebody_removes_the_container_at_once(engine, made, server):
    for script, end, code in (("sleep 300", lambda container: None, 137), ("sleep 1; exit 7", lambda container: container.wait(20), 7)):
        container = made(script)
        told = []
        waiter = threading.Thread(target=lambda id=container.id: told.append(
            osdear.Engine(server.address, context=osdear.Context()).get(id).wait(30)))
        waiter.start()
        time.sleep(0.5)
        end(container)
        server.curl("-X", "DELETE", f"http://localhost/v1.41/containers/{container.id}?force=1")
        waiter.join()
        assert told == [code]


def test_what_was_never_started_has_no_end(made):
    with pytest.raises(osdear.StateError, match="never started"):
        made("true", start=False).wait(5)


def test_health_is_waited_for(made):
    container = made("sleep 1; touch /ok; sleep 30", health=["test -f /ok"], health_interval_ms=200)
    with pytest.raises(osdear.TimedOutError):
        container.wait_healthy(0.3)
    container.wait_healthy(20)
    assert container.status().health == Health.HEALTHY
    dying = made("exit 4", health=["true"], health_interval_ms=20000)
    with pytest.raises(osdear.StateError, match="exit code 4"):
        dying.wait_healthy(20)
    with pytest.raises(osdear.StateError, match="no health check"):
        made("sleep 30").wait_healthy(20)


def test_services_find_each_other_by_alias(engine, made):
    engine.create_network("osdear-net", labels={"a": "1"})
    try:
        with pytest.raises(osdear.ExistsError):
            engine.create_network("osdear-net")
        engine.create_network("osdear-net", if_not_exists=True)
        engine.create_network("osdear-net2")
        made("nc -l -p 5000 -e echo hello", networks=[Network("osdear-net", ["db"])])
        time.sleep(0.5)
        client = made("nc db 5000 || nc db 5000", networks=[Network("osdear-net"), Network("osdear-net2", ["x"])])
        if engine.kind == "podman":  # names need the dnsname plugin, which is not everywhere
            with contextlib.suppress(osdear.StateError):  # it may have ended by itself
                client.kill()
        else:
            assert client.wait(10) == 0
            assert joined(client.logs())["stdout"] == b"hello\n"
        assert len(engine.inspect(Kind.CONTAINER, client.id)["NetworkSettings"]["Networks"]) == 2
    finally:
        for container in engine.list(Kind.CONTAINER):
            engine.remove(Kind.CONTAINER, container["Id"], force=True)
        engine.remove(Kind.NETWORK, "osdear-net")
        engine.remove(Kind.NETWORK, "osdear-net2")


def test_volumes_keep_what_is_written(engine, made):
    engine.create_volume("osdear-vol")
    with pytest.raises(osdear.ExistsError):
        engine.create_volume("osdear-vol")
    engine.create_volume("osdear-vol", if_not_exists=True)
    made("echo kept > /v/f", mounts=[Mount("osdear-vol", "/v")]).wait(10)
    reader = made("cat /v/f", mounts=[Mount("osdear-vol", "/v")])
    reader.wait(10)
    assert joined(reader.logs())["stdout"] == b"kept\n"
    assert [v["Name"] for v in engine.list(Kind.VOLUME)] == ["osdear-vol"]
    with pytest.raises(osdear.ConflictError):
        engine.remove(Kind.VOLUME, "osdear-vol")
    for container in engine.list(Kind.CONTAINER):
        engine.remove(Kind.CONTAINER, container["Id"], force=True)
    engine.remove(Kind.VOLUME, "osdear-vol")


# ---- streams ----


def test_a_log_keeps_channels_order_and_every_byte(engine, made):
    lines = 20000
    container = made(f"i=0; while [ $i -lt {lines} ]; do echo out $i; [ $((i % 10)) = 0 ] && echo err $i >&2; i=$((i+1)); done")
    found = joined(container.logs(follow=True))
    assert found["stdout"] == b"".join(b"out %d\n" % i for i in range(lines))
    assert found["stderr"] == b"".join(b"err %d\n" % i for i in range(0, lines, 10))
    assert container.wait(5) == 0


def test_long_lines_and_unfinished_ones_arrive_whole(made):
    container = made("head -c 100000 /dev/zero | tr '\\0' x; echo; printf end")
    assert container.wait(10) == 0
    assert joined(container.logs())["stdout"] == b"x" * 100000 + b"\nend"


def test_parts_of_a_log_are_chosen(made):
    container = made("for i in 1 2 3; do echo out $i; echo err $i >&2; done")
    container.wait(10)
    assert joined(container.logs(stderr=False))["stderr"] == b""
    assert joined(container.logs(stdout=False, tail=2))["stdout"] == b""
    assert len(b"".join(c.data for c in container.logs(tail=2)).splitlines()) == 2
    first = next(iter(container.logs()))
    assert abs(first.time.timestamp() - time.time()) < 60


def test_a_log_is_followed_from_a_part_of_it_on(made, server):
    container = made("for i in 1 2 3; do echo old $i; done; sleep 5; for i in 1 2 3 4; do echo new $i; sleep 0.5; done")
    old, new = ([b"%s %d\n" % (age, i) for i in numbers] for age, numbers in ((b"old", (1, 2, 3)), (b"new", (1, 2, 3, 4))))
    time.sleep(1)

    def follow(tail):
        engine = osdear.Engine(server.address, context=osdear.Context())
        return joined(engine.get(container.id).logs(follow=True, tail=tail))["stdout"]

    with concurrent.futures.ThreadPoolExecutor() as pool:
        found = list(pool.map(follow, (0, 1, None)))
    assert found == [b"".join(new), b"".join(old[2:] + new), b"".join(old + new)]


def test_a_terminal_s_output_is_one_stream(made):
    container = made("echo out; echo err >&2; tty", tty=True)
    assert container.wait(10) == 0
    assert joined(container.logs())["stdout"].replace(b"\r", b"") == b"out\nerr\n/dev/pts/0\n"


def test_a_command_in_a_container_tells_its_output_and_exit_code(made):
    container = made("sleep 30")
    with container.exec(["sh", "-c", "echo out; echo err >&2; id -u; echo $A; exit 5"], user="guest", environment={"A": "b"}) as output:
        found = joined(output)
        assert output.exit_code() == 5
    assert found == {"stdout": b"out\n1000\nb\n", "stderr": b"err\n"}
    container.kill()
    container.wait(5)
    with pytest.raises(osdear.StateError):
        container.exec(["true"])


def test_standard_input_reaches_a_command(made, server):
    container = made("sleep 30")
    if server.name == "portainer":  # its proxy passes no byte
        with pytest.raises(osdear.UnsupportedError):
            container.exec(["sort"], open_stdin=True)
        return
    with container.exec(["sort"], open_stdin=True) as output:
        output.write(b"b\na\n")
        output.close_input()
        assert joined(output)["stdout"] == b"a\nb\n"
        assert output.exit_code() == 0


def test_standard_input_reaches_an_attached_container(made, server):
    container = made("read line; echo got $line", start=False, open_stdin=True)
    if server.name == "portainer":
        with pytest.raises(osdear.UnsupportedError):
            container.attach()
        return
    with container.attach() as output:
        container.start()
        output.write(b"hello\n")
        assert joined(output)["stdout"] == b"got hello\n"
    assert container.wait(5) == 0


def test_statistics_are_told(made):
    container = made("sleep 30")
    with container.stats(once=True) as stats:
        assert "memory_stats" in next(stats)
    with container.stats() as stats:
        assert len([next(stats) for _ in range(2)]) == 2


def test_events_are_followed(engine):
    with engine.events({"type": "container"}) as events:
        engine.run(sh("exit 6", name="eventful"))
        seen = []
        for event in events:
            if event["Actor"]["Attributes"].get("name") == "eventful":
                seen.append(event["Action"])
            if event["Action"] in ("destroy", "remove"):
                break
    assert "start" in seen and "die" in seen


def test_an_event_comes_when_it_happens(made, server):
    context = osdear.Context()
    seen = []

    def follow():
        with contextlib.suppress(osdear.CancelledError):
            seen.append(next(osdear.Engine(server.address, context=context).events({"type": "container", "event": "create"})))

    follower = threading.Thread(target=follow)
    follower.start()
    time.sleep(2)
    container = made("true", start=False)
    follower.join(10)
    lib.osdear_cancel_throw(context.cancel)
    follower.join()
    assert [event["Actor"]["ID"] for event in seen] == [container.id]


# ---- copies ----


def test_files_go_in_and_come_out(engine, made, tmp_path):
    (tmp_path / "in/deep").mkdir(parents=True)
    (tmp_path / "in/deep/file").write_text("content")
    (tmp_path / "in/link").symlink_to("deep/file")
    container = made("cat /tmp/in/link; cp -r /tmp/in /tmp/out", start=False)
    container.copy_in(tmp_path / "in", "/tmp")
    container.start()
    assert container.wait(10) == 0
    assert joined(container.logs())["stdout"] == b"content"
    container.copy_out("/tmp/out", tmp_path)
    assert (tmp_path / "out/deep/file").read_text() == "content"
    assert os.readlink(tmp_path / "out/link") == "deep/file"
    with pytest.raises(osdear.NotFoundError):
        container.copy_out("/nonesuch", tmp_path)
    if engine.kind == "podman":  # it makes the folder
        container.copy_in(tmp_path / "in", "/nonesuch")
        return
    with pytest.raises(osdear.NotFoundError):
        container.copy_in(tmp_path / "in", "/nonesuch")


# ---- runs ----


def test_a_run_gives_output_exit_code_and_results_and_leaves_nothing(engine, tmp_path):
    with open(tmp_path / "out", "w+b") as out, open(tmp_path / "err", "w+b") as err:
        result = engine.run(sh("echo out; echo err >&2; echo result > /tmp/r; exit 4"), stdout=out, stderr=err, results={"/tmp/r": str(tmp_path)})
    assert result.exit_code == 4
    assert (tmp_path / "out").read_text() == "out\n" and (tmp_path / "err").read_text() == "err\n"
    assert (tmp_path / "r").read_text() == "result\n"
    assert sorted(result.last_output.splitlines()) == ["err", "out"]


def test_a_run_whose_time_is_over_leaves_nothing(engine):
    before = time.monotonic()
    with pytest.raises(osdear.TimedOutError):
        engine.run(sh("sleep 60"), timeout=1)
    assert time.monotonic() - before < 15


def test_a_run_that_is_given_up_leaves_nothing(engine, server):
    threading.Timer(1.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        engine.run(sh("sleep 60"))


def test_a_run_that_cannot_start_leaves_nothing(engine):
    with pytest.raises(osdear.ArgumentError):
        engine.run(Spec(image=IMAGE, command=["/nonesuch"]))
    with pytest.raises(osdear.Error):
        engine.run(Spec(image="127.0.0.1:1/nonesuch:1"))
    with pytest.raises(osdear.NotFoundError):
        engine.run(Spec(image="nonesuch:1"), never_pull=True)


RUN_AND_PRINT = """import osdear, sys
spec = osdear.Spec(image=sys.argv[2], command=sys.argv[3:], name="job")
print(osdear.Engine(sys.argv[1]).run(spec, existing=osdear.Existing.TAKE_UP).exit_code)"""


def wait_until(holds, timeout=30):
    until = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < until, "not in time"
        time.sleep(0.05)


def is_running(engine, name):
    try:
        return engine.get(name).status().state == State.RUNNING
    except osdear.NotFoundError:  # not made yet
        return False


def test_a_second_run_replaces_takes_up_or_fails(engine, made, server):
    stranger = made("sleep 60", name="job")
    with pytest.raises(osdear.ExistsError):
        engine.run(sh("true", name="job"))
    stranger.remove(force=True)

    job = sh("while [ ! -e /go ]; do sleep 0.05; done; echo done; exit 2", name="job")
    first = subprocess.Popen(["python3", "-c", RUN_AND_PRINT, engine.address, IMAGE, *job.command], stdout=subprocess.PIPE, text=True)
    wait_until(lambda: is_running(engine, "job"))
    with pytest.raises(osdear.ExistsError):
        engine.run(job, existing=Existing.FAIL)
    with pytest.raises(osdear.ExistsError, match="lives"):
        engine.run(job, existing=Existing.REPLACE)
    with pytest.raises(osdear.ExistsError):
        engine.run(sh("other", name="job"), existing=Existing.TAKE_UP)
    first.send_signal(signal.SIGSTOP)  # it will be the last to learn of the end
    threading.Timer(1, lambda: list(osdear.Engine(engine.address).get("job").exec(["touch", "/go"]))).start()
    result = engine.run(job, existing=Existing.TAKE_UP)
    assert result.was_taken_up and result.exit_code == 2 and result.last_output == "done\n"
    first.send_signal(signal.SIGCONT)
    assert first.communicate()[0] == "2\n"
    assert server.containers() == []

    kept = engine.run(sh("exit 1", name="job"), keep=True)
    assert engine.get("job").id == kept.container_id
    assert engine.sweep() == 0
    assert engine.run(sh("exit 0", name="job")).exit_code == 0


def test_who_takes_a_run_up_learns_its_end_although_the_first_was_faster(engine, server):
    job = sh("echo up; while [ ! -e /go ]; do sleep 0.05; done; exit 2", name="job")
    words = ["python3", "-c", RUN_AND_PRINT.replace("TAKE_UP", "TAKE_UP, stdout=sys.stdout"), engine.address, IMAGE, *job.command]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as first:
        wait_until(lambda: is_running(engine, "job"))
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as second:
            assert second.stdout.readline() == "up\n"
            second.send_signal(signal.SIGSTOP)
            list(engine.get("job").exec(["touch", "/go"]))
            assert first.communicate(timeout=60)[0] == "up\n2\n"
            assert server.containers() == []
            second.send_signal(signal.SIGCONT)
            said = second.communicate(timeout=60)[0]
            assert said == "2\n"


def test_what_a_killed_program_left_is_removed_by_the_next_run(engine, server):
    program = ("import osdear, sys; engine = osdear.Engine(sys.argv[1]);"
               "engine.run(osdear.Spec(image=sys.argv[2], command=['sleep', '60']))")
    child = subprocess.Popen(["python3", "-c", program, server.address, IMAGE], env={**os.environ, "PATH": os.environ["PATH"]})
    until = time.monotonic() + 20
    while not server.containers() and time.monotonic() < until:
        time.sleep(0.1)
    assert server.containers()
    child.kill()
    child.wait()
    assert engine.run(sh("exit 0")).exit_code == 0
    assert server.containers() == []


def test_memory_that_runs_out_is_told(dockerd):
    result = osdear.Engine(dockerd.address).run(sh("head -c 200000000 /dev/zero | tail", memory_bytes=16 << 20, extra={"HostConfig": {"MemorySwap": 16 << 20}}))
    assert result.exit_code != 0
