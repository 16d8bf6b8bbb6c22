"""The engines, started once for all of these tests. The process that runs them has a network of its own from then on."""
import os
import subprocess
import sys

import pytest

import engines
import osdear

IMAGE = "osdear/busybox:1"


def pytest_collection_modifyitems(items):
    reason = engines.missing()
    if reason:
        print(f"# skipped: {reason}", file=sys.stderr)
        for item in items:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def place():
    with engines.Place() as found:
        yield found


@pytest.fixture(scope="session")
def dockerd(place):
    server = place.dockerd()
    osdear.Engine(server.address).import_image(place.folder / "root.tar", IMAGE, ["sh"])
    return server


@pytest.fixture(scope="session")
def podman(place):
    server = place.podman()
    osdear.Engine(server.address).import_image(place.folder / "root.tar", IMAGE, ["sh"])
    return server


@pytest.fixture(scope="session")
def registry(place):
    return place.registry()


@pytest.fixture(scope="session")
def portainer(place, dockerd):
    relay = place.portainer(dockerd)
    os.environ["PORTAINER_API_KEY"] = relay.settings["portainer_api_key"]
    return relay


@pytest.fixture
def stand_in(portainer):
    """Portainer's: it tells what it was asked, and errs when it is told to."""
    if isinstance(portainer, engines.RealPortainer):
        pytest.skip("this asks the stand-in what it saw, and OSDEAR_PORTAINER puts Portainer itself in its place")
    return portainer


@pytest.fixture(params=["dockerd", "podman", "portainer"])
def server(request):
    """Each engine in turn: what is promised holds for all of them."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def engine(server):
    return osdear.Engine(server.address)


@pytest.fixture(autouse=True)
def nothing_is_left_behind(request):
    """Every test removes what it makes."""
    servers = [request.getfixturevalue(name) for name in ("server", "dockerd", "podman", "portainer") if name in request.fixturenames]
    yield
    for found in servers:
        left = found.containers()
        for container in left:
            found.curl("-X", "DELETE", f"http://localhost/v1.41/containers/{container}?force=1&v=1")
        assert not left, f"{len(left)} containers are left behind"


@pytest.fixture(scope="session")
def command():
    """The osdear command: run it with words, get its exit code and output."""
    program = os.environ["OSDEAR_COMMAND"]

    def run(*words, code=0, **options):
        done = subprocess.run([program, *words], capture_output=True, text=True, timeout=120, check=False, **options)
        assert code is None or done.returncode == code, f"{words}: {done.returncode}\n{done.stderr}"
        return done

    run.program = program
    return run
