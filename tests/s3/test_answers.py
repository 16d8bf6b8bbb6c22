#!/usr/bin/env python3
"""What services seldom answer, and should not throw us off: clocks apart, keys that ended, throttling, other regions, garbage.

usage: test_answers.py OSDEAR SOURCE_FOLDER        needs no server: the answers are those of a script
"""
import contextlib
import email.utils
import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

COMMAND, ROOT = os.path.abspath(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(ROOT / "tests/support"))
import tap

PLAIN = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true"}
TWO_HOURS = 7200


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.server.lock:
            self.server.seen.append((self.command, self.path, dict(self.headers), len(body)))
        answer = self.server.script(self, len(self.server.seen))
        if isinstance(answer, bytes):
            self.wfile.write(answer)
            self.close_connection = True
            return
        status, headers, content = answer
        self.send_response_only(status)
        for name, value in {"Date": email.utils.formatdate(usegmt=True), "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer

    def log_message(self, *_):
        pass

    def region(self):
        """That the request was signed for."""
        return re.search(r"Credential=[^/]+/\d+/([^/]+)/s3", self.headers["Authorization"]).group(1)

    def part(self, whole):
        """The part of `whole` that Range asks for, as an answer."""
        first, last = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"]).groups())
        content = whole[first:last + 1]
        return 206, {"ETag": '"one"', "Content-Range": f"bytes {first}-{first + len(content) - 1}/{len(whole)}"}, content


class Service(http.server.ThreadingHTTPServer):
    """`script(request, number)` gives (status, headers, body), or bytes that go out as they are before the connection is closed."""

    daemon_threads = True

    def __init__(self, script):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script, self.seen, self.lock = script, [], threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass


def refusal(status, code, **headers):
    return status, headers, f"<Error><Code>{code}</Code><Message>as the test wants it</Message></Error>".encode()


class Answers(unittest.TestCase):
    def serve(self, script):
        service = Service(script)
        self.addCleanup(service.server_close)
        self.addCleanup(service.shutdown)
        return service

    def osdear(self, service, *words, code=0, stdin=b"", about="", **environment):
        known = {**PLAIN, **KEYS, "HOME": "/nonexistent", "AWS_ENDPOINT_URL": service.url, **environment}
        result = subprocess.run([COMMAND, "store", *words], input=stdin, capture_output=True, check=False, timeout=120,
                                env={name: value for name, value in known.items() if value is not None})
        self.err = result.stderr.decode()
        self.assertEqual(result.returncode, code, f"{about} {self.err}")
        self.assertNotIn("Sanitizer", self.err)
        self.assertNotIn("secret", self.err)
        return result.stdout

    def test_a_clock_that_is_wrong_is_put_right_by_the_services_own(self):
        late = email.utils.formatdate(time.time() + TWO_HOURS, usegmt=True)
        service = self.serve(lambda request, number: refusal(403, "RequestTimeTooSkewed", Date=late) if number == 1 else request.part(b"words"))
        self.assertEqual(self.osdear(service, "cat", "s3://lake/a"), b"words")
        first, second = (time.mktime(time.strptime(headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")) for _, _, headers, _ in service.seen)
        self.assertAlmostEqual(second - first, TWO_HOURS, delta=60)

    def test_a_clock_that_stays_wrong_is_told_of(self):
        service = self.serve(lambda request, number: refusal(403, "RequestTimeTooSkewed"))
        self.osdear(service, "cat", "s3://lake/a", code=1)
        self.assertIn("clock", self.err)
        self.assertEqual(len(service.seen), 1)

    def test_keys_that_ended_early_are_fetched_once_more(self):
        for ends in (1, 99):
            keys = self.serve(lambda request, number: (200, {}, json.dumps(
                {"AccessKeyId": f"KEY{number}", "SecretAccessKey": "secret", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}).encode()))
            service = self.serve(lambda request, number: refusal(400, "ExpiredToken") if number <= ends else request.part(b"words"))
            self.osdear(service, "cat", "s3://lake/a", code=0 if ends == 1 else 1, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None,
                        AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{keys.url}/keys")
            signed = [re.search(r"Credential=(\w+)", headers["Authorization"]).group(1) for _, _, headers, _ in service.seen]
            self.assertEqual(signed[:2], ["KEY1", "KEY2"])
            self.assertLessEqual(len(signed), 3)
        self.assertIn("ExpiredToken", self.err)

    def test_a_service_that_says_when_is_waited_for(self):
        service = self.serve(lambda request, number: refusal(503, "SlowDown", **{"Retry-After": "2"}) if number == 1 else request.part(b"words"))
        begin = time.monotonic()
        self.assertEqual(self.osdear(service, "cat", "s3://lake/a"), b"words")
        self.assertGreater(time.monotonic() - begin, 1.9)

    def test_requests_side_by_side_find_the_region_each_and_all(self):
        whole = os.urandom(1 << 20) * 40
        barrier = threading.Barrier(2)

        def script(request, number):
            if number > 1 and request.region() != "eu-west-9":
                with contextlib.suppress(threading.BrokenBarrierError):
                    barrier.wait(2)  # none of those under way knows of the region yet
                return refusal(301, "PermanentRedirect", **{"x-amz-bucket-region": "eu-west-9"})
            return request.part(whole)

        service = self.serve(script)
        self.assertEqual(self.osdear(service, "cat", "s3://lake/big", AWS_REGION="us-east-1"), whole)
        self.assertGreater(sum("us-east-1" in headers["Authorization"] for _, _, headers, _ in service.seen), 2)

    def test_parts_of_an_upload_follow_the_bucket_to_its_region(self):
        def script(request, number):
            if request.command == "POST" and "uploads" in request.path:
                return 200, {}, b"<InitiateMultipartUploadResult><UploadId>one</UploadId></InitiateMultipartUploadResult>"
            if request.command == "HEAD":
                return 404, {}, b""
            if request.region() != "eu-west-9":
                return refusal(307, "TemporaryRedirect", **{"x-amz-bucket-region": "eu-west-9"})
            if request.command == "POST":
                return 200, {}, b"<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"
            return 200, {"ETag": f'"{number}"'}, b""

        service = self.serve(script)
        self.osdear(service, "cp", "-", "s3://lake/big", stdin=bytes(30 << 20), AWS_REGION="us-east-1")
        sent = {path: size for method, path, _, size in service.seen if "partNumber" in path}
        self.assertEqual(len(sent), 4)

    def test_parts_carry_their_digest_where_they_are_to_be_signed(self):
        def script(request, number):
            if request.command == "POST" and "uploads" in request.path:
                return 200, {}, b"<InitiateMultipartUploadResult><UploadId>one</UploadId></InitiateMultipartUploadResult>"
            return (404, {}, b"") if request.command == "HEAD" else (200, {"ETag": f'"{number}"'}, b"<CompleteMultipartUploadResult/>")

        for signed, more in ((False, {}), (True, {"AWS_UNSIGNED_PAYLOAD": "false"}), (True, {"all_proxy": "http://127.0.0.1:1", "no_proxy": "127.0.0.1"})):
            service = self.serve(script)
            self.osdear(service, "cp", "-", "s3://lake/big", stdin=bytes(20 << 20), **more)
            parts = [(headers["X-Amz-Content-Sha256"], size) for _, path, headers, size in service.seen if "partNumber" in path]
            self.assertEqual(len(parts), 3)
            for digest, size in parts:
                self.assertEqual(digest, hashlib.sha256(bytes(size)).hexdigest() if signed else "UNSIGNED-PAYLOAD")

    def test_a_region_that_is_always_another_ends(self):
        service = self.serve(lambda request, number: refusal(301, "PermanentRedirect", **{"x-amz-bucket-region": f"eu-west-{number}"}))
        self.osdear(service, "cat", "s3://lake/a", code=1)
        self.assertLess(len(service.seen), 5)
        self.assertIn("aws_region", self.err)

    def test_garbage_is_no_listing(self):
        page = b"<ListBucketResult><IsTruncated>%s</IsTruncated><EncodingType>url</EncodingType>%s</ListBucketResult>"
        key = b"<Contents><Key>%s</Key><Size>%s</Size></Contents>"
        for name, content in {"no XML": b"hello", "cut": (page % (b"false", key % (b"a", b"1")))[:60], "another root": b"<html/>",
                              "no token": page % (b"true", b""), "a bad code": page % (b"false", key % (b"%zz", b"1")),
                              "a bad size": page % (b"false", key % (b"a", b"-1")), "a document type": b"<!DOCTYPE x><ListBucketResult/>",
                              "deep": b"<a>" * 100, "nothing": b""}.items():
            service = self.serve(lambda request, number, content=content: (200, {}, content))
            self.osdear(service, "ls", "s3://lake/", code=1 if name == "deep" else 7, about=name)
            self.assertRegex(self.err, "(?i)listing|lake")

    def test_keys_from_elsewhere_are_no_part_of_a_listing(self):
        page = "<{0}Result><IsTruncated>false</IsTruncated>{1}</{0}Result>"
        objects = page.format("ListBucket", "<Contents><Key>x</Key><Size>1</Size></Contents>")
        folders = page.format("ListBucket", "<CommonPrefixes><Prefix>other/</Prefix></CommonPrefixes>")
        for words, content in ((["ls", "-r"], objects), (["ls"], folders), (["cp", "-r"], objects)):
            service = self.serve(lambda request, number, content=content: (200, {}, content.encode()))
            with tempfile.TemporaryDirectory() as folder:
                self.osdear(service, *words, f"s3://lake/{'deep/' * 100}", *([folder] if words[0] == "cp" else []), code=7, about=words)
            self.assertIn("from elsewhere", self.err)
        uploads = page.format("ListMultipartUploads", "<Upload><Key>x</Key><UploadId>1</UploadId></Upload>")
        service = self.serve(lambda request, number: (200, {}, uploads.encode()))
        self.assertEqual(self.osdear(service, "ls", "--uploads", f"s3://lake/{'deep/' * 100}"), b"")

    def test_a_listing_that_turns_in_circles_ends(self):
        objects = b"<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>here</NextContinuationToken></ListBucketResult>"
        uploads = (b"<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>here</NextKeyMarker>"
                   b"<NextUploadIdMarker>1</NextUploadIdMarker></ListMultipartUploadsResult>")
        for words, content in ((["ls"], objects), (["ls", "--uploads"], uploads)):
            service = self.serve(lambda request, number, content=content: (200, {}, content))
            self.osdear(service, *words, "s3://lake/", code=7, about=words)
            self.assertIn("same place", self.err)
            self.assertEqual(len(service.seen), 2)

    def test_what_is_no_result_of_a_deletion_is_no_success(self):
        listing = b"<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a/b</Key><Size>1</Size></Contents></ListBucketResult>"
        for content in (b"<html/>", b"<Error><Code>InternalError</Code></Error>", b"hello"):
            service = self.serve(lambda request, number, content=content: (200, {}, listing if request.command == "GET" else content))
            self.osdear(service, "rm", "-r", "s3://lake/a", code=7 if content == b"hello" else 1, about=content)

    def test_another_part_than_was_asked_for_is_refused(self):
        whole = os.urandom(1 << 20) * 3

        for wrong in (1, 2):
            def script(request, number, wrong=wrong):
                status, headers, content = request.part(whole)
                said = headers["Content-Range"]
                return status, {**headers, "Content-Range": re.sub(r"bytes \d+", "bytes 7", said) if number == wrong else said}, content

            service = self.serve(script)
            self.osdear(service, "cat", "--offset", "2000000", "--length", "10", "s3://lake/a", code=7)
            self.assertIn("not the part", self.err)
            self.assertEqual(len(service.seen), wrong)

    def test_a_weak_tag_is_compared_and_not_sent(self):
        whole, tags = os.urandom(1 << 20) * 40, ['W/"one"', 'W/"two"']

        def script(request, number):
            if "If-Match" in request.headers:
                return refusal(412, "PreconditionFailed")
            status, headers, content = request.part(whole)
            return status, {**headers, "ETag": tags[-1] if number > 3 and request.path.endswith("other") else tags[0]}, content

        service = self.serve(script)
        self.assertEqual(self.osdear(service, "cat", "s3://lake/same"), whole)
        self.osdear(self.serve(script), "cat", "s3://lake/other", code=7)
        self.assertIn("replaced", self.err)

    def test_parts_are_joined_when_the_service_says_so(self):
        begun = b"<InitiateMultipartUploadResult><UploadId>one</UploadId></InitiateMultipartUploadResult>"
        for said, is_there, code in ((b"<CompleteMultipartUploadResult/>", False, 0), (b"  \n", False, 1), (b"", True, 0), (b"  \n", True, 0),
                                     (b'  <Error xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Code>InternalError</Code></Error>', False, 1)):
            marks = []

            def script(request, number, said=said, is_there=is_there, marks=marks):
                if request.command == "POST" and "uploads" in request.path:
                    marks.append(request.headers["x-amz-meta-osdear-nonce"])
                    return 200, {}, begun
                if request.command == "HEAD":
                    return (200, {"x-amz-meta-osdear-nonce": marks[0], "Content-Length": str(20 << 20)}, b"") if is_there else (404, {}, b"")
                return (200, {}, said) if request.command == "POST" else (200, {"ETag": f'"{number}"'}, b"")

            service = self.serve(script)
            self.osdear(service, "cp", "-", "s3://lake/big", stdin=bytes(20 << 20), code=code, about=said, AWS_MAX_ATTEMPTS="2")

    def test_addresses_that_may_hold_a_password_are_not_shown(self):
        for more in ({"AWS_ENDPOINT_URL": "ftp://me:secret@host"}, {"AWS_ENDPOINT_URL": "http://me:secret@host"},
                     {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://me:secret@host/keys"}):
            service = self.serve(lambda request, number: (200, {}, b""))
            self.osdear(service, "cat", "s3://lake/a", code=2, about=more, **more)

    def test_an_error_that_is_no_xml_is_told_as_it_is(self):
        for content in (b"<html>the proxy says no</html>", b"\0\xff\xfe", b"<Error><Code>Cut"):
            service = self.serve(lambda request, number, content=content: (403, {}, content))
            self.osdear(service, "cat", "s3://lake/a", code=1)
            self.assertIn("403", self.err)

    def test_lengths_that_lie_are_not_believed(self):
        short = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-99/100\r\nContent-Length: 100\r\n\r\nshort"
        for name, answer in {"short": short, "none of a range": b"HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\n\r\nwords",
                             "larger than what came": b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4/9\r\nContent-Length: 5\r\n\r\nwords",
                             "negative": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nwords"}.items():
            service = self.serve(lambda request, number, answer=answer: answer)
            self.osdear(service, "cat", "s3://lake/a", code=7 if name == "negative" else 1, about=name, AWS_MAX_ATTEMPTS="2")

    def test_a_head_that_has_no_end_is_cut(self):
        service = self.serve(lambda request, number: b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"y" * 90_000 + b"\r\nContent-Length: 0\r\n\r\n")
        self.osdear(service, "cat", "s3://lake/a", code=1)
        many = self.serve(lambda request, number: b"HTTP/1.1 200 OK\r\n" + b"X-Many: yes\r\n" * 9_000 + b"Content-Length: 0\r\n\r\n")
        self.osdear(many, "cat", "s3://lake/a", code=1)

    def test_heads_and_trailers_that_go_on_and_on_are_cut(self):
        more = b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000
        trailers = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4/5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwords\r\n0\r\n" + b"X-More: yes\r\n" * 100_000
        for answer in (more, trailers):
            service = self.serve(lambda request, number, answer=answer: answer)
            self.osdear(service, "cat", "s3://lake/a", code=1, about=answer[:60], AWS_MAX_ATTEMPTS="1")
            self.assertIn("headers and trailers", self.err)

    def test_what_is_long_goes_out_whole_or_not_at_all(self):
        service = self.serve(lambda request, number: request.part(b"words"))
        self.assertEqual(self.osdear(service, "cat", f"s3://lake/{'k' * 1024}"), b"words")
        self.assertTrue(service.seen[0][1].endswith("/" + "k" * 1024))
        self.osdear(service, "cat", f"s3://lake/{'é' * 5000}", code=1)
        self.assertIn("keys of at most 1024 bytes", self.err)
        keys = self.serve(lambda request, number: (200, {}, json.dumps(
            {"AccessKeyId": "K", "SecretAccessKey": "secret", "Token": "t" * 6000, "Expiration": "2099-01-01T00:00:00Z"}).encode()))
        long = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
        self.osdear(service, "cat", "s3://lake/a", AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{keys.url}/{'p' * 5000}", **long)
        self.assertEqual(keys.seen[0][1], "/" + "p" * 5000)
        self.assertEqual(service.seen[-1][2]["X-Amz-Security-Token"], "t" * 6000)
        with tempfile.NamedTemporaryFile("w") as token:
            token.write("a" * 9000)
            token.flush()
            self.osdear(service, "cat", "s3://lake/a", AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{keys.url}/keys",
                        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=token.name, **long)
        self.assertEqual(keys.seen[-1][2]["Authorization"], "a" * 9000)


if __name__ == "__main__":
    tap.main()
