#!/usr/bin/env python3
"""Tables and files at real S3 servers, through the command: both servers, TLS, regions, styles of address, throttling, credentials.

usage: test_command.py OSDEAR SOURCE_FOLDER
"""
import contextlib
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

COMMAND, ROOT = os.path.abspath(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(ROOT / "tests/support"))
import s3_servers
import tap
from fault_proxy import FaultProxy
from s3_servers import BUCKET, KEY, SECRET, Server

ODD = "a b/+%&=?#é~(x)'*!;:@,$|<>\"\\^`{}[]\u2028/\u00ff.txt"
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


class OnServers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "in.csv").write_text("id,name\n1,Ada\n2,Alan\n", encoding="utf-8")

    def start(self, *arguments, **options):
        return self.enterContext(Server(*arguments, **options))

    def osdear(self, server, *words, code=0, stdin=None, text=True, **environment):
        known = {**PLAIN, "HOME": str(self.folder), **(server.environment() if server else {}), **environment}
        result = subprocess.run([COMMAND, *map(str, words)], cwd=self.folder, input=stdin, capture_output=True, check=False, timeout=120,
                                env={name: value for name, value in known.items() if value is not None})
        self.assertEqual(result.returncode, code, f"{words}: {result.stderr.decode()}{result.stdout[:500]!r}")
        self.err = result.stderr.decode()
        return result.stdout.decode() if text else result.stdout

    def rows(self, server, table, *words, **environment):
        return [json.loads(line) for line in self.osdear(server, "table", "read", "-f", "jsonl", *words, table, **environment).splitlines()]


if not hasattr(OnServers, "enterContext"):  # before Python 3.11
    def _enter(self, context):
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value
    OnServers.enterContext = _enter


