"""Stacks: of containers on every engine, and Portainer's with all its traps."""
import json
import subprocess
import threading
import time

import pytest

import osdear
from osdear import Kind, Mount, Network, Service, Spec, Stack, State

from conftest import IMAGE

LOOP = "trap 'exit 0' TERM; while true; do sleep 0.1; done"


def loop(**options):
    return Spec(image=IMAGE, command=["sh", "-c", LOOP], **options)


def sh(script, **options):
    return Spec(image=IMAGE, command=["sh", "-c", script], **options)


def compose(**services):
    """A Compose file in the plain form: service=command, or service=dict."""
    lines = ["services:"]
    for name, given in services.items():
        given = {"command": given} if isinstance(given, str) else given
        lines += [f"  {name}:", f"    image: {given.get('image', IMAGE)}", f"    command: {json.dumps(['sh', '-c', given.get('command', LOOP)])}",
                  "    stop_grace_period: 1s", *given.get("more", [])]
    return "\n".join(lines) + "\n"


def services_of(engine, name):
    """Services that run, by another way than the one that is tested."""
    found = engine.list(Kind.CONTAINER, {"label": f"com.docker.compose.project={name}", "status": "running"})
    return sorted(c["Labels"]["com.docker.compose.service"] for c in found)


@pytest.fixture(autouse=True)
def no_stack_is_left(request):
    yield
    for name in ("server", "portainer"):
        if name in request.fixturenames:
            relay = request.getfixturevalue(name)
            engine = osdear.Engine(relay.address)
            for entry in Stack.list(engine):
                Stack.get(engine, entry.name).remove(volumes=True)
            for kind in (Kind.NETWORK, Kind.VOLUME):
                for found in engine.list(kind, {"label": "com.docker.compose.project"}):
                    engine.remove(kind, found["Name"])
            assert not getattr(relay, "stacks", None)


# ---- of containers, on every engine ----


def test_a_stack_comes_up_in_order_and_goes_in_reverse(engine):
    stack = Stack.up(engine, "shop", {
        "web": Service(sh("while [ ! -e /data/ready ]; do echo too early; exit 3; done; " + LOOP, mounts=[Mount("data", "/data")]),
                       after=["db:healthy", "setup:ended"]),
        "db": loop(health=["test -e /tmp/up || touch /tmp/up"], health_interval_ms=200),
        "setup": Service(sh("sleep 0.5; touch /data/ready", mounts=[Mount("data", "/data")])),
    }, volumes=["data"])
    assert services_of(engine, "shop") == ["db", "web"]
    status = stack.status()
    assert (status.id, status.containers, status.running, status.ready, status.failed) == (None, 3, 2, 2, 0)
    assert [(e.name, e.containers, e.running) for e in Stack.list(engine)] == [("shop", 3, 2)]
    started = {c["Labels"]["com.docker.compose.service"]: c["Id"] for c in engine.list(Kind.CONTAINER)}
    assert engine.get(started["db"]).status().started < engine.get(started["web"]).status().started

    stack.stop()
    assert services_of(engine, "shop") == []
    assert engine.get(started["web"]).status().finished <= engine.get(started["db"]).status().finished
    stack.start()
    assert services_of(engine, "shop") == ["db", "web"]
    Stack.get(engine, "shop").remove()
    assert engine.list(Kind.CONTAINER) == [] and [v["Name"] for v in engine.list(Kind.VOLUME)] == ["shop_data"]
    Stack.get(engine, "shop").remove(volumes=True)
    with pytest.raises(osdear.NotFoundError):
        Stack.get(engine, "shop")


def test_only_what_changed_is_made_anew_and_what_was_dropped_is_removed(engine):
    def ids():
        return {c["Labels"]["com.docker.compose.service"]: c["Id"] for c in engine.list(Kind.CONTAINER)}

    Stack.up(engine, "shop", {"a": loop(), "b": loop(), "c": loop()})
    before = ids()
    Stack.up(engine, "shop", {"a": loop(), "b": loop(environment={"X": "1"})}, keep_dropped=True)
    between = ids()
    assert between["a"] == before["a"] and between["b"] != before["b"] and between["c"] == before["c"]
    Stack.up(engine, "shop", {"a": loop(), "b": loop(environment={"X": "1"})})
    assert ids() == {"a": between["a"], "b": between["b"]}


