"""An engine that lies. Whatever it answers is a value or a failure with a name; nothing hangs, and nothing is taken for success."""
import http.server
import json
import socketserver
import struct
import threading

import pytest

import osdear
from osdear import Kind, Spec

ID = "c0ffee" * 10
EXITED = {"Status": "exited", "ExitCode": 0, "StartedAt": "2024-01-02T03:04:05Z", "FinishedAt": "2024-01-02T03:04:06Z"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "test"

    def log_message(self, *_):
        pass

    def answer(self):
        path = self.path.split("?")[0].removeprefix("/v1.41").removeprefix("/v4.0.0/libpod").replace(ID, "ID")
        if path == "/_ping":
            return self.send(b"OK", {"Api-Version": "1.41", **self.server.ping})
        found = self.server.answers.get(path, b"{}")
        found = found() if callable(found) else found
        code, found = found if isinstance(found, tuple) else (200, found)
        self.send(found if isinstance(found, bytes) else json.dumps(found).encode(), {}, code)

    do_GET = do_POST = do_DELETE = answer

    def send(self, body, headers, code=200):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@pytest.fixture(params=["docker", "podman"])
def liar(request, tmp_path):
    """Call it with answers by path; `ID` stands for a container's."""
    with Server(str(tmp_path / "socket"), Handler) as server:
        server.answers = {"/containers/ID/json": {"Id": ID, "State": EXITED, "Config": {"Tty": False}}}
        server.ping = {"Libpod-API-Version": "4.3.1"} if request.param == "podman" else {}
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def lie(**answers):
            server.answers.update({f"/containers/ID/{name}": value for name, value in answers.items()})
            server.answers.update(answers.get("others", {}))
            return osdear.Engine(f"unix://{tmp_path}/socket", timeout=5)

        yield lie
        server.shutdown()


def frame(data, channel=1, size=None):
    return struct.pack(">BxxxI", channel, len(data) if size is None else size) + data


@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize(("log", "outcome"), [
    (frame(b"2024-01-02T03:04:05Z x\n", channel=9), osdear.CorruptError),
    (b"<html>a proxy's page</html>", osdear.CorruptError),
    (frame(b"9999-12-31T23:59:59.999999999Z late\n"), b"late\n"),
    (frame(b"0001-01-01T00:00:00Z early\n"), b"early\n"),
    (frame(b"1969-12-31T23:59:58Z before\n"), b"before\n"),
    (frame(b"2024-99-99T99:99:99Z odd\n"), b"2024-99-99T99:99:99Z odd\n"),
    (frame(b"") * 100_000 + frame(b"2024-01-02T03:04:05Z x\n"), b"x\n"),
])
def test_logs_that_lie(liar, follow, log, outcome):
    container = liar(logs=log).get(ID)
    if isinstance(outcome, bytes):
        found = b"".join(chunk.data for chunk in container.logs(follow=follow))
        assert found and found.replace(outcome, b"") == b""  # one without a sensible time may be read again
    else:
        with pytest.raises(outcome):
            list(container.logs(follow=follow))


def test_a_log_that_is_longer_than_what_is_remembered_comes_once(liar):
    """Its end is read a second time. Two threads write it, so that its times do not ascend; and the engine does not look at `since`."""
    def line(i):
        microseconds = 100_000 + 40 * i - (50_000 if i % 10 == 0 else 0)
        return frame(b"2024-01-02T03:04:05.%06dZ line %d\n" % (microseconds, i), channel=2 if i % 10 == 0 else 1)

    container = liar(logs=b"".join(map(line, range(20_000)))).get(ID)
    assert [chunk.data for chunk in container.logs(follow=True)] == [b"line %d\n" % i for i in range(20_000)]


def test_a_name_that_is_taken_with_nothing_behind_it_is_waited_for(liar):
    asked = []

    def create():
        asked.append(1)
        return (409, {"message": "Conflict. The container name is already in use"}) if len(asked) < 8 else (400, {"message": "free at last"})

    engine = liar(others={"/containers/json": [], "/containers/create": create, "/containers/taken/json": (404, {"message": "no such container"})})
    with pytest.raises(osdear.ArgumentError, match="free at last"):
        engine.run(Spec(image="any", command=["true"], name="taken"))
    assert len(asked) == 8


def test_a_frame_that_is_cut(liar):
    with pytest.raises(osdear.UnavailableError, match="cut"):
        list(liar(logs=frame(b"2024-01-02T03:04:05Z x\n", size=99)).get(ID).logs())


@pytest.mark.parametrize(("end", "outcome"), [
    ({"StatusCode": 1 << 40}, osdear.StateError), ({"StatusCode": -1}, osdear.StateError), ({}, osdear.StateError), (b"", osdear.UnavailableError),
    ({"StatusCode": 0, "Error": {"Message": "it was removed"}}, osdear.StateError), (b"[" * 5000, osdear.LimitError), (b"77", 77),
    ({"StatusCode": 7, "Error": None}, 7), (b'"' + b"x" * 5000, osdear.CorruptError), (b"null", osdear.StateError), (b"0 0", osdear.CorruptError),
])
def test_ends_that_lie(liar, end, outcome):
    container = liar(wait=end).get(ID)
    if isinstance(outcome, int):
        assert container.wait(5) == outcome
    else:
        with pytest.raises((outcome, osdear.TimedOutError) if outcome is osdear.UnavailableError else outcome):
            container.wait(2)


def test_an_exit_code_that_is_none_is_not_taken_for_0(liar):
    engine = liar(json={"Id": ID, "State": {**EXITED, "ExitCode": 1 << 32}, "Config": {}}, wait={"StatusCode": 0})
    with pytest.raises(osdear.StateError):
        engine.get(ID).wait(5)


@pytest.mark.parametrize("body", [b"<html>please log in</html>", b'{"status": "x"} oops', b"[1]"])
def test_what_is_no_json_is_no_image(liar, body):
    with pytest.raises(osdear.CorruptError):
        liar(others={"/images/create": body}).pull("nonesuch:1")


def test_texts_without_end_or_bottom(liar):
    for body, outcome in ((b'{"a":"' + b"x" * (20 << 20), osdear.LimitError), (b'{"a":' * 1000 + b"1" + b"}" * 1000, osdear.Error),
                          (b'{"error":"' + b"e" * 100_000 + b'"}', osdear.Error)):
        with pytest.raises(outcome):
            liar(others={"/images/create": body}).pull("nonesuch:1")
    with pytest.raises(osdear.LimitError):
        liar(json=b"[" * 100_000).get(ID)


def test_progress_that_counts_too_far_is_no_failure(liar):
    steps = b"".join(b'{"status":"Downloading","id":"%d","progressDetail":{"current":%d,"total":%d}}\n' % (i, 1 << 62, (1 << 63) - 1) for i in range(300))
    liar(others={"/images/create": steps}).pull("nonesuch:1")


@pytest.mark.parametrize("given", ["a/b", "a?b", "", "x" * 1000, None])
def test_an_id_that_makes_no_sense_is_refused(liar, given):
    with pytest.raises(osdear.CorruptError):
        liar(others={"/containers/create": {"Id": given}}).create(Spec(image="x"))


def test_lists_that_are_none_are_empty_or_refused(liar):
    engine = liar(others={"/containers/json": {"message": "no list"}})
    assert engine.sweep() == 0
    assert engine.list(Kind.CONTAINER) in ({"message": "no list"}, [])