class BothServers:
    """What each server must show; the cases below name one."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls.kind)
        cls.server.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def test_a_table_is_made_read_and_added_to(self):
        self.osdear(self.server, "ingest", "in.csv", f"s3://{BUCKET}/t")
        self.osdear(self.server, "table", "append", f"s3a://{BUCKET}/t", "in.csv")
        self.assertEqual(len(self.rows(self.server, f"s3://{BUCKET}/t/", "--where", "id = 2")), 2)
        self.assertEqual(len(self.rows(self.server, f"s3://{BUCKET}/t", "--version", "1")), 2)

    def test_appends_side_by_side_are_each_there_once(self):
        self.osdear(self.server, "ingest", "in.csv", f"s3://{BUCKET}/race")

        def append(number):
            lines = "id,name\n" + "".join(f"{number * 100 + i},n\n" for i in range(5))
            return self.osdear(self.server, "table", "append", f"s3://{BUCKET}/race", "-", stdin=lines.encode())

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(append, range(1, 25)))
        found = sorted(row["id"] for row in self.rows(self.server, f"s3://{BUCKET}/race"))
        self.assertEqual(found, [1, 2] + [n * 100 + i for n in range(1, 25) for i in range(5)])

    def test_odd_keys_go_there_and_back(self):
        self.osdear(self.server, "store", "cp", "-", f"s3://{BUCKET}/odd/{ODD}", stdin=b"odd")
        listed = self.osdear(self.server, "store", "ls", "-r", "--json", f"s3://{BUCKET}/odd")
        self.assertEqual(json.loads(listed)["path"], ODD)
        self.assertEqual(self.osdear(self.server, "store", "cat", f"s3://{BUCKET}/odd/{ODD}"), "odd")
        self.assertEqual(self.server.request("GET", f"/{BUCKET}/odd/{ODD}")[1], b"odd")
        self.osdear(self.server, "store", "rm", "-r", f"s3://{BUCKET}/odd")
        self.assertEqual(self.osdear(self.server, "store", "ls", "-r", f"s3://{BUCKET}/odd", code=5), "")

    def test_a_large_file_goes_in_parts_and_comes_back_the_same(self):
        data = os.urandom(1 << 20) * 23 + b"end"
        (self.folder / "big").write_bytes(data)
        self.osdear(self.server, "store", "cp", "big", f"s3://{BUCKET}/big")
        status, _, headers = self.server.request("HEAD", f"/{BUCKET}/big")
        self.assertEqual((status, headers["Content-Length"]), (200, str(len(data))))
        self.assertRegex(headers["ETag"], r'-3"?$')
        self.osdear(self.server, "store", "cp", f"s3://{BUCKET}/big", "back")
        self.assertEqual((self.folder / "back").read_bytes(), data)
        part = self.osdear(self.server, "store", "cat", "--offset", 20 << 20, "--length", 10, f"s3://{BUCKET}/big", text=False)
        self.assertEqual(part, data[20 << 20:(20 << 20) + 10])
        self.osdear(self.server, "store", "cp", "--no-clobber", "big", f"s3://{BUCKET}/big", code=6)
        self.no_upload_is_left()

    def test_bodies_of_any_size_may_be_signed(self):
        data = os.urandom(1 << 20) * 23 + b"end"
        for name, size in {"parts": len(data), "one request": 1 << 20}.items():
            (self.folder / name).write_bytes(data[:size])
            for source, stdin in ((name, None), ("-", data[:size])):
                self.osdear(self.server, "store", "cp", source, f"s3://{BUCKET}/signed {name}", stdin=stdin, AWS_UNSIGNED_PAYLOAD="false")
                self.assertEqual(self.server.request("GET", f"/{BUCKET}/signed {name}")[1], data[:size])

    def no_upload_is_left(self):
        body = self.server.request("GET", f"/{BUCKET}", query=[("uploads", "")])[1]
        self.assertNotIn(b"<UploadId>", body)

    def test_an_upload_that_is_interrupted_leaves_no_parts(self):
        command = subprocess.Popen([COMMAND, "store", "cp", "-", f"s3://{BUCKET}/half"], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env={**PLAIN, **self.server.environment()})
        command.stdin.write(b"x" * (20 << 20))
        command.stdin.flush()
        command.send_signal(2)
        with contextlib.suppress(BrokenPipeError):
            command.stdin.write(b"x" * (1 << 20))
            command.stdin.close()
        self.assertEqual(command.wait(60), 3, command.stderr.read())
        command.stderr.close()
        self.assertEqual(self.server.request("HEAD", f"/{BUCKET}/half")[0], 404)
        self.no_upload_is_left()

    def test_what_a_killed_process_left_is_listed_and_given_up(self):
        for name in ("left/a", "left/b c", "other"):
            self.server.request("POST", f"/{BUCKET}/{name}", query=[("uploads", "")])
        listed = [json.loads(line)["path"] for line in self.osdear(self.server, "store", "ls", "--uploads", "--json", f"s3://{BUCKET}").splitlines()]
        self.assertEqual(sorted(listed), ["left/a", "left/b c", "other"])
        self.assertEqual(json.loads(self.osdear(self.server, "store", "rm", "--uploads", "--json", f"s3://{BUCKET}")), {"files": 0})
        self.osdear(self.server, "store", "rm", "--uploads", "--older-than", "0", f"s3://{BUCKET}/left")
        self.assertEqual([line.split()[-1] for line in self.osdear(self.server, "store", "ls", "--uploads", f"s3://{BUCKET}").splitlines()], ["other"])
        self.osdear(self.server, "store", "rm", "--uploads", "--older-than", "0", f"s3://{BUCKET}")
        self.no_upload_is_left()
        self.osdear(self.server, "store", "ls", "--uploads", ".", code=1)
        self.osdear(self.server, "store", "rm", "--uploads", "--older-than", "-1", f"s3://{BUCKET}", code=2)

    def test_folders_are_copied_listed_and_deleted(self):
        for name in ("a", "b/c", "b/d/e"):
            path = self.folder / "tree" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        self.server.request("PUT", f"/{BUCKET}/tree/marker/")
        self.osdear(self.server, "store", "cp", "-r", "tree", f"s3://{BUCKET}/tree")
        self.osdear(self.server, "store", "cp", "-r", f"s3://{BUCKET}/tree", f"s3://{BUCKET}/again")
        self.osdear(self.server, "store", "cp", "-r", f"s3://{BUCKET}/again", "back")
        self.assertEqual((self.folder / "back/b/d/e").read_text(), "b/d/e")
        names = [json.loads(line)["path"] for line in self.osdear(self.server, "store", "ls", "--json", f"s3://{BUCKET}/tree").splitlines()]
        self.assertEqual(names, ["b/", "marker/", "a"])
        self.assertEqual(json.loads(self.osdear(self.server, "store", "rm", "-r", "--json", f"s3://{BUCKET}/again")), {"files": 3})
        self.osdear(self.server, "store", "rm", f"s3://{BUCKET}/again/a", code=5)

    def test_a_signed_url_needs_no_keys(self):
        self.osdear(self.server, "store", "cp", "in.csv", f"s3://{BUCKET}/signed url/x+y.csv")
        url = self.osdear(self.server, "store", "presign", f"s3://{BUCKET}/signed url/x+y.csv").strip()
        with urllib.request.urlopen(url) as answer:
            self.assertEqual(answer.read(), (self.folder / "in.csv").read_bytes())
        put = self.osdear(self.server, "store", "presign", "--method", "PUT", f"s3://{BUCKET}/put").strip()
        urllib.request.urlopen(urllib.request.Request(put, data=b"body", method="PUT")).close()
        self.assertEqual(self.osdear(self.server, "store", "cat", f"s3://{BUCKET}/put"), "body")
        with self.assertRaises(urllib.error.HTTPError):
            urllib.request.urlopen(put)

    def test_failures_say_what_the_service_said(self):
        self.osdear(self.server, "store", "cat", f"s3://{BUCKET}/nothing", code=5)
        self.assertIn("NoSuchKey", self.err)
        self.osdear(self.server, "store", "ls", "s3://no-such-bucket", code=5)
        self.assertIn("NoSuchBucket", self.err)
        self.osdear(self.server, "store", "ls", f"s3://{BUCKET}", code=1, AWS_SECRET_ACCESS_KEY="not-the-secret")
        self.assertIn("SignatureDoesNotMatch", self.err)
        self.assertNotIn("not-the-secret", self.err)
        self.osdear(self.server, "store", "ls", "-o", "aws_acess_key=x", f"s3://{BUCKET}", code=2)
        self.assertIn("aws_acess_key", self.err)

    def test_more_keys_than_one_answer_holds_are_listed_and_deleted(self):
        (self.folder / "many").mkdir()
        for name in range(2100):
            (self.folder / "many" / f"{name:05}").write_bytes(b"")
        self.osdear(self.server, "store", "cp", "-r", "many", f"s3://{BUCKET}/many")
        lines = self.osdear(self.server, "store", "ls", "-r", f"s3://{BUCKET}/many").splitlines()
        self.assertEqual([line.split()[-1] for line in lines], [f"{name:05}" for name in range(2100)])
        self.assertEqual(json.loads(self.osdear(self.server, "store", "rm", "--json", "-r", f"s3://{BUCKET}/many")), {"files": 2100})


class OnMinio(BothServers, OnServers):
    kind = "minio"


class OnVersitygw(BothServers, OnServers):
    kind = "versitygw"


class Variants(OnServers):
    def round_trip(self, server, uri=f"s3://{BUCKET}/t", **environment):
        self.osdear(server, "ingest", "-q", "in.csv", uri, **environment)
        self.assertEqual(len(self.rows(server, uri, **environment)), 2)

    def test_tls_with_a_private_authority(self):
        for kind in ("minio", "versitygw"):
            server = self.start(kind, tls=True)
            self.round_trip(server)
            self.osdear(server, "store", "ls", f"s3://{BUCKET}", code=1, AWS_CA_BUNDLE=None)
            self.assertRegex(self.err, "(?i)certificate")
            self.round_trip(server, f"s3://{BUCKET}/insecure", AWS_CA_BUNDLE=None, AWS_ALLOW_INVALID_CERTIFICATES="true")

    def large(self):
        data = os.urandom(1 << 20) * 37 + b"end"
        (self.folder / "big").write_bytes(data)
        return data

    def test_a_large_file_goes_straight_from_disk_where_nothing_has_to_sign_it(self):
        data = self.large()
        for kind in ("minio", "versitygw"):
            server = self.start(kind, tls=True)
            self.osdear(server, "store", "cp", "big", f"s3://{BUCKET}/big")
            self.assertEqual(server.request("GET", f"/{BUCKET}/big")[1], data)
            self.assertRegex(server.request("HEAD", f"/{BUCKET}/big")[2]["ETag"], r'-5"?$')
            self.osdear(server, "store", "cp", "--no-clobber", "big", f"s3://{BUCKET}/big", code=6)
            self.assertNotIn(b"<UploadId>", server.request("GET", f"/{BUCKET}", query=[("uploads", "")])[1])

    def test_a_part_that_is_read_from_disk_is_read_again_when_it_was_lost(self):
        data = self.large()
        server = self.start("minio")
        with FaultProxy("127.0.0.1", server.port) as proxy:
            for fault in ("cut-before", "cut-request", "lost-response", "repeat", "500-after", "503"):
                proxy.arm(fault, 3, 1, "PUT", "partNumber")
                self.osdear(server, "store", "cp", "big", f"s3://{BUCKET}/{fault}", AWS_ENDPOINT_URL=f"http://127.0.0.1:{proxy.port}")
                self.assertEqual(proxy.hits, 1)
                self.assertEqual(server.request("GET", f"/{BUCKET}/{fault}")[1], data, fault)

    def test_the_bucket_in_the_name_of_the_host(self):
        server = self.start("minio", settings={"MINIO_DOMAIN": "localhost"})
        endpoint = f"http://localhost:{server.port}"
        self.round_trip(server, AWS_ENDPOINT_URL=endpoint, AWS_VIRTUAL_HOSTED_STYLE_REQUEST="true")

    def test_the_region_is_found(self):
        for kind in ("minio", "versitygw"):
            server = self.start(kind, region="eu-west-9")
            self.round_trip(server, AWS_REGION="us-east-1")
            self.round_trip(server, f"s3://{BUCKET}/without", AWS_REGION=None)

    def test_throttling_is_waited_out(self):
        server = self.start("minio", settings={"MINIO_API_REQUESTS_MAX": "1", "MINIO_API_REQUESTS_DEADLINE": "50ms"})
        files = self.folder / "many"
        files.mkdir()
        for name in range(20):
            (files / str(name)).write_bytes(b"x" * 100_000)
        self.osdear(server, "store", "cp", "-r", "--concurrency", "6", "many", f"s3://{BUCKET}/many", AWS_MAX_ATTEMPTS="20")
        self.assertEqual(len(self.osdear(server, "store", "ls", "-r", f"s3://{BUCKET}/many").splitlines()), 20)

    def test_plain_http_elsewhere_is_asked_for(self):
        self.osdear(None, "store", "ls", "s3://bucket", code=2, AWS_ENDPOINT_URL="http://nas.example:9000", AWS_SKIP_SIGNATURE="true")
        self.assertIn("aws_allow_http", self.err)

    def test_where_conditions_are_not_obeyed_commits_are_refused(self):
        server = self.start("minio")
        deaf = self.enterContext(Deaf(server))
        self.osdear(server, "table", "create", "--schema", "id BIGINT", f"s3://{BUCKET}/t", code=1, AWS_ENDPOINT_URL=deaf.endpoint)
        self.assertIn("If-None-Match", self.err)
        self.assertIn("aws_single_writer", self.err)
        self.round_trip(server, AWS_ENDPOINT_URL=deaf.endpoint, AWS_SINGLE_WRITER="true")
        self.osdear(server, "table", "append", f"s3://{BUCKET}/t", "in.csv", AWS_ENDPOINT_URL=deaf.endpoint, AWS_S3_ALLOW_UNSAFE_RENAME="true")
        self.assertEqual(self.osdear(server, "store", "ls", f"s3://{BUCKET}/t/_delta_log").count(".json"), 3)


class Relay(http.server.BaseHTTPRequestHandler):
    """Hands every request on, without its conditions: Host stays, so signatures still hold where those headers were not signed."""

    protocol_version = "HTTP/1.1"

    def relay(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        pairs = [tuple(map(urllib.parse.unquote, pair.partition("=")[::2])) for pair in query.split("&") if pair]
        kept = {name.lower(): value for name, value in self.headers.items()
                if name.lower() in ("range", "content-md5", "content-type") or name.lower().startswith("x-amz-meta-")}
        status, answer, headers = self.server.behind.request(self.command, urllib.parse.unquote(path), pairs, body, kept)
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("connection", "transfer-encoding", "date", "server", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", headers.get("Content-Length", str(len(answer))) if self.command == "HEAD" else str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = relay

    def log_message(self, *_):
        pass


class Deaf:
    """A service that passes over `If-None-Match: *`, as older ones do."""

    def __init__(self, server):
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Relay)
        self.http.behind = server
        self.endpoint = f"http://127.0.0.1:{self.http.server_port}"

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


class Credentials(OnServers):
    """Each source of keys, with a MinIO that only knows the right ones."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server("minio")
        cls.server.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def works(self, **environment):
        without = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
        self.osdear(self.server, "store", "ls", f"s3://{BUCKET}", **{**without, **environment})

    def profile(self, config="", credentials=""):
        (self.folder / ".aws").mkdir(exist_ok=True)
        (self.folder / ".aws/config").write_text(config)
        (self.folder / ".aws/credentials").write_text(credentials)

    def test_nothing_found_says_where_was_looked(self):
        self.osdear(self.server, "store", "ls", f"s3://{BUCKET}", code=1, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
        self.assertIn("aws_skip_signature", self.err)

    def test_a_profile(self):
        self.profile(config="[profile lab]\nregion = us-east-1\n",
                     credentials=f"[lab]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n")
        self.works(AWS_PROFILE="lab")
        self.osdear(self.server, "store", "ls", f"s3://{BUCKET}", code=2, AWS_PROFILE="other", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
        self.assertIn('"other"', self.err)

    def test_a_command(self):
        script = self.folder / "give keys"
        script.write_text(f'#!/bin/sh\necho \'{{"Version": 1, "AccessKeyId": "{KEY}", "SecretAccessKey": "{SECRET}"}}\'\n')
        script.chmod(0o755)
        self.profile(config=f'[default]\ncredential_process = "{script}" --for lab\n')
        self.works()
        script.write_text("#!/bin/sh\nexit 7\n")
        self.osdear(self.server, "store", "ls", f"s3://{BUCKET}", code=1, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
        self.assertIn("exit code 7", self.err)

    def test_a_role_of_the_token_service(self):
        role = "arn:aws:iam::123456789012:role/lab"
        self.profile(config=f"[profile base]\n[profile lab]\nrole_arn = {role}\nsource_profile = base\n",
                     credentials=f"[base]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n")
        self.works(AWS_PROFILE="lab")
        self.works(AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET, AWS_IAM_ROLE_ARN=role)

    def serve_keys(self, answers):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keys)
        server.answers, server.seen = answers, []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server, f"http://127.0.0.1:{server.server_port}"

    def keys(self, **more):
        return json.dumps({"AccessKeyId": KEY, "SecretAccessKey": SECRET, **more})

    def test_a_container(self):
        server, url = self.serve_keys({"GET /keys": self.keys(Expiration="2099-01-01T00:00:00Z")})
        token = self.folder / "token"
        token.write_text("the token\n")
        self.works(AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{url}/keys", AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(token))
        self.assertEqual(server.seen[0][1]["Authorization"], "the token")
        self.osdear(self.server, "store", "ls", f"s3://{BUCKET}", code=2, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None,
                    AWS_CONTAINER_CREDENTIALS_FULL_URI="http://elsewhere.example/keys")

    def test_an_instance(self):
        path = "/latest/meta-data/iam/security-credentials/"
        server, url = self.serve_keys({"PUT /latest/api/token": "metadata-token", f"GET {path}": "the-role",
                                       f"GET {path}the-role": self.keys(Code="Success", Expiration="2099-01-01T00:00:00Z")})
        self.works(AWS_EC2_METADATA_DISABLED=None, AWS_EC2_METADATA_SERVICE_ENDPOINT=url)
        self.assertEqual([line for line, *_ in server.seen], ["PUT /latest/api/token", f"GET {path}", f"GET {path}the-role"])
        self.assertEqual(server.seen[2][1]["X-aws-ec2-metadata-token"], "metadata-token")

    def test_a_web_identity(self):
        answer = (f"<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{KEY}</AccessKeyId>"
                  f"<SecretAccessKey>{SECRET}</SecretAccessKey><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
                  "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>")
        server, url = self.serve_keys({"POST /": answer})
        (self.folder / "jwt").write_text("header.payload.signature")
        self.works(AWS_WEB_IDENTITY_TOKEN_FILE=str(self.folder / "jwt"), AWS_ROLE_ARN="arn:aws:iam::1:role/r", AWS_ENDPOINT_URL_STS=url)
        self.assertIn(b"WebIdentityToken=header.payload.signature", server.seen[0][2])

    def test_keys_that_end_soon_are_fetched_again(self):
        server, url = self.serve_keys({"GET /keys": self.keys(Expiration="2020-01-01T00:00:00Z")})
        self.works(AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{url}/keys")
        self.osdear(self.server, "ingest", "-q", "in.csv", f"s3://{BUCKET}/renewed", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None,
                    AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{url}/keys")
        self.assertGreater(len(server.seen), 3)


class Keys(http.server.BaseHTTPRequestHandler):
    """A container's agent, an instance's metadata, a token service: fixed answers."""

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((f"{self.command} {self.path}", self.headers, body))
        text = self.server.answers.get(f"{self.command} {self.path}")
        self.send_response(200 if text else 404)
        self.send_header("Content-Length", str(len(text or "")))
        self.end_headers()
        self.wfile.write((text or "").encode())

    do_GET = do_PUT = do_POST = answer

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    reason = s3_servers.missing()
    if reason:
        print(f"1..0 # SKIP {reason}")
    else:
        tap.main()
