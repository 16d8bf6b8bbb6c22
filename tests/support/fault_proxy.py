#!/usr/bin/env python3
"""Stands between a client and a real HTTP server and lets the n-th request go wrong. Bytes pass as they are, so signatures stay good.

usage: fault_proxy.py HOST:PORT          listens on a free port of 127.0.0.1, prints it, and ends with its standard input

Lines of input, each answered by one line:

  arm FAULT N [TIMES [METHOD [PATTERN]]]   the N-th request from now (1: the next) and TIMES - 1 after it (default 1; 0: all) go wrong;
                                           only requests of METHOD (`-`: any) whose target PATTERN is found in count  -> armed
  off                                      nothing goes wrong any more                                               -> off
  count                                    requests that counted since `arm`, and how many went wrong                -> 7 1
  log                                      those requests as a JSON list of [method, target, what happened]          -> [...]

Faults: what is lost on the way there, on the way back, or never was.

  cut-before      the connection is closed, nothing was passed on
  cut-request     half of the request is passed on, then both connections are closed
  lost-response   the request is carried out, the answer never comes
  cut-response    half of the answer comes, then the connection is closed
  truncate        the answer's head comes, and half of its body
  delay           the request is passed on after 0.4 s
  delay-response  the answer comes after 0.4 s
  stall           the request is carried out, the answer's first bytes come, and no more while the client waits
  repeat          the request is passed on twice; the second answer comes
  500 503 429     this status, nothing was passed on; 503 without, 429 with `Retry-After: 0`
  slowdown        503 as S3 says it: SlowDown
  500-after       the request is carried out, and 500 is the answer
  garbage         bytes that are no HTTP

In a test: `with FaultProxy("127.0.0.1", port) as proxy: proxy.arm("lost-response", 3)`, and then talk to `proxy.port`.
"""
import json
import re
import socket
import sys
import threading
import time

FAULTS = ["cut-before", "cut-request", "lost-response", "cut-response", "truncate", "delay", "delay-response", "stall", "repeat", "500",
          "503", "429", "slowdown", "500-after", "garbage"]
DELAY_S = 0.4


class Closed(Exception):
    """One of the two went away."""


class Cut(Exception):
    """The connection is to be closed, as the fault says."""


class Stream:
    """A connection from which whole messages are read."""

    def __init__(self, peer):
        self.socket = peer
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pending = b""

    def more(self):
        data = self.socket.recv(1 << 18)
        if not data:
            raise Closed
        self.pending += data

    def take(self, size):
        parts, have = [self.pending[:size]], min(size, len(self.pending))
        self.pending = self.pending[size:]
        while have < size:
            data = self.socket.recv(min(1 << 18, size - have))
            if not data:
                raise Closed
            parts.append(data)
            have += len(data)
        return b"".join(parts)

    def until(self, end):
        while end not in self.pending:
            self.more()
        at = self.pending.index(end) + len(end)
        found, self.pending = self.pending[:at], self.pending[at:]
        return found

    def rest(self):
        data, self.pending = self.pending, b""
        while piece := self.socket.recv(1 << 18):
            data += piece
        return data

    def chunks(self):
        data = b""
        while True:
            line = self.until(b"\r\n")
            data += line
            size = int(line.split(b";")[0], 16)
            if size == 0:
                break
            data += self.take(size + 2)
        while True:
            line = self.until(b"\r\n")
            data += line
            if line == b"\r\n":
                return data

    def close(self):
        # Not a polite end: what is in the buffers is lost with it, as when a machine goes away.
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


def field(head, name):
    match = re.search(rb"^" + name + rb":[ \t]*(.*?)[ \t]*\r$", head, re.MULTILINE | re.IGNORECASE)
    return match.group(1) if match else None


