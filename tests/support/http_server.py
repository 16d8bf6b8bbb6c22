#!/usr/bin/env python3
"""An HTTP/1.1 server for tests that does what it is asked to by the path, well or badly.

usage: http_server.py [--unix PATH] [--cert PEM --key PEM [--client-ca PEM]] [--proxy]

Listens on a free port of 127.0.0.1, prints the port, and ends when its standard input does, so that no test can leave it behind.
Paths; `key` in a query makes a counter of its own:

  /echo                      method, target, headers and body, one line each
  /status/503?times=2        that status the first times of this key (default: always), then 200; `retry_after`, `body` are sent along
  /bytes/100000              so many bytes; `chunked=1`, `piece=` bytes at a time, `delay_ms=` between them
  /cut/10?of=100&times=1     announces 100 bytes, sends 10 and closes, the first times; then all
  /drop?times=1              closes without an answer, the first times; `after_body=0` does so before reading the body
  /slow?ms=500               answers after that time
  /stall/10?of=100           sends 10 bytes and no more, and keeps the connection
  /redirect?to=URL&code=302  a redirect
  /loop                      a redirect to itself
  /headers?count=9&size=9    so many headers of that size
  /upload                    size and SHA-256 of the body
  /count/KEY                 how many requests came for that key
  /requests                  how many connections and requests there were
  /upgrade                   101, then what comes is sent back; at the end of the input "bye" and the end
  /raw?text=…                these bytes as the answer, percent-decoded; `again=…`: then these without an end
"""
import argparse
import collections
import hashlib
import socket
import ssl
import sys
import threading
import time
import urllib.parse

LOCK = threading.Lock()
COUNTS = collections.Counter()


def count(key):
    with LOCK:
        COUNTS[key] += 1
        return COUNTS[key]


class Closed(Exception):
    pass


