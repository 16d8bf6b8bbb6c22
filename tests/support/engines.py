"""Real engines for tests: a dockerd, a Podman service and a registry with a password, in a network name space of their own.

    with Place() as place:
        docker = place.dockerd()          # .address is unix:///…
        podman = place.podman()
        registry = place.registry()       # .host, .username, .password
        relay = place.portainer(docker)   # Portainer's stand-in before that dockerd, or Portainer itself where OSDEAR_PORTAINER says so
        sshd = place.sshd(docker)         # .port, .folder

Everything lives below one temporary folder and ends with the block, however it is left. Nothing of the machine is changed:
bridges and packet filters are the name space's own."""
import contextlib
import ctypes
import io
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time

import portainer_relay

PROGRAMS = ("dockerd", "docker-compose", "podman", "docker-registry", "htpasswd", "unshare", "busybox", "runc", "containerd", "sshd", "ssh")
CLONE_NEWNET = 0x40000000


def missing():
    """What keeps these engines from running here, or None."""
    absent = [program for program in PROGRAMS if not shutil.which(program)]
    if absent:
        return "there is no " + ", ".join(absent)
    if os.geteuid() != 0:
        return "root is needed to run engines"
    if not any(pathlib.Path("/sys/fs/cgroup").glob("*")):
        return "no control groups are mounted below /sys/fs/cgroup, and engines need them"
    return None