class Pair:
    """One client's connection, and ours to the server."""

    def __init__(self, proxy, client):
        self.proxy = proxy
        self.client = Stream(client)
        self.server = None

    def run(self):
        try:
            while self.exchange():
                pass
        except (Closed, Cut, OSError, ValueError):
            pass
        finally:
            for stream in (self.client, self.server):
                if stream:
                    stream.close()
            self.proxy.forget(self)

    def exchange(self):
        head = self.client.until(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n")[0].decode("latin-1").split(" ", 2)
        fault = self.proxy.next_fault(method, target)
        if fault == "cut-before":
            raise Cut
        body = self.request_body(head)
        if fault in ("429", "500", "503", "slowdown", "garbage"):
            self.client.socket.sendall(refusal(fault))
            return fault != "garbage"
        if fault == "delay":
            time.sleep(DELAY_S)
        if fault == "cut-request":
            self.to_server((head + body)[:(len(head) + len(body) + 1) // 2])
            raise Cut
        answer_head, answer_body, stays = self.forward(method, head, body)
        if fault == "repeat":
            answer_head, answer_body, stays = self.forward(method, head, body)
        self.answer(fault, answer_head, answer_body)
        return stays

    def request_body(self, head):
        if (field(head, b"Expect") or b"").lower() == b"100-continue":
            self.client.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if (field(head, b"Transfer-Encoding") or b"").lower() == b"chunked":
            return self.client.chunks()
        return self.client.take(int(field(head, b"Content-Length") or 0))

    def to_server(self, data):
        if not self.server:
            self.server = Stream(socket.create_connection(self.proxy.target))
        self.server.socket.sendall(data)

    def forward(self, method, head, body):
        """What the server answers. It may have closed a connection that was kept: one more try on a new one."""
        head = re.sub(rb"\r\nExpect:[^\r]*", b"", head, flags=re.IGNORECASE)  # we have asked for the body already
        fresh = not self.server
        try:
            self.to_server(head + body)
            return self.read_answer(method)
        except (Closed, OSError):
            if fresh:
                raise
        self.server.close()
        self.server = None
        self.to_server(head + body)
        return self.read_answer(method)

    def read_answer(self, method):
        head = self.server.until(b"\r\n\r\n")
        while head.split(b" ")[1] == b"100":
            head = self.server.until(b"\r\n\r\n")
        status = int(head.split(b" ")[1])
        stays = (field(head, b"Connection") or b"").lower() != b"close"
        if method == "HEAD" or status in (204, 304):
            return head, b"", stays
        if (field(head, b"Transfer-Encoding") or b"").lower() == b"chunked":
            return head, self.server.chunks(), stays
        length = field(head, b"Content-Length")
        if length is None:
            return head, self.server.rest(), False
        return head, self.server.take(int(length)), stays

    def answer(self, fault, head, body):
        whole = head + body
        if fault == "delay-response":
            time.sleep(DELAY_S)
        elif fault == "lost-response":
            raise Cut
        elif fault == "500-after":
            whole = refusal("500")
        elif fault == "stall":
            self.client.socket.sendall(whole[:len(whole) // 2])
            self.client.more()
            raise Cut
        elif fault in ("cut-response", "truncate"):
            self.client.socket.sendall(whole[:len(whole) // 2] if fault == "cut-response" or not body else head + body[:len(body) // 2])
            raise Cut
        self.client.socket.sendall(whole)


def refusal(fault):
    if fault == "garbage":
        return b"\x16\x03\x01 this is no HTTP\r\n\r\n"
    codes = {"500": ("500 Internal Server Error", "InternalError"), "503": ("503 Service Unavailable", "ServiceUnavailable"),
             "429": ("429 Too Many Requests", "TooManyRequests"), "slowdown": ("503 Slow Down", "SlowDown")}
    status, code = codes[fault]
    body = (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>as the test wants it</Message>'
            "<RequestId>FAULTPROXY</RequestId></Error>").encode()
    extra = "Retry-After: 0\r\n" if fault == "429" else ""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nx-amz-request-id: FAULTPROXY\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class FaultProxy:
    def __init__(self, host, port):
        self.target = (host, port)
        self.lock = threading.Lock()
        self.pairs = set()
        self.off()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            pair = Pair(self, client)
            with self.lock:
                self.pairs.add(pair)
            threading.Thread(target=pair.run, daemon=True).start()

    def forget(self, pair):
        with self.lock:
            self.pairs.discard(pair)

    def arm(self, fault, at, times=1, method=None, pattern=""):
        if fault not in FAULTS:
            raise ValueError(f"no fault is called {fault}: {' '.join(FAULTS)}")
        with self.lock:
            self.fault, self.at, self.times, self.method, self.pattern = fault, at, times, method, re.compile(pattern)
            self.count, self.hits, self.log = 0, 0, []

    def off(self):
        with self.lock:
            self.fault, self.at, self.times, self.method, self.pattern = None, 0, 1, None, re.compile("")
            self.count, self.hits, self.log = 0, 0, []

    def next_fault(self, method, target):
        """What is to happen to this request; None: nothing."""
        with self.lock:
            fault = None
            if (self.method in (None, method)) and self.pattern.search(target):
                self.count += 1
                if self.fault and self.count >= self.at and (self.times == 0 or self.count < self.at + self.times):
                    fault = self.fault
                    self.hits += 1
                self.log.append([method, target, fault])
            return fault

    def close(self):
        self.listener.close()
        with self.lock:
            pairs = list(self.pairs)
        for pair in pairs:
            pair.client.close()


def obey(proxy, line):
    word, *rest = line.split()
    if word == "arm":
        fault, at, times, method, pattern = rest + ["1", "-", ""][len(rest) - 2:]
        proxy.arm(fault, int(at), int(times), None if method == "-" else method, pattern)
        return "armed"
    if word == "off":
        proxy.off()
        return "off"
    if word == "count":
        return f"{proxy.count} {proxy.hits}"
    if word == "log":
        return json.dumps(proxy.log)
    return f"unknown: {word}"


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    proxy = FaultProxy(host, int(port))
    print(proxy.port, flush=True)
    for line in sys.stdin:
        if line.strip():
            print(obey(proxy, line), flush=True)


if __name__ == "__main__":
    main()