def test_services_of_a_stack_find_each_other_by_name(engine, server):
    # Podman's names need the dnsname plugin, which is not everywhere.
    client = sh("for i in 1 2 3 4 5 6 7 8 9; do nc db 5000 && exit 0; sleep 0.3; done; exit 1") if server.name != "podman" else loop()
    Stack.up(engine, "shop", {"db": sh("while true; do nc -l -p 5000 -e echo hello; done", networks=[Network("inner", ["base"])], stop_signal="KILL"),
                              "client": Service(Spec(image=IMAGE, command=client.command, networks=[Network("inner")], stop_signal="KILL"), after=["db"])},
             networks=["inner"])
    networks = engine.inspect(Kind.CONTAINER, "shop-db-1")["NetworkSettings"]["Networks"]
    assert list(networks) == ["shop_inner"] and {"db", "base"} <= set(networks["shop_inner"]["Aliases"])
    if server.name != "podman":
        assert engine.get("shop-client-1").wait(20) == 0


def test_a_stack_that_cannot_come_up_says_which_service_and_leaves_nothing(engine):
    with pytest.raises(osdear.StateError, match="`bad`.*exit code 3"):
        Stack.up(engine, "shop", {"good": loop(), "bad": sh("sleep 0.3; exit 3")})
    with pytest.raises(osdear.StateError, match="`web`"):
        Stack.up(engine, "shop", {"setup": sh("exit 5"), "web": Service(loop(), after=["setup:ended"])})
    with pytest.raises(osdear.NotFoundError, match="`web`"):
        Stack.up(engine, "shop", {"web": Spec(image="nonesuch:1")}, pull=osdear.Pull.NEVER)
    with pytest.raises(osdear.TimedOutError, match="`slow`"):
        Stack.up(engine, "shop", {"slow": loop(health=["false"], health_interval_ms=200)}, timeout=2)
    assert Stack.list(engine) == [] and engine.list(Kind.NETWORK, {"label": "com.docker.compose.project"}) == []


def test_descriptions_that_make_no_sense_are_refused(dockerd):
    engine = osdear.Engine(dockerd.address)
    for services, words in (({"a": Service(loop(), after=["b"])}, "none of it"), ({"a": Service(loop(), after=["a"])}, "circle"),
                            ({"a": Service(loop(), after=["b"]), "b": Service(loop(), after=["a"])}, "circle"),
                            ({"a": Service(loop(), after=["b:soon"]), "b": loop()}, "healthy"), ({"-a": loop()}, "letters"), ({}, "services"),
                            ({"a": loop(name="own")}, "own"), ({"a": loop(memory_bytes=-1)}, "`a`")):
        with pytest.raises(osdear.ArgumentError, match=words):
            Stack.up(engine, "shop", services)
    for name in ("", "Shop", "-shop", "a b", "x" * 200):
        with pytest.raises(osdear.ArgumentError):
            Stack.up(engine, name, {"a": loop()})
    with pytest.raises(osdear.UnsupportedError):
        Stack.create(engine, "shop", compose(a=LOOP))


def test_what_belongs_to_others_is_not_touched(engine):
    engine.create_volume("shop_data", labels={"mine": "1"})
    try:
        with pytest.raises(osdear.ExistsError, match="shop_data"):
            Stack.up(engine, "shop", {"a": loop(mounts=[Mount("data", "/data")])}, volumes=["data"])
        assert engine.inspect(Kind.VOLUME, "shop_data")["Labels"] == {"mine": "1"}
    finally:
        engine.remove(Kind.VOLUME, "shop_data")