def enter_private_network():
    """This process and all that it starts see a network of their own, with nothing but the loopback."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def root_file_system(path):
    """A tar of a root file system: busybox and links to it."""
    busybox = pathlib.Path(shutil.which("busybox")).read_bytes()
    names = subprocess.run(["busybox", "--list"], check=True, capture_output=True, text=True).stdout.split()
    with tarfile.open(path, "w") as tar:
        for folder in ("bin", "etc", "tmp", "root", "proc", "sys", "dev"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        entry = tarfile.TarInfo("bin/busybox")
        entry.size, entry.mode = len(busybox), 0o755
        tar.addfile(entry, io.BytesIO(busybox))
        for name in names:
            if name != "busybox":
                entry = tarfile.TarInfo("bin/" + name)
                entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(entry)
        for name, content in (("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nguest:x:1000:1000::/:/bin/sh\n"), ("etc/group", "root:x:0:\n")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content.encode()))


class Server:
    """A program that runs until it is stopped. `ready` is asked until it says yes."""

    def __init__(self, name, words, log, ready, environment=None):
        self.name, self.words, self.log, self.ready, self.environment = name, words, log, ready, environment
        self.process = None
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment,
                                            start_new_session=True)
        until = time.monotonic() + 60
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{self.name} does not start:\n" + pathlib.Path(self.log).read_text(errors="replace")[-4000:])
            time.sleep(0.05)

    def send(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Engine(Server):
    """May be killed and started again while its containers go on."""

    def __init__(self, name, socket, words, log, environment=None):
        self.socket, self.address = socket, f"unix://{socket}"
        self.back_at = float("-inf")
        super().__init__(name, words, log, self.answers, environment)

    def kill_and_start(self):
        self.back_at = float("inf")
        self.process.kill()
        self.process.wait()
        for left in (self.socket, *self.left_by_a_kill()):
            pathlib.Path(left).unlink(missing_ok=True)
        self.start()
        self.back_at = time.monotonic()

    def left_by_a_kill(self):
        """Files that keep it from starting again, besides its socket."""
        return ()

    def was_killed_since(self, moment):
        """Was it dead at any time from then (of time.monotonic()) on?"""
        return self.back_at >= moment

    def curl(self, *words):
        return subprocess.run(["curl", "-sS", "-m", "20", "--unix-socket", self.socket, *words], capture_output=True, text=True)

    def answers(self):
        return self.curl("http://localhost/_ping").stdout == "OK"

    def containers(self):
        """Ids of all of them, by another client than the one that is tested."""
        return [c["Id"] for c in json.loads(self.curl("http://localhost/v1.41/containers/json?all=1").stdout)]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(family, address, greeting=b""):
    """Whether somebody listens there, and says this first."""
    with socket.socket(family) as probe, contextlib.suppress(OSError):
        probe.settimeout(2)
        probe.connect(address)
        return not greeting or probe.recv(len(greeting)) == greeting
    return False


class Dockerd(Engine):
    """Reached by its socket, and by TCP with certificates. Its containers outlive it if its containerd is a process of its own."""

    def __init__(self, folder, options, containerd):
        self.folder, self.certificates = folder, folder / "certificates"
        self.certificates.mkdir()
        subprocess.run(["sh", pathlib.Path(__file__).with_name("make_certificates.sh"), self.certificates], check=True)
        for ours, theirs in (("client.pem", "cert.pem"), ("client.key", "key.pem")):
            (self.certificates / theirs).write_bytes((self.certificates / ours).read_bytes())
        port = free_port()
        self.tcp = f"tcp://localhost:{port}"
        words = ["dockerd", "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/dockerd.pid",
                 "--config-file", f"{folder}/daemon.json", "-H", f"unix://{folder}/docker.sock", "-H", f"tcp://127.0.0.1:{port}", "--tlsverify",
                 "--tlscacert", f"{self.certificates}/ca.pem", "--tlscert", f"{self.certificates}/server.pem",
                 "--tlskey", f"{self.certificates}/server.key", *(["--containerd", containerd] if containerd else []), *options]
        super().__init__("dockerd", f"{folder}/docker.sock", words, folder / "log")

    def left_by_a_kill(self):
        return (self.folder / "dockerd.pid",)


class Containerd(Server):
    def __init__(self, folder):
        self.socket = f"{folder}/containerd.sock"
        (folder / "containerd.toml").write_text('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
        words = ["containerd", "--config", f"{folder}/containerd.toml", "--root", f"{folder}/containerd", "--state", f"{folder}/containerd-state",
                 "--address", self.socket]
        super().__init__("containerd", words, folder / "containerd.log", lambda: accepts(socket.AF_UNIX, self.socket))


class Sshd(Server):
    """A real sshd on the loopback, with keys made for it. Whoever comes in finds the docker command set to that dockerd."""

    def __init__(self, folder, docker):
        self.folder, self.port = folder, free_port()
        os.makedirs("/run/sshd", exist_ok=True)
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{folder}/{key}"], check=True)
        (folder / "authorized").write_text((folder / "user.pub").read_text())
        (folder / "hosts").write_text(f"[127.0.0.1]:{self.port} {(folder / 'host.pub').read_text()}")
        (folder / "config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\nStrictModes no\n"
            f"UsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\nPidFile none\nMaxStartups 100\n"
            f"SetEnv DOCKER_HOST={docker.address}\n")
        (folder / "bin").mkdir()
        self.client(folder / "bin/ssh")
        super().__init__("sshd", [shutil.which("sshd"), "-D", "-e", "-f", f"{folder}/config"], folder / "log",
                         lambda: accepts(socket.AF_INET, ("127.0.0.1", self.port), b"SSH-2.0"))

    def client(self, path, key=None, hosts=None):
        """Writes a program `ssh` that knows the key and the host, and no settings of the machine's."""
        path.write_text(f"#!/bin/sh\nexec {shutil.which('ssh')} -F none -i {key or self.folder / 'user'} -o IdentitiesOnly=yes "
                        f'-o StrictHostKeyChecking=yes -o UserKnownHostsFile={hosts or self.folder / "hosts"} "$@"\n')
        path.chmod(0o755)
        return path


class Portainer(portainer_relay.Relay):
    """To be used like the engine behind it."""

    def __init__(self, docker, folder, **options):
        self.docker, self.curl, self.containers, self.send = docker, docker.curl, docker.containers, docker.send
        self.kill_and_start, self.was_killed_since = docker.kill_and_start, docker.was_killed_since
        super().__init__(docker.socket, folder, **options)


