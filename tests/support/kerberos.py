#!/usr/bin/env python3
"""A realm of Kerberos with a web server that asks for its tickets, on free ports of the loopback, gone with the test.

    kerberos.py PROGRAM ARGUMENT…

runs a program in it: OSDEAR_TEST_KERBEROS then holds the server's address, and KRB5CCNAME names a file with a ticket of the user alice. Below
/guarded tickets are asked for; /guarded/away leads to another host; every answer tells in X-User who asked and in X-Ticket whether a ticket came.
"""
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from s3_servers import end_with_us, free_port

REALM = "OSDEAR.TEST"
TOOLS = ["krb5kdc", "kdb5_util", "kadmin.local", "kinit", "apache2"]
MODULES = Path("/usr/lib/apache2/modules")
START_SECONDS = 30

KRB5_CONF = """[libdefaults]
  default_realm = {realm}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
[realms]
  {realm} = {{
    kdc = 127.0.0.1:{port}
  }}
[domain_realm]
  localhost = {realm}
"""

KDC_CONF = """[kdcdefaults]
  kdc_listen = 127.0.0.1:{port}
  kdc_tcp_listen = 127.0.0.1:{port}
[realms]
  {realm} = {{
    database_name = {folder}/principal
    key_stash_file = {folder}/stash
    acl_file = {folder}/acl
    supported_enctypes = aes256-cts-hmac-sha1-96:normal
  }}
"""

HTTPD_CONF = """ServerName localhost
ServerRoot {folder}
PidFile {folder}/httpd.pid
Listen 127.0.0.1:{port}
ErrorLog {folder}/httpd.log
DocumentRoot {folder}/pages
{modules}
Header always set X-User "expr=%{{REMOTE_USER}}"
Header always set X-Ticket "expr=%{{req:Authorization}}"
Header always edit X-Ticket "^Negotiate .+$" "yes"
<Directory {folder}/pages>
  Require all granted
</Directory>
Redirect 307 /guarded/away http://127.0.0.1:{port}/open
<Location /guarded>
  AuthType GSSAPI
  AuthName tickets
  GssapiCredStore keytab:{folder}/http.keytab
  GssapiAllowedMech krb5
  Require valid-user
</Location>
"""


def missing():
    """What keeps the realm from being set up, or None."""
    absent = [tool for tool in TOOLS if not shutil.which(tool)]
    if not (MODULES / "mod_auth_gssapi.so").exists():
        absent.append("mod_auth_gssapi")
    return f"no {', '.join(absent)}: sh tests/support/prepare.sh packages installs them" if absent else None


class Realm:
    def __init__(self, folder):
        self.folder = folder
        self.kdc_port, self.port = free_port(), free_port()
        self.url = f"http://localhost:{self.port}"
        self.environment = {**os.environ, "KRB5_CONFIG": str(folder / "krb5.conf"), "KRB5_KDC_PROFILE": str(folder / "kdc.conf"),
                            "KRB5CCNAME": f"FILE:{folder}/tickets", "KRB5RCACHEDIR": str(folder), "PATH": f"{os.environ['PATH']}:/usr/sbin",
                            "OSDEAR_TEST_KERBEROS": self.url}
        self.running = []

    def run(self, *words):
        result = subprocess.run(words, env=self.environment, capture_output=True, text=True, check=False)
        if result.returncode:
            raise RuntimeError(f"{words}: {result.stdout}{result.stderr}")

    def start(self, *words, user=None):
        as_user = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
        self.running.append(subprocess.Popen(words, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                             preexec_fn=end_with_us, **as_user))

    def make_principals(self):
        self.run("kdb5_util", "create", "-s", "-r", REALM, "-P", "master")
        self.run("kadmin.local", "-r", REALM, "addprinc", "-randkey", f"HTTP/127.0.0.1@{REALM}")  # one could be had for the other host
        for name, keytab in ((f"HTTP/localhost@{REALM}", "http.keytab"), (f"alice@{REALM}", "alice.keytab")):
            self.run("kadmin.local", "-r", REALM, "addprinc", "-randkey", name)
            self.run("kadmin.local", "-r", REALM, "ktadd", "-k", str(self.folder / keytab), name)

    def get_ticket(self):
        """The KDC needs a moment before it listens."""
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                return self.run("kinit", "-k", "-t", str(self.folder / "alice.keytab"), f"alice@{REALM}")
            except RuntimeError:
                if time.monotonic() > end or self.running[0].poll() is not None:
                    raise
            time.sleep(0.05)

    def start_web_server(self):
        """Nobody's process: a server that runs as root would read what it should not."""
        names = ["mpm_event", "unixd", "authn_core", "authz_core", "authz_user", "auth_gssapi", "headers", "alias"]
        modules = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in names if (MODULES / f"mod_{name}.so").exists())
        (self.folder / "httpd.conf").write_text(HTTPD_CONF.format(folder=self.folder, port=self.port, modules=modules))
        for path in ("pages/guarded", "pages/open"):
            target = self.folder / path
            target.parent.mkdir(exist_ok=True)
            target.mkdir() if path.endswith("guarded") else target.write_text("open to all\n")
        (self.folder / "pages/guarded/page").write_text("for alice\n")
        user = "www-data" if os.geteuid() == 0 else None
        if user:
            for path in [self.folder, *self.folder.rglob("*")]:
                shutil.chown(path, user)
        self.start("apache2", "-X", "-f", str(self.folder / "httpd.conf"), user=user)
        self.wait_for_web_server()

    def wait_for_web_server(self):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.running[-1].poll() is None:
            try:
                with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{self.url}/open", timeout=5):
                    return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.05)
        log = self.folder / "httpd.log"
        raise RuntimeError(f"the web server does not start: {log.read_text() if log.exists() else ''}")

    def __enter__(self):
        (self.folder / "krb5.conf").write_text(KRB5_CONF.format(realm=REALM, port=self.kdc_port))
        (self.folder / "kdc.conf").write_text(KDC_CONF.format(realm=REALM, port=self.kdc_port, folder=self.folder))
        self.make_principals()
        self.start("krb5kdc", "-n", "-r", REALM)
        self.get_ticket()
        self.start_web_server()
        if os.geteuid() == 0:
            shutil.chown(self.folder / "tickets", 0)  # a file of tickets must be its reader's
        return self

    def __exit__(self, *_):
        for process in self.running:
            process.kill()
            process.wait()


def main(program):
    reason = missing()
    if reason:
        print(f"1..0 # SKIP {reason}")
        return 0
    with tempfile.TemporaryDirectory(prefix="osdear-kerberos-", dir="/tmp") as folder, Realm(Path(folder)) as realm:
        return subprocess.run(program, env=realm.environment, check=False).returncode


if __name__ == "__main__":
    os.environ["PATH"] += ":/usr/sbin"
    sys.exit(main(sys.argv[1:]))