def test_a_stack_of_compose_s_is_known_by_its_labels(dockerd, tmp_path):
    engine = osdear.Engine(dockerd.address)
    (tmp_path / "compose.yml").write_text(compose(db=LOOP, web={"more": ["    depends_on: [db]"]}).replace("services:", "version: '2.4'\nservices:"))
    subprocess.run(["docker-compose", "-p", "shop", "-f", str(tmp_path / "compose.yml"), "up", "-d"], env={"DOCKER_HOST": dockerd.address, "PATH": "/usr/bin"},
                   check=True, capture_output=True)
    stack = Stack.get(engine, "shop")
    stack.verify()
    stack.stop()
    stack.verify(up=False)
    stack.start()
    assert services_of(engine, "shop") == ["db", "web"]
    stack.remove()
    assert engine.list(Kind.CONTAINER) == [] and engine.list(Kind.NETWORK, {"label": "com.docker.compose.project"}) == []


# ---- Portainer's ----


@pytest.fixture
def through(portainer):
    return osdear.Engine(portainer.address)


def test_a_stack_of_portainer_s_is_made_listed_stopped_started_and_removed(through):
    stack = Stack.create(through, "shop", compose(web={"command": "echo $$GREETING; " + LOOP, "more": ["    environment: [\"GREETING=${GREETING}\"]"]}),
                         environment={"GREETING": "hello"})
    assert services_of(through, "shop") == ["web"]
    entry, = Stack.list(through)
    assert (entry.name, entry.is_wanted_up, entry.containers, entry.running) == ("shop", True, 1, 1) and entry.id
    assert "GREETING" in stack.file()
    stack.stop()
    stack.stop()
    assert through.list(Kind.CONTAINER) == [] and not stack.status().is_wanted_up
    stack.start()
    stack.start()
    assert stack.status().running == 1
    stack.update(environment={"OTHER": "x"})
    container, = through.list(Kind.CONTAINER)
    assert "GREETING=hello" in through.inspect(Kind.CONTAINER, container["Id"])["Config"]["Env"]  # what is not named stays
    with pytest.raises(osdear.ExistsError):
        Stack.create(through, "shop", compose(web=LOOP))
    with pytest.raises(osdear.ExistsError, match="Portainer's"):
        Stack.up(through, "shop", {"web": loop()})
    stack.remove()
    assert Stack.list(through) == []


def test_a_wish_is_not_a_state(through):
    with pytest.raises(osdear.StateError, match="`web`.*exit code 7"):
        Stack.create(through, "shop", compose(db=LOOP, web="sleep 0.8; exit 7"))
    entry, = Stack.list(through)
    assert entry.is_wanted_up and entry.running == 1
    stack = Stack.get(through, "shop")
    with pytest.raises(osdear.StateError):
        stack.verify()
    with pytest.raises(osdear.TimedOutError, match="`db` runs"):
        stack.verify(up=False, timeout=0.5)


def test_a_failing_update_is_told_and_what_ran_runs_again(through):
    stack = Stack.create(through, "shop", compose(db=LOOP, web=LOOP))
    for file in (compose(db=LOOP, web={"image": "127.0.0.1:1/nonesuch:1"}), "services: [not, a, map]\n"):
        with pytest.raises(osdear.Error, match="started again") as failure:
            stack.update(file)
        assert failure.value.code == "restored" and failure.value.http_status == 500 and not isinstance(failure.value, osdear.TimedOutError)
        assert services_of(through, "shop") == ["db", "web"]
        stack.verify()
        assert stack.file() == compose(db=LOOP, web=LOOP)


def test_a_pull_is_asked_for_by_both_names_and_failing_leaves_all_as_it_is(through, stand_in):
    stack = Stack.create(through, "shop", compose(web=LOOP))
    stand_in.requests.clear()
    before = through.list(Kind.CONTAINER)[0]["Id"]
    with pytest.raises(osdear.Error, match="as it was") as failure:
        stack.update(compose(web={"image": "127.0.0.1:1/nonesuch:1"}), pull=osdear.Pull.ALWAYS)
    sent = json.loads(next(body for method, _, body in stand_in.requests if method == "PUT"))
    assert sent["PullImage"] is True and sent["RepullImageAndRedeploy"] is True and failure.value.code is None
    assert through.list(Kind.CONTAINER)[0]["Id"] == before