class RealPortainer(Server):
    """Portainer itself, from the folder that OSDEAR_PORTAINER names: its program `portainer`, and a `docker-compose` of version 2 for it.

    Both are made by `go build` from their sources, `./api/cmd/portainer` and `./cmd`."""

    username, password = "admin", "osdear-admin-password"

    def __init__(self, docker, folder, tls=None):
        self.docker, self.curl, self.containers, self.send = docker, docker.curl, docker.containers, docker.send
        self.kill_and_start, self.was_killed_since = docker.kill_and_start, docker.was_killed_since
        self.url, secure = f"http://127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        self.socket, self.settings = docker.socket, {}
        programs = os.environ["OSDEAR_PORTAINER"]
        (folder / "password").write_text(self.password)
        words = [f"{programs}/portainer", "--http-enabled", "--bind", self.url.removeprefix("http://"), "--bind-https", secure, "--data", f"{folder}/data",
                 "--assets", programs, "--tunnel-addr", "127.0.0.1", "--tunnel-port", str(free_port()), "--admin-password-file", f"{folder}/password",
                 *(["--sslcert", str(tls[0]), "--sslkey", str(tls[1])] if tls else [])]
        super().__init__("portainer", words, folder / "log", lambda: self.ask("/system/status").returncode == 0,
                         {"PATH": os.environ["PATH"], "HOME": str(folder), "DOCKER_HOST": docker.address})
        self.name = "portainer"
        self.bearer = self.log_in(self.username, self.password)
        self.ask("/endpoints", *self.bearer, "-F", "Name=local", "-F", "EndpointCreationType=1", "-F", f"URL={docker.address}",
                 "-F", "ContainerEngine=docker").check_returncode()
        self.settings = {"portainer_api_key": self.make_key(1, self.bearer, self.password)}
        if tls:
            self.url = f"https://{secure}"
        self.address = f"portainer+{self.url}/local"

    def ask(self, path, *words):
        return subprocess.run(["curl", "-sSf", "-m", "20", *words, f"{self.url}/api{path}"], capture_output=True, text=True, check=False)

    def log_in(self, username, password):
        token = json.loads(self.ask("/auth", "-d", json.dumps({"username": username, "password": password})).stdout)["jwt"]
        return ["-H", f"Authorization: Bearer {token}"]

    def make_key(self, user, bearer, password):
        made = self.ask(f"/users/{user}/tokens", *bearer, "-d", json.dumps({"password": password, "description": "tests"}))
        return json.loads(made.stdout)["rawAPIKey"]

    def user_key(self):
        """Of one who is no administrator."""
        given = {"username": "user", "password": "osdear-user-password"}
        self.bearer = self.log_in(self.username, self.password)
        user = json.loads(self.ask("/users", *self.bearer, "-d", json.dumps({**given, "role": 2})).stdout)["Id"]
        self.ask("/endpoints/1", *self.bearer, "-X", "PUT", "-d", json.dumps({"userAccessPolicies": {str(user): {"RoleId": 0}}})).check_returncode()
        return self.make_key(user, self.log_in(**given), given["password"])

    def go_away(self, seconds):
        """It dies, and is back after a while; the dockerd goes on."""
        self.process.kill()
        self.process.wait()
        time.sleep(seconds)
        self.start()

    @property
    def stacks(self):
        return json.loads(self.ask("/stacks", "-H", f"X-API-Key: {self.settings['portainer_api_key']}").stdout)  # tokens end with a restart


class Registry(Server):
    def __init__(self, folder, port, username, password):
        self.host, self.username, self.password = f"127.0.0.1:{port}", username, password
        users = subprocess.run(["htpasswd", "-nbB", username, password], check=True, capture_output=True, text=True).stdout
        (folder / "users").write_text(users)
        (folder / "config.yml").write_text(
            f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
            f"http: {{addr: {self.host}}}\nauth: {{htpasswd: {{realm: tests, path: {folder}/users}}}}\n")
        super().__init__("docker-registry", ["docker-registry", "serve", str(folder / "config.yml")], folder / "log", self.answers)

    def answers(self):
        asked = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://{self.host}/v2/"], capture_output=True, text=True)
        return asked.stdout == "401"


