"""The ways to an engine: TCP with certificates, ssh, DOCKER_HOST, contexts. Parts of the suite, over each of them, on the same dockerd."""
import os
import re
import subprocess
import time

import pytest

import osdear

from conftest import IMAGE
from test_engines import (  # noqa: F401 - run here once for each way
    made, test_a_command_in_a_container_tells_its_output_and_exit_code, test_a_log_keeps_channels_order_and_every_byte,
    test_a_run_gives_output_exit_code_and_results_and_leaves_nothing, test_a_run_whose_time_is_over_leaves_nothing,
    test_an_engine_says_what_it_is, test_events_are_followed, test_files_go_in_and_come_out, test_health_is_waited_for,
    test_standard_input_reaches_a_command, test_standard_input_reaches_an_attached_container)


class Way:
    """An address, and what the environment says besides; the rest is the dockerd's."""

    def __init__(self, docker, address, **environment):
        self.address, self.environment = address, environment
        self.name, self.containers, self.curl = docker.name, docker.containers, docker.curl


def by_docker_host(dockerd, _):
    return Way(dockerd, None, DOCKER_HOST=dockerd.address)


def by_tcp(dockerd, _):
    return Way(dockerd, dockerd.tcp, DOCKER_CERT_PATH=str(dockerd.certificates), DOCKER_TLS_VERIFY="1")


def by_context(dockerd, folder):
    """Made by Docker's own command."""
    files = ",".join(f"{name}={dockerd.certificates}/{file}.pem" for name, file in (("ca", "ca"), ("cert", "cert"), ("key", "key")))
    for words in (["create", "far", "--docker", f"host={dockerd.tcp},{files}"], ["use", "far"]):
        subprocess.run(["docker", "--config", str(folder), "context", *words], check=True, capture_output=True)
    return Way(dockerd, None, DOCKER_CONFIG=str(folder))


def by_ssh(dockerd, _):
    ssh = dockerd.sshd
    return Way(dockerd, f"ssh://root@127.0.0.1:{ssh.port}", PATH=f"{ssh.folder}/bin:{os.environ['PATH']}")


@pytest.fixture(params=[by_docker_host, by_tcp, by_context, by_ssh])
def server(request, place, dockerd, tmp_path, monkeypatch):
    if request.param is by_ssh:
        dockerd.sshd = getattr(dockerd, "sshd", None) or place.sshd(dockerd)
    way = request.param(dockerd, tmp_path)
    for name, value in way.environment.items():
        monkeypatch.setenv(name, value)
    return way


# ---- what goes wrong on the way ----


def test_without_its_certificate_nobody_is_let_in(dockerd, tmp_path):
    trusting = {"tls_ca": str(dockerd.certificates / "ca.pem")}
    with pytest.raises(osdear.DeniedError):
        osdear.Engine(dockerd.tcp, settings=trusting)
    with pytest.raises(osdear.DeniedError):  # and theirs is not trusted without its authority
        osdear.Engine(dockerd.tcp, settings={"tls_cert": str(dockerd.certificates / "cert.pem"), "tls_key": str(dockerd.certificates / "key.pem")})
    with pytest.raises(osdear.Error):
        osdear.Engine(dockerd.tcp)


def test_a_stranger_s_host_key_and_a_wrong_key_are_refused(place, dockerd, tmp_path, monkeypatch):
    dockerd.sshd = ssh = getattr(dockerd, "sshd", None) or place.sshd(dockerd)
    address = f"ssh://root@127.0.0.1:{ssh.port}"
    (tmp_path / "hosts").touch()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "wrong")], check=True)
    for changed, words in (({"hosts": tmp_path / "hosts"}, "Host key verification failed"), ({"key": tmp_path / "wrong"}, "Permission denied")):
        program = ssh.client(tmp_path / "ssh", **changed)
        with pytest.raises(osdear.DeniedError, match=f"{address}: ssh: .*{words}"):
            osdear.Engine(address, settings={"ssh_program": str(program)})
    with pytest.raises(osdear.Error, match=f"{address}: ssh: .*nonesuch cannot be run: No such file"):
        osdear.Engine(address, settings={"ssh_program": str(tmp_path / "nonesuch")})


def script(path, text):
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


def test_an_ssh_that_does_not_end_is_not_waited_for(tmp_path):
    program = script(tmp_path / "deaf", "trap '' TERM\necho $$ > $0.pid\nwhile :; do sleep 1; done\n")
    since = time.monotonic()
    with pytest.raises(osdear.TimedOutError):
        osdear.Engine("ssh://nobody@127.0.0.1", settings={"ssh_program": program}, timeout=0.3)
    assert time.monotonic() - since < 10
    assert not os.path.exists(f"/proc/{(tmp_path / 'deaf.pid').read_text().strip()}")


def test_what_a_hostile_ssh_says_is_cut_and_harmless(tmp_path):
    program = script(tmp_path / "loud", "i=0; while [ $i -lt 20000 ]; do echo line $i >&2; i=$((i + 1)); done; printf '\\033[2Jlast words\\r\\n' >&2\n")
    with pytest.raises(osdear.UnavailableError, match=re.escape("ssh: ?[2Jlast words") + "$"):
        osdear.Engine("ssh://nobody@127.0.0.1", settings={"ssh_program": program})
