"""What tests of the command at a MinIO behind the fault proxy have in common."""
import os
import subprocess
import unittest

from fault_proxy import FaultProxy
from s3_servers import Server

PLAIN = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


class BehindProxy(unittest.TestCase):
    """One server and one proxy of the kind `proxy_of`, for all tests of the class; `command` is the program."""

    command, proxy_of = None, FaultProxy

    @classmethod
    def setUpClass(cls):
        cls.server = Server("minio")
        cls.server.__enter__()
        cls.proxy = cls.proxy_of("127.0.0.1", cls.server.port)

    @classmethod
    def tearDownClass(cls):
        cls.proxy.close()
        cls.server.__exit__()

    @classmethod
    def osdear(cls, *words, stdin=b"", directly=False, **environment):
        known = {**PLAIN, **cls.server.environment(), "HOME": "/nonexistent", **environment}
        if not directly:
            known["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{cls.proxy.port}"
        return subprocess.run([cls.command, *words], input=stdin, capture_output=True, check=False, timeout=300, env=known)