class Place:
    """A temporary folder, and the servers in it. Make one in a process of its own: the network is changed for good."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="osdear-engines-", dir="/tmp"))
        self.servers = []

    def __enter__(self):
        enter_private_network()
        root_file_system(self.folder / "root.tar")
        return self

    def __exit__(self, *_):
        for server in reversed(self.servers):
            with contextlib.suppress(Exception):
                server.stop()
        unmount_below(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _add(self, server):
        self.servers.append(server)
        return server

    def _folder(self, name):
        folder = self.folder / name
        folder.mkdir()
        return folder

    def dockerd(self, *options, name="docker", containerd=False, **settings):
        """`settings` go into daemon.json; containers outlive the daemon unless live_restore is False. With `containerd` it can be killed."""
        folder = self._folder(name)
        config = {"live-restore": settings.pop("live_restore", True), **settings}
        (folder / "daemon.json").write_text(json.dumps(config))
        return self._add(Dockerd(folder, options, self._add(Containerd(folder)).socket if containerd else None))

    def sshd(self, docker):
        return self._add(Sshd(self._folder("ssh"), docker))

    def podman(self, name="podman"):
        folder = self._folder(name)
        (folder / "containers.conf").write_text(
            '[engine]\nruntime="runc"\ncgroup_manager="cgroupfs"\nevents_logger="file"\n'
            '[containers]\nlog_driver="k8s-file"\ndefault_ulimits=["nofile=20000:20000","nproc=4096:4096"]\n')
        (folder / "storage.conf").write_text(
            f'[storage]\ndriver="overlay"\nrunroot="{folder}/run"\ngraphroot="{folder}/root"\n')
        (folder / "registries.conf").write_text('unqualified-search-registries = ["docker.io"]\n[[registry]]\nlocation="127.0.0.1:0"\ninsecure=true\n')
        socket = f"{folder}/podman.sock"
        environment = {**os.environ, "CONTAINERS_CONF": f"{folder}/containers.conf", "CONTAINERS_STORAGE_CONF": f"{folder}/storage.conf",
                       "CONTAINERS_REGISTRIES_CONF": f"{folder}/registries.conf"}
        words = ["podman", "--root", f"{folder}/root", "--runroot", f"{folder}/run", "--tmpdir", f"{folder}/tmp", "system", "service",
                 "--time=0", f"unix://{socket}"]
        return self._add(Engine("podman", socket, words, folder / "log", environment))

    def portainer(self, docker, name="portainer", **options):
        kind = RealPortainer if "OSDEAR_PORTAINER" in os.environ else Portainer
        return self._add(kind(docker, self._folder(name), **options))

    def registry(self, port=5055, username="tester", password="osdear-registry-pw"):
        return self._add(Registry(self._folder("registry"), port, username, password))


def unmount_below(folder):
    """What engines that were killed left mounted, and the processes of their containers."""
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes()
            if str(folder).encode() in words and int(process.name) != os.getpid():
                os.kill(int(process.name), signal.SIGKILL)
    time.sleep(0.2)
    places = [line.split()[1] for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
    for place in sorted((p for p in places if p.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "-l", place], stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    # For people: start them, show where they are, wait.
    with Place() as the_place:
        docker = the_place.dockerd()
        docker.curl("-X", "POST", "-T", str(the_place.folder / "root.tar"), "-H", "Content-Type: application/x-tar",
                    "http://localhost/v1.41/images/create?fromSrc=-&repo=osdear/busybox&tag=1&changes=CMD%20%5B%22sh%22%5D")
        podman = the_place.podman()
        print(docker.address, podman.address, the_place.registry().host, flush=True)
        sys.stdin.read()
