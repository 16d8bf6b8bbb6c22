#!/usr/bin/env python3
"""Real S3 servers for tests: MinIO and versitygw, on free ports of the loopback, gone with the test.

    s3_servers.py PROGRAM ARGUMENT…

runs a program with both of them: OSDEAR_TEST_S3 then holds `NAME ENDPOINT KEY SECRET BUCKET` of each, a line a server.
"""
import contextlib
import ctypes
import datetime
import hashlib
import hmac
import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

KEY, SECRET, BUCKET = "osdearadmin", "osdear-secret-key", "lake"
START_SECONDS = 60


def go_binary(name):
    home = os.environ.get("OSDEAR_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "osdear")
    return Path(home) / "go/bin" / name


def missing():
    """What keeps the servers from being started, or None."""
    absent = [name for name in ("minio", "versitygw") if not go_binary(name).exists()]
    return f"no {' and no '.join(absent)}: sh tests/support/prepare.sh s3 makes them" if absent else None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def end_with_us():
    """A test that is killed takes its servers along: PR_SET_PDEATHSIG."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def certificates(folder):
    """A private authority and a certificate of it for the loopback, as (authority, certificate, key)."""
    run = lambda *words: subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=osdear test",
        "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign", "-keyout", "ca.key", "-out", "ca.pem")
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-keyout", "server.key",
        "-out", "server.csr")
    (folder / "san").write_text("subjectAltName=DNS:localhost,DNS:*.localhost,IP:127.0.0.1,IP:::1\n")
    run("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "san",
        "-out", "server.pem")
    return folder / "ca.pem", folder / "server.pem", folder / "server.key"


class Server:
    """One server, started by `with`. `settings` are environment variables of MinIO."""

    def __init__(self, kind, tls=False, region="us-east-1", settings=None, folder=None):
        self.kind, self.tls, self.region, self.settings = kind, tls, region, settings or {}
        self.kept = folder
        self.authority = None
        self.process = None

    def __enter__(self):
        self.folder = Path(self.kept or tempfile.mkdtemp(prefix=f"osdear-{self.kind}-"))
        self.data = self.folder / "data"
        self.data.mkdir(exist_ok=True)
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.endpoint = f"{'https' if self.tls else 'http'}://{self.host}"
        self.log = open(self.folder / "log.txt", "wb")
        try:
            command, environment = self.minio() if self.kind == "minio" else self.versitygw()
            self.process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=self.log, stderr=self.log,
                                            stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=end_with_us)
            self.wait()
            self.make_bucket(BUCKET)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.log.close()
        if not self.kept:
            shutil.rmtree(self.folder, ignore_errors=True)

    def minio(self):
        place = self.folder / "certs"
        place.mkdir(exist_ok=True)
        if self.tls:
            self.authority, certificate, key = certificates(self.folder)
            shutil.copy(certificate, place / "public.crt")
            shutil.copy(key, place / "private.key")
        environment = {"MINIO_ROOT_USER": KEY, "MINIO_ROOT_PASSWORD": SECRET, "MINIO_BROWSER": "off", "MINIO_UPDATE": "off",
                       "MINIO_CALLHOME_ENABLE": "off", "MINIO_SITE_REGION": self.region, **self.settings}
        return [go_binary("minio"), "server", "--quiet", "--certs-dir", place, "--address", self.host,
                "--console-address", f"127.0.0.1:{free_port()}", self.data], environment

    def versitygw(self):
        identities = self.folder / "iam"
        identities.mkdir(exist_ok=True)
        words = ["--port", self.host, "--region", self.region, "--iam-dir", identities, "--quiet"]
        if self.tls:
            self.authority, certificate, key = certificates(self.folder)
            words += ["--cert", certificate, "--key", key]
        return [go_binary("versitygw"), *words, "posix", self.data], {"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET}

    def wait(self):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"{self.kind} ended: {(self.folder / 'log.txt').read_text()[-2000:]}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.request("GET", "/")[0] == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(f"{self.kind} does not answer: {(self.folder / 'log.txt').read_text()[-2000:]}")

    def make_bucket(self, name):
        body = b"" if self.region == "us-east-1" else (
            f"<CreateBucketConfiguration><LocationConstraint>{self.region}</LocationConstraint></CreateBucketConfiguration>".encode())
        status, answer, _ = self.request("PUT", f"/{name}", body=body)
        if status not in (200, 409):
            raise AssertionError(f"cannot make a bucket on {self.kind}: {status} {answer!r}")

    def environment(self):
        """What a client needs to reach it."""
        values = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ENDPOINT_URL": self.endpoint,
                  "AWS_REGION": self.region, "AWS_EC2_METADATA_DISABLED": "true", "AWS_ALLOW_HTTP": "true"}
        if self.authority:
            values["AWS_CA_BUNDLE"] = str(self.authority)
        return values

    def options(self):
        """The same as storage options."""
        return {name.lower(): value for name, value in self.environment().items()}

    def request(self, method, path, query=(), body=b"", headers=()):
        """A request signed by other code than ours, as (status, body, headers). `path` is not encoded."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        quote = lambda text, safe="": urllib.parse.quote(text, safe=safe + "-._~")
        pairs = "&".join(f"{name}={value}" for name, value in sorted((quote(n), quote(v)) for n, v in query))
        digest = hashlib.sha256(body).hexdigest()
        signed = {"host": self.host, "x-amz-content-sha256": digest, "x-amz-date": now, **dict(headers)}
        names = ";".join(sorted(signed))
        lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
        canonical = f"{method}\n{quote(path, '/')}\n{pairs}\n{lines}\n{names}\n{digest}"
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        key = f"AWS4{SECRET}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.new(key, text.encode(), "sha256").hexdigest()
        signed["Authorization"] = f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders={names}, Signature={signature}"
        if self.tls:
            context = ssl.create_default_context(cafile=self.authority)
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=context)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, quote(path, "/") + (f"?{pairs}" if pairs else ""), body=body, headers=signed)
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        finally:
            connection.close()


def main(program):
    reason = missing()
    if reason:
        print(f"1..0 # SKIP {reason}")
        return 0
    with Server("minio") as minio, Server("versitygw") as versitygw:
        lines = [f"{server.kind} {server.endpoint} {KEY} {SECRET} {BUCKET}" for server in (minio, versitygw)]
        return subprocess.run(program, env={**os.environ, "OSDEAR_TEST_S3": "\n".join(lines)}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
