"""Stands in for Portainer, which cannot be installed by a package's name: the Docker proxy of its API, relayed to a real dockerd.

It answers as a Portainer CE 2.23.0 was seen to answer: 422 for a wrong password, 200 where dockerd says 201, nothing behind a 101.
Tokens can be made to run out, as they do after eight hours.

    relay = Relay(docker_socket, api_key="ptr_…", username="admin", password="…")
    relay.url, relay.forget_tokens(), relay.stop()"""
import http.client
import http.server
import json
import secrets
import socket
import threading

ENVIRONMENT = {"Id": 1, "Name": "local", "Type": 1, "Status": 1, "URL": "unix:///var/run/docker.sock"}
HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "upgrade", "content-length"}


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=600)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.path)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
            if size == 0:
                return b"".join(pieces)

    def is_let_in(self):
        relay = self.server.relay
        if self.headers.get("Cookie"):
            return False
        return self.headers.get("X-API-KEY") == relay.api_key or self.headers.get("Authorization", "").removeprefix("Bearer ") in relay.tokens

    def log_in(self, body):
        relay = self.server.relay
        given = {key.lower(): value for key, value in json.loads(body).items()}
        if given != {"username": relay.username, "password": relay.password}:
            return self.answer(422, {"message": "Invalid credentials", "details": "Unauthorized"})
        token = secrets.token_hex(16)
        relay.tokens.add(token)
        return self.answer(200, {"jwt": token})

    def relay_to_docker(self, path, body):
        if self.headers.get("Upgrade"):
            # Seen: 101, and then no byte.
            self.send_response(101)
            self.send_header("Connection", "Upgrade")
            self.send_header("Upgrade", "tcp")
            self.end_headers()
            self.server.relay.stopped.wait(3)
            self.close_connection = True
            return
        docker = UnixConnection(self.server.relay.socket)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP | {"host", "x-api-key", "authorization", "expect"}}
        docker.request(self.command, path, body=body if body or self.command in ("POST", "PUT") else None, headers=headers)
        got = docker.getresponse()
        status = 200 if got.status == 201 and path.split("?")[0].endswith("/containers/create") else got.status
        self.send_response(status)
        for name, value in got.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        if self.command == "HEAD" or status in (204, 304):
            self.end_headers()
        else:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.copy_pieces(got)
        docker.close()

    def copy_pieces(self, got):
        while True:
            piece = got.read1(65536)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
            if not piece:
                return

    def handle_request(self):
        body = self.read_body()
        path = self.path.split("?")[0]
        try:
            if path == "/api/auth" and self.command == "POST":
                self.log_in(body)
            elif not self.is_let_in():
                self.answer(401, {"message": "A valid authorization token is missing", "details": "Unauthorized"})
            elif path == "/api/endpoints":
                self.answer(200, [ENVIRONMENT])
            elif path.startswith("/api/endpoints/1/docker/"):
                self.relay_to_docker(self.path.removeprefix("/api/endpoints/1/docker"), body)
            else:
                self.answer(404, {"message": "Unable to find an environment with the specified identifier inside the database", "details": ""})
        except (BrokenPipeError, ConnectionError, http.client.HTTPException):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_request


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


class Relay:
    name = "portainer"

    def __init__(self, docker_socket, api_key="ptr_osdear-tests", username="admin", password="osdear-admin-password"):
        self.socket, self.api_key, self.username, self.password = docker_socket, api_key, username, password
        self.tokens = set()
        self.stopped = threading.Event()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.relay = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.address = f"portainer+{self.url}/local"
        self.settings = {"portainer_api_key": api_key}
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def forget_tokens(self):
        self.tokens.clear()

    def stop(self):
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()