def test_dropped_services_go_with_an_update(through):
    stack = Stack.create(through, "shop", compose(a=LOOP, b=LOOP))
    stack.update(compose(a=LOOP), keep_dropped=True)
    assert services_of(through, "shop") == ["a", "b"]
    stack.update(compose(a=LOOP))
    assert services_of(through, "shop") == ["a"]


def test_dropped_services_that_went_on_go_with_a_stop_and_with_the_stack(through, stand_in, monkeypatch):
    monkeypatch.setattr(stand_in, "leaves_orphans", True)
    stack = Stack.create(through, "shop", compose(a=LOOP, b=LOOP))
    for end in (stack.stop, stack.remove):
        stack.update(compose(a=LOOP, b=LOOP))
        stack.update(compose(a=LOOP), keep_dropped=True)
        assert services_of(through, "shop") == ["a", "b"]
        end()
        assert through.list(Kind.CONTAINER) == []


def test_of_two_creates_of_one_name_one_wins_and_runs(portainer, through):
    barrier = threading.Barrier(2)
    outcomes = []

    def create():
        engine = osdear.Engine(portainer.address, context=osdear.Context())
        barrier.wait()
        try:
            outcomes.append(Stack.create(engine, "shop", compose(web=LOOP)).name)
        except osdear.ExistsError as failure:
            outcomes.append(failure)

    threads = [threading.Thread(target=create) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(portainer.stacks) == 1
    assert sorted(type(o) for o in outcomes if o != "shop") == [osdear.ExistsError] and "shop" in outcomes
    assert services_of(through, "shop") == ["web"]


def test_a_name_that_containers_have_already_is_not_taken(through):
    Stack.up(through, "shop", {"web": loop()})
    with pytest.raises(osdear.ExistsError, match="does not know"):
        Stack.create(through, "shop", compose(web=LOOP))
    Stack.get(through, "shop").remove()


def test_a_create_that_fails_leaves_nothing(through, portainer):
    with pytest.raises(osdear.Error) as failure:
        Stack.create(through, "shop", compose(good=LOOP, bad={"image": "127.0.0.1:1/nonesuch:1"}))
    assert failure.value.http_status == 500
    with pytest.raises(osdear.ArgumentError):
        Stack.create(through, "shop", "services: [not, a, map]\n")
    assert Stack.list(through) == [] and not portainer.stacks and through.list(Kind.CONTAINER) == []


def test_a_create_whose_answer_is_lost_is_found(through, stand_in):
    stand_in.lose_answers = 1
    stack = Stack.create(through, "shop", compose(web=LOOP))
    assert stack.status().running == 1 and len(stand_in.stacks) == 1


def test_containers_that_vanished_are_brought_back(through):
    stack = Stack.create(through, "shop", compose(web=LOOP))
    for container in through.list(Kind.CONTAINER):
        through.remove(Kind.CONTAINER, container["Id"], force=True)
    stack.start()
    assert services_of(through, "shop") == ["web"]


def test_the_command_brings_stacks_up_and_down(command, portainer, tmp_path):
    on = ["--engine", portainer.address]
    (tmp_path / "compose.yaml").write_text(compose(web=LOOP))
    command("stack", "up", *on, "shop", str(tmp_path / "compose.yaml"))
    (tmp_path / "compose.yaml").write_text(compose(web=LOOP, db=LOOP))
    command("stack", "up", *on, "shop", "-", input=(tmp_path / "compose.yaml").read_text())
    entry, = json.loads(command("stack", "ls", *on, "--json").stdout)
    assert entry["name"] == "shop" and entry["running"] == 2
    assert "2 of 2" in command("stack", "ls", *on).stdout
    command("stack", "stop", *on, "shop")
    assert "down" in command("stack", "ls", *on).stdout
    command("stack", "start", *on, "shop")
    command("stack", "up", *on, "shop", str(tmp_path / "nonesuch"), code=5)
    command("stack", "down", *on, "--volumes", "shop")
    command("stack", "down", *on, "shop", code=5)