class Connection:
    def __init__(self, peer):
        self.socket = peer
        self.file = peer.makefile("rb")
        self.open = True

    def serve(self):
        count("connections")
        try:
            while self.open and self.request():
                pass
        except (Closed, OSError, ValueError):
            pass
        finally:
            try:
                self.socket.close()
                self.file.close()
            except OSError:
                pass

    def line(self):
        line = self.file.readline(65537)
        if not line.endswith(b"\n"):
            raise Closed
        return line.rstrip(b"\r\n").decode("latin-1")

    def request(self):
        self.method, self.target, _ = self.line().split(" ")
        self.headers = []
        while line := self.line():
            name, _, value = line.partition(":")
            self.headers.append((name, value.strip()))
        self.body = None
        url = urllib.parse.urlsplit(self.target)
        self.query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        count("requests")
        self.number = count(self.query.get("key", url.path))
        parts = url.path.split("/")
        action = getattr(self, "do_" + parts[1].replace("-", "_"), None)
        if not action:
            self.answer(404, b"no such path\n")
        else:
            action(*parts[2:])
        self.read_body()
        if self.header("Connection", "").lower() == "close":
            self.open = False
        return True

    def header(self, name, default=None):
        return next((value for key, value in self.headers if key.lower() == name.lower()), default)

    def read_body(self):
        if self.body is not None:
            return self.body
        if self.header("Expect", "").lower() == "100-continue":
            self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self.header("Transfer-Encoding", "").lower() == "chunked":
            self.body = b""
            while size := int(self.line().split(";")[0], 16):
                self.body += self.exactly(size)
                self.line()
            while self.line():
                pass
        else:
            self.body = self.exactly(int(self.header("Content-Length", "0")))
        return self.body

    def exactly(self, size):
        data = self.file.read(size)
        if len(data) < size:
            raise Closed
        return data

    def head(self, status, headers):
        lines = [f"HTTP/1.1 {status} Whatever"] + [f"{name}: {value}" for name, value in headers]
        self.socket.sendall("\r\n".join(lines + ["", ""]).encode("latin-1"))

    def answer(self, status, body, headers=()):
        self.read_body()
        self.head(status, [("Content-Length", len(body)), *headers])
        if self.method != "HEAD":
            self.socket.sendall(body)

    def times(self):
        return self.number <= int(self.query.get("times", 1 << 30))

    # ---- what it can be asked ----

    def do_echo(self, *_):
        body = self.read_body().decode("latin-1")
        text = "\n".join([f"{self.method} {self.target}"] + [f"{name}: {value}" for name, value in self.headers] + ["", body])
        self.answer(200, text.encode("latin-1"), [("X-Amz-Request-Id", "req-1"), ("X-Thing", "one"), ("x-thing", "two")])

    def do_status(self, status):
        extra = [("Retry-After", self.query["retry_after"])] if "retry_after" in self.query else []
        if self.times():
            self.answer(int(status), self.query.get("body", "").encode(), [("X-Amz-Request-Id", f"req-{self.number}"), *extra])
        else:
            self.answer(200, f"{self.number}".encode())

    def do_bytes(self, size):
        data = bytes(i % 251 for i in range(251)) * (int(size) // 251 + 1)
        data = data[:int(size)]
        if "range" in self.query and self.header("Range"):
            first, last = self.header("Range").removeprefix("bytes=").split("-")
            data = data[int(first):int(last) + 1]
        chunked = "chunked" in self.query
        self.read_body()
        self.head(200, [("Transfer-Encoding", "chunked")] if chunked else [("Content-Length", len(data))])
        piece = int(self.query.get("piece", 65536))
        for at in range(0, len(data), piece):
            part = data[at:at + piece]
            self.socket.sendall(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
            time.sleep(int(self.query.get("delay_ms", 0)) / 1000)
        if chunked:
            self.socket.sendall(b"0\r\nX-Trailer: yes\r\n\r\n")

    def do_cut(self, size):
        data = b"x" * int(self.query["of"])
        if not self.times():
            self.answer(200, data)
            return
        self.read_body()
        self.head(200, [("Content-Length", len(data))])
        self.socket.sendall(data[:int(size)])
        raise Closed

    def do_drop(self):
        if self.query.get("after_body") != "0":
            self.read_body()
        if self.times():
            raise Closed
        self.answer(200, f"{self.number}".encode())

    def do_slow(self):
        time.sleep(int(self.query["ms"]) / 1000)
        self.answer(200, b"at last")

    def do_stall(self, size):
        self.head(200, [("Content-Length", self.query["of"])])
        self.socket.sendall(b"x" * int(size))
        self.file.read(1)
        raise Closed

    def do_redirect(self):
        self.answer(int(self.query.get("code", 302)), b"elsewhere", [("Location", self.query["to"])])

    def do_loop(self):
        self.answer(302, b"around", [("Location", "/loop")])

    def do_headers(self):
        size = int(self.query["size"])
        self.answer(200, b"", [(f"X-Many-{i}", "v" * size) for i in range(int(self.query["count"]))])

    def do_upload(self):
        body = self.read_body()
        self.answer(200, f"{len(body)} {hashlib.sha256(body).hexdigest()}".encode())

    def do_count(self, key):
        with LOCK:
            self.answer(200, str(COUNTS[key]).encode())

    def do_requests(self):
        with LOCK:
            self.answer(200, f"{COUNTS['connections']} {COUNTS['requests']}".encode())

    def do_upgrade(self):
        self.read_body()
        self.socket.sendall(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello ")
        while data := self.file.read1(65536):
            self.socket.sendall(data)
        self.socket.sendall(b"bye")
        raise Closed

    def do_raw(self):
        self.read_body()
        self.socket.sendall(urllib.parse.unquote_to_bytes(self.query["text"]))
        while "again" in self.query:
            self.socket.sendall(urllib.parse.unquote_to_bytes(self.query["again"]) * 1000)
        raise Closed


class Proxy(Connection):
    """Passes absolute URLs and CONNECT on; asks for nobody's name, or with `user:password` in the environment for that one."""

    def request(self):
        self.method, self.target, _ = self.line().split(" ")
        self.headers = []
        while line := self.line():
            name, _, value = line.partition(":")
            self.headers.append((name, value.strip()))
        count("requests")
        if self.method == "CONNECT":
            host, port = self.target.rsplit(":", 1)
            self.tunnel(socket.create_connection((host, int(port))), b"", b"HTTP/1.1 200 Connected\r\n\r\n")
        else:
            url = urllib.parse.urlsplit(self.target)
            path = urllib.parse.urlunsplit(("", "", url.path, url.query, ""))
            kept = [f"{name}: {value}" for name, value in self.headers if not name.lower().startswith("proxy-")]
            head = "\r\n".join([f"{self.method} {path} HTTP/1.1", *kept, "Via: tiny", "", ""])
            self.tunnel(socket.create_connection((url.hostname, url.port)), head.encode("latin-1"), b"")
        return False

    def tunnel(self, other, to_them, to_us):
        other.sendall(to_them)
        self.socket.sendall(to_us)

        def back():
            try:
                while data := other.recv(65536):
                    self.socket.sendall(data)
                self.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

        threading.Thread(target=back, daemon=True).start()
        while data := self.file.read1(65536):
            other.sendall(data)
        other.close()


def listen(options):
    if options.unix:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(options.unix)
        listener.listen(128)
        print(0, flush=True)
    else:
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        print(listener.getsockname()[1], flush=True)
    return listener


def tls_of(options):
    if not options.cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.cert, options.key)
    if options.client_ca:
        context.load_verify_locations(options.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def handle(peer, tls, kind):
    try:
        if tls:
            peer = tls.wrap_socket(peer, server_side=True, do_handshake_on_connect=False)
            peer.do_handshake()
        else:
            if peer.family == socket.AF_INET:
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        time.sleep(0.3)  # the alert is on its way: a reset must not overtake it
        peer.close()
        return
    kind(peer).serve()


def main():
    parser = argparse.ArgumentParser()
    for name in ("--unix", "--cert", "--key", "--client-ca"):
        parser.add_argument(name)
    parser.add_argument("--proxy", action="store_true")
    options = parser.parse_args()
    listener, tls = listen(options), tls_of(options)

    def accept():
        while True:
            peer, _ = listener.accept()
            threading.Thread(target=handle, args=(peer, tls, Proxy if options.proxy else Connection), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
