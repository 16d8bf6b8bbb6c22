"""What is Portainer's own: the way in. The server is tests/support/portainer_relay.py, or Portainer itself (tests/support/engines.py)."""
import pathlib
import subprocess
import threading
import time

import pytest

import osdear
from osdear import Kind

from conftest import IMAGE

CERTIFICATES = pathlib.Path(__file__).parents[1] / "support/make_certificates.sh"


@pytest.fixture
def by_password(portainer, monkeypatch):
    monkeypatch.delenv("PORTAINER_API_KEY")
    return {"portainer_username": portainer.username, "portainer_password": portainer.password}


# ---- the way in ----


def test_a_password_lets_in_and_a_token_that_ran_out_is_renewed(stand_in, by_password):
    engine = osdear.Engine(stand_in.address, settings=by_password)
    before = stand_in.logins
    assert engine.has_image(IMAGE)
    stand_in.forget_tokens()
    assert engine.has_image(IMAGE)
    with engine.events({"type": "container"}, until=None):
        stand_in.forget_tokens()
    with engine.create(osdear.Spec(image=IMAGE, command=["true"])).logs() as output:
        assert list(output) == []
    for container in engine.list(Kind.CONTAINER):
        engine.remove(Kind.CONTAINER, container["Id"])
    assert stand_in.logins == before + 2


def test_wrong_credentials_are_denied_and_never_told(portainer, by_password):
    for settings in ({**by_password, "portainer_password": "wrong-pw"}, {**by_password, "portainer_username": "wrong-pw"},
                     {"portainer_api_key": "ptr_wrong-pw"}, {}):
        with pytest.raises(osdear.DeniedError) as failure:
            osdear.Engine(portainer.address, settings=settings)
        assert "wrong-pw" not in str(failure.value)


def test_an_environment_is_found_by_name_and_by_number(portainer):
    for name in ("local", "1"):
        assert osdear.Engine(f"portainer+{portainer.url}/{name}").has_image(IMAGE)
    with pytest.raises(osdear.NotFoundError, match="nonesuch"):
        osdear.Engine(f"portainer+{portainer.url}/nonesuch")


def test_its_certificate_is_checked(place, dockerd, tmp_path):
    subprocess.run(["sh", CERTIFICATES, tmp_path], check=True, capture_output=True)
    relay = place.portainer(dockerd, "portainer-tls", tls=(tmp_path / "server.pem", tmp_path / "server.key"))
    with pytest.raises(osdear.DeniedError):
        osdear.Engine(relay.address, settings=relay.settings)
    trusting = {**relay.settings, "tls_ca": str(tmp_path / "ca.pem")}
    with pytest.raises(osdear.DeniedError, match=r"127\.0\.0\.1"):  # signed well, but for another name
        osdear.Engine(relay.address, settings=trusting)
    assert osdear.Engine(relay.address.replace("127.0.0.1", "localhost"), settings=trusting).has_image(IMAGE)
    relay.stop()


def test_a_user_has_what_is_his_by_name_and_not_what_is_others(portainer):
    engine = osdear.Engine(portainer.address, settings={"portainer_api_key": portainer.user_key()})
    others = osdear.Engine(portainer.address).create(osdear.Spec(image=IMAGE, command=["true"], name="others"))
    engine.create_network("mine")
    engine.create_network("mine-too")
    try:
        networks = [osdear.Network("mine"), osdear.Network("mine-too")]
        assert engine.run(osdear.Spec(image=IMAGE, command=["sh", "-c", "echo hello; exit 3"], networks=networks[:1])).exit_code == 3
        both = osdear.Spec(image=IMAGE, command=["true"], networks=networks)
        if engine.api_version >= "1.44":
            assert engine.run(both).exit_code == 0
        else:
            with pytest.raises(osdear.UnsupportedError, match="second network, such as `mine-too`"):
                engine.run(both)
        with pytest.raises(osdear.DeniedError):
            engine.get("others")
        for touch in (lambda: engine.remove(Kind.CONTAINER, others.id), lambda: engine.remove(Kind.CONTAINER, "others")):
            with pytest.raises(osdear.DeniedError):
                touch()
        engine.create(osdear.Spec(image=IMAGE, command=["true"], name="named"))
        engine.remove(Kind.CONTAINER, "named")
    finally:
        engine.remove(Kind.NETWORK, "mine")
        engine.remove(Kind.NETWORK, "mine-too")
        others.remove()


def test_no_cookie_is_sent_and_one_credential_only(stand_in):
    stand_in.requests.clear()
    osdear.Engine(stand_in.address).has_image(IMAGE)
    assert {path for _, path, _ in stand_in.requests} == {"/api/endpoints", "/api/endpoints/1/docker/_ping",
                                                           f"/api/endpoints/1/docker/v1.41/images/{IMAGE}/json"}


# ---- its end ----


def test_a_run_and_its_log_outlive_portainer_s_restarts(portainer):
    lines = [f"line {i}\n" for i in range(40)]
    results, failures = [], []

    def run(number):
        try:
            engine = osdear.Engine(portainer.address, context=osdear.Context())
            script = "i=0; while [ $i -lt 40 ]; do echo line $i; i=$((i + 1)); sleep 0.1; done; exit 7"
            results.append(engine.run(osdear.Spec(image=IMAGE, command=["sh", "-c", script], name=f"outlives-{number}")))
        except osdear.Error as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        time.sleep(0.7)
        portainer.go_away(0.6)
    for thread in threads:
        thread.join()
    assert not failures, failures
    assert [(result.exit_code, result.last_output) for result in results] == [(7, "".join(lines))] * 4
