"""Stands in for Portainer, which cannot be installed by a package's name: its API, with the Docker proxy relayed to a real dockerd and
stacks brought up by a real docker-compose.

It answers as a Portainer CE 2.23.0 was seen to answer, and has the traps that one had: a wrong password is 422; create through the proxy is
200; nothing comes behind a 101; what is followed comes late; a stack's Status is what was wished for; an update that fails removes the containers that ran; two
creates of one name at a time both succeed; an update leaves dropped services running. What was not seen there is not here.

    relay = Relay(docker_socket, folder)            # tls=(certificate, key) for https
    relay.address, relay.settings, relay.stop()"""
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import re
import secrets
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "upgrade", "content-length"}
OF_PORTAINER = {"host", "x-api-key", "authorization", "cookie", "expect"}
STANDALONE, ACTIVE, INACTIVE = 2, 1, 2
HELD_BYTES = 2048
ROUTES = []


class Refusal(Exception):
    """An answer other than success."""

    def __init__(self, status, message, details=""):
        super().__init__(message)
        self.status, self.message, self.details = status, message, details or message


class NoAnswer(Exception):
    """The connection is closed as if the server's handler had died."""


def route(method, path, is_open=False):
    """Whoever asks for this gets what the function returns, as JSON. `is_open`: without being logged in."""
    def add(function):
        ROUTES.append((method, re.compile(f"/api{path}"), is_open, function))
        return function
    return add


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=600)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.path)


def ask_docker(path, target, method="GET"):
    connection = UnixConnection(path)
    try:
        connection.request(method, target)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


# ---- letting in ----


@route("GET", "/(?:system/)?status", is_open=True)
def status(relay, call):
    return {"Version": "2.23.0", "InstanceID": relay.instance}


@route("GET", "/users/admin/check", is_open=True)
def admin_check(relay, call):
    return None


@route("POST", "/users/admin/init", is_open=True)
def admin_init(relay, call):
    raise Refusal(409, "Unable to create administrator user", "an administrator user already exists")


@route("POST", "/auth", is_open=True)
def log_in(relay, call):
    given = {key.lower(): value for key, value in call.json().items()}
    if not given.get("username") or not given.get("password"):
        raise Refusal(400, "Invalid request payload", "Invalid credentials. The username and password are required")
    if given["username"] != relay.username:
        raise Refusal(422, "Invalid credentials", "Unauthorized")
    if given["password"] != relay.password:
        raise Refusal(422, "Invalid credentials", "Unauthorized")
    token = f"{secrets.token_hex(8)}.{secrets.token_hex(16)}.{secrets.token_hex(16)}"
    relay.tokens.add(token)
    relay.logins += 1
    call.answer_headers["Set-Cookie"] = f"portainer_api_key={token}; Path=/; HttpOnly"
    return {"jwt": token}


@route("POST", "/auth/logout")
def log_out(relay, call):
    raise NoAnswer


@route("POST", "/users/1/tokens")
def make_key(relay, call):
    given = call.json()
    if call.way_in == "key":
        raise Refusal(401, "Auth not supported", "API key authentication is not allowed here")
    if not given.get("password"):
        raise Refusal(400, "Invalid request payload", "invalid password: cannot be empty")
    if given["password"] != relay.password:
        raise Refusal(403, "Current password doesn't match", "Current password does not match the password provided")
    key = f"ptr_{secrets.token_urlsafe(32)}="
    relay.keys[key] = len(relay.keys) + 1
    call.status = 201
    return {"rawAPIKey": key, "apiKey": {"id": relay.keys[key], "userId": 1, "description": given.get("description", ""), "prefix": key[:7],
                                         "dateCreated": int(time.time()), "lastUsed": 0, "digest": None}}


@route("DELETE", r"/users/1/tokens/(\d+)")
def remove_key(relay, call, number):
    relay.keys = {key: n for key, n in relay.keys.items() if n != int(number)}


# ---- environments ----


def form_of(call):
    """The fields of a multipart form."""
    kind = call.headers.get("Content-Type", "")
    if not kind.startswith("multipart/form-data"):
        raise Refusal(400, "Invalid request payload", "invalid environment name")
    boundary = re.search(r'boundary="?([^";]+)', kind)[1]
    fields = {}
    for part in call.body.split(b"--" + boundary.encode())[1:-1]:
        head, _, value = part.partition(b"\r\n\r\n")
        fields[re.search(rb'name="([^"]*)"', head)[1].decode()] = value.removesuffix(b"\r\n").decode()
    return fields


@route("POST", "/endpoints")
def make_environment(relay, call):
    form = form_of(call)
    if any(e["Name"] == form["Name"] for e in relay.environments.values()):
        raise Refusal(409, "Name is not unique", "Name is not unique")
    try:
        ask_docker(form["URL"].removeprefix("unix://"), "/_ping")
    except OSError as failure:
        raise Refusal(500, "Unable to reach the environment", str(failure)) from None
    return relay.add_environment(form["Name"], form["URL"])


@route("GET", "/endpoints")
def environments(relay, call):
    call.answer_headers["X-Total-Count"] = call.answer_headers["X-Total-Available"] = str(len(relay.environments))
    return list(relay.environments.values())


@route("GET", r"/endpoints/(\d+)")
def environment(relay, call, number):
    return relay.environment(number)


@route("DELETE", r"/endpoints/(\d+)")
def remove_environment(relay, call, number):
    relay.environment(number)
    del relay.environments[int(number)]


# ---- stacks ----


def compose(relay, stack, *words):
    """Portainer's compose goes to the DOCKER_HOST of Portainer itself, whatever the environment's URL says. One at a time."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(relay.folder), "DOCKER_HOST": f"unix://{relay.socket}",
                   **{pair["name"]: pair["value"] for pair in stack["Env"] or []}}
    with relay.composing:
        return subprocess.run(["docker-compose", "-p", stack["Name"], "-f", f"{stack['ProjectPath']}/docker-compose.yml", *words],
                              capture_output=True, text=True, env=environment, timeout=600, check=False)


def deploy(relay, stack):
    """What fails on its way up is taken down, with all that ran before."""
    done = compose(relay, stack, "up", "-d")
    if done.returncode != 0:
        take_down(relay, stack)
        raise Refusal(500, "failed to deploy a stack", f"failed to deploy a stack: {done.stderr}")


def objects_of(relay, stack, path):
    filters = urllib.parse.quote(json.dumps({"label": [f"com.docker.compose.project={stack['Name']}"]}))
    return json.loads(ask_docker(relay.socket, f"/v1.41{path}filters={filters}")[1])


def take_down(relay, stack):
    """As `compose down --remove-orphans` does: containers and networks go, whatever is in the file by now."""
    file = pathlib.Path(stack["ProjectPath"], "docker-compose.yml").read_text()
    services = set(re.findall(r"^  ([\w-]+):", file, re.MULTILINE))
    with relay.composing:
        for container in objects_of(relay, stack, "/containers/json?all=1&"):
            if relay.leaves_orphans and container["Labels"]["com.docker.compose.service"] not in services:
                continue
            ask_docker(relay.socket, f"/v1.41/containers/{container['Id']}/stop", "POST")
            ask_docker(relay.socket, f"/v1.41/containers/{container['Id']}?force=1", "DELETE")
        for network in objects_of(relay, stack, "/networks?"):
            ask_docker(relay.socket, f"/v1.41/networks/{network['Id']}", "DELETE")


def write_file(stack, content):
    path = pathlib.Path(stack["ProjectPath"])
    path.mkdir(parents=True, exist_ok=True)
    (path / "docker-compose.yml").write_text(content)


@route("POST", "/stacks/create/standalone/string")
@route("POST", "/stacks")
def create_stack(relay, call):
    given = call.json()
    relay.environment(call.needed("endpointId"))
    name = re.sub(r"[^a-z0-9_-]", "", given.get("Name", "").lower())
    if not name or not given.get("StackFileContent"):
        raise Refusal(400, "Invalid request payload", "Invalid stack name" if not name else "Invalid stack file content")
    if any(s["Name"] == name for s in relay.stacks.values()):
        raise Refusal(409, f"A stack with the normalized name '{name}' already exists", f"A stack with the normalized name '{name}' already exists")
    number = next(relay.stack_numbers)
    stack = {"Id": number, "Name": name, "Type": STANDALONE, "EndpointId": int(call.query["endpointId"]), "SwarmId": "",
             "EntryPoint": "docker-compose.yml", "Env": given.get("Env"), "ResourceControl": None, "Status": ACTIVE,
             "ProjectPath": f"{relay.folder}/compose/{number}", "CreationDate": int(time.time()), "CreatedBy": relay.username, "UpdateDate": 0,
             "UpdatedBy": "", "AutoUpdate": None, "Option": None, "GitConfig": None, "FromAppTemplate": False, "Namespace": ""}
    write_file(stack, given["StackFileContent"])
    deploy(relay, stack)  # looked for above, put in below: two at a time both get through
    relay.stacks[number] = stack
    return {**stack, "ResourceControl": control(stack)}


def control(stack):
    return {"Id": stack["Id"], "ResourceId": f"{stack['EndpointId']}_{stack['Name']}", "Type": 6}


@route("GET", "/stacks")
def stacks(relay, call):
    wanted = json.loads(call.query.get("filters", "{}")).get("EndpointID")
    return [{**s, "ResourceControl": control(s)} for s in relay.stacks.values() if wanted in (None, 0, s["EndpointId"])]


@route("GET", r"/stacks/(\d+)")
def stack_of(relay, call, number):
    stack = relay.stack(number)
    return {**stack, "ResourceControl": control(stack)}


@route("GET", r"/stacks/(\d+)/file")
def stack_file(relay, call, number):
    return {"StackFileContent": pathlib.Path(relay.stack(number)["ProjectPath"], "docker-compose.yml").read_text()}


@route("PUT", r"/stacks/(\d+)")
def update_stack(relay, call, number):
    stack, given = relay.stack(number), call.json()
    relay.environment(call.needed("endpointId"))
    if not given.get("StackFileContent"):
        raise Refusal(400, "Invalid request payload", "Invalid stack file content")
    old = pathlib.Path(stack["ProjectPath"], "docker-compose.yml").read_text()
    changed = {**stack, "Env": given.get("Env")}
    write_file(stack, given["StackFileContent"])
    try:
        if given.get("PullImage"):  # RepullImageAndRedeploy is not known here
            done = compose(relay, changed, "pull")
            if done.returncode != 0:
                raise Refusal(500, "failed to pull images of the stack", f"failed to pull images of the stack: {done.stderr}")
        deploy(relay, changed)  # services that the file has no more go on
    except Refusal:
        write_file(stack, old)
        raise
    stack.update(Env=given.get("Env"), Status=ACTIVE, UpdateDate=int(time.time()), UpdatedBy=relay.username)
    return {**stack, "ResourceControl": None}


@route("POST", r"/stacks/(\d+)/stop")
def stop_stack(relay, call, number):
    stack = relay.stack(number)
    relay.environment(call.needed("endpointId"))
    if stack["Status"] == INACTIVE:
        raise Refusal(400, "Stack is already inactive")
    take_down(relay, stack)
    stack["Status"] = INACTIVE
    return {**stack, "ResourceControl": None}


@route("POST", r"/stacks/(\d+)/start")
def start_stack(relay, call, number):
    stack = relay.stack(number)
    relay.environment(call.needed("endpointId"))
    if objects_of(relay, stack, "/containers/json?"):
        raise Refusal(409, f"A stack with the name '{stack['Name']}' is already running")
    if stack["Status"] == ACTIVE:
        raise Refusal(400, "Stack is already active")
    deploy(relay, stack)
    stack["Status"] = ACTIVE
    return {**stack, "ResourceControl": None}


@route("DELETE", r"/stacks/(\d+)")
def remove_stack(relay, call, number):
    stack = relay.stack(number)
    if "endpointId" not in call.query:
        raise Refusal(404, "Unable to find the endpoint associated to the stack inside the database")
    take_down(relay, stack)
    del relay.stacks[int(number)]


# ---- HTTP ----


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def json(self):
        try:
            found = json.loads(self.body)
        except ValueError as failure:
            raise Refusal(400, "Invalid request payload", str(failure)) from None
        if not isinstance(found, dict):
            raise Refusal(400, "Invalid request payload")
        return found

    def needed(self, name):
        if not self.query.get(name):
            raise Refusal(400, f"Invalid query parameter: {name}", "Missing query parameter")
        return self.query[name]

    def send_body(self, status, data, kind):
        self.send_response(status)
        for name, value in self.answer_headers.items():
            self.send_header(name, value)
        if data:
            self.send_header("Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def refuse(self, refusal):
        if refusal.message is None:
            return self.send_body(refusal.status, refusal.details.encode(), "text/plain; charset=utf-8")
        return self.send_body(refusal.status, json.dumps({"message": refusal.message, "details": refusal.details}).encode(), "application/json")

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

    def find_way_in(self, relay):
        """ "key", "token" or "cookie"."""
        key = self.headers.get("X-API-KEY") or self.query.get("x-api-key")
        bearer = self.headers.get("Authorization", "")
        cookie = re.search(r"portainer_api_key=([^;]+)", self.headers.get("Cookie", ""))
        if key is not None:
            if key not in relay.keys:
                raise Refusal(401, "A valid authorization token is missing", "Unauthorized")
            return "key"
        token = bearer.removeprefix("Bearer ") if bearer else self.query.get("token")
        if token is None and cookie:
            if self.command not in ("GET", "HEAD"):
                raise Refusal(403, None, "Forbidden - CSRF token not found in request")
            token = cookie[1]
        if token is None:
            raise Refusal(401, "A valid authorization token is missing", "Unauthorized")
        if token not in relay.tokens:
            raise Refusal(401, "Invalid JWT token", "Unauthorized")
        return "token" if not cookie or bearer else "cookie"

    def handle_api(self, relay, path):
        known = False
        for method, pattern, is_open, function in ROUTES:
            found = pattern.fullmatch(path)
            known = known or bool(found)
            if not found or method != self.command:
                continue
            self.way_in = None if is_open else self.find_way_in(relay)
            answer = function(relay, self, *found.groups())
            if relay.lose_answers > 0 and method != "GET":
                relay.lose_answers -= 1
                raise NoAnswer
            if answer is None:
                return self.send_body(204, b"", "")
            return self.send_body(self.status, json.dumps(answer).encode(), "application/json")
        if known:
            return self.send_body(405, b"", "")
        return self.send_body(404, b"404 page not found\n", "text/plain; charset=utf-8")

    def handle_request(self):
        relay = self.server.relay
        split = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(split.query))
        self.answer_headers, self.status = {}, 200
        try:
            self.body = self.read_body()
            relay.requests.append((self.command, split.path, self.body))
            proxied = re.fullmatch(r"/api/endpoints/(\d+)/docker(/.*)", split.path)
            if proxied:
                self.find_way_in(relay)
                self.relay_to_docker(relay, relay.environment(proxied[1]), self.path.split("/docker", 1)[1])
            else:
                self.handle_api(relay, split.path)
        except Refusal as refusal:
            self.refuse(refusal)
        except (NoAnswer, BrokenPipeError, ConnectionError, http.client.HTTPException, ssl.SSLError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_request

    # ---- the Docker proxy ----

    def stay_silent(self, path):
        """Seen: 101 and then no byte for an exec, no head for an attach."""
        if "/exec/" in path:
            self.send_response(101)
            self.send_header("Connection", "Upgrade")
            self.send_header("Upgrade", "tcp")
            self.end_headers()
        self.server.relay.stopped.wait(3)
        self.close_connection = True

    def check_owner(self, relay, path):
        """Users have what they made, by its id, and join nothing to a network: the last part of a path is taken for its name. What is denied shows
        as a failure of writing the denial."""
        named = re.fullmatch(r"(?:/v[\d.]+)?/(?:containers|networks)/([^/?]+)(/[^?]*)?(?:\?.*)?", path)
        key = self.headers.get("X-API-KEY")
        if not named or named[1] in ("create", "json", "prune") or key != relay.user_key():
            return
        if named[2] == "/connect":
            raise Refusal(500, "Unable to proxy the request via the Docker socket", "Error response from daemon: network connect not found")
        if self.command == "GET" and named[2] in (None, "/json"):  # asked for, and looked at
            status, answer = ask_docker(relay.socket, path)
            if status == 200 and relay.owners.get(json.loads(answer)["Id"]) != key:
                raise Refusal(403, "Forbidden", "access denied to resource")
        elif relay.owners.get(named[1]) != key:
            raise Refusal(500, "Unable to proxy the request via the Docker socket", "Mime: no media type")

    def relay_to_docker(self, relay, environment, path):
        if self.headers.get("Upgrade"):
            return self.stay_silent(path)
        self.check_owner(relay, path)
        docker = UnixConnection(environment["URL"].removeprefix("unix://"))
        try:
            headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP | OF_PORTAINER}
            body = self.body if self.body or self.command in ("POST", "PUT") else None
            try:
                docker.request(self.command, path, body=body, headers=headers)
                got = docker.getresponse()
            except (OSError, http.client.HTTPException) as failure:
                raise Refusal(500, "Unable to proxy the request via the Docker socket", str(failure)) from None
            self.pass_answer(got, path.split("?")[0])
        finally:
            docker.close()

    def pass_answer(self, got, path):
        if got.status == 201 and path.endswith(("/containers/create", "/networks/create")):
            made = {**json.loads(got.read()), "Portainer": {"ResourceControl": {"Id": 1, "Type": 1, "Public": False}}}
            self.server.relay.owners[made["Id"]] = self.headers.get("X-API-KEY")
            return self.send_body(200, json.dumps(made).encode(), "application/json")
        self.send_response(got.status)
        for name, value in got.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        if self.command == "HEAD" or got.status in (204, 304):
            return self.end_headers()
        if not got.getheader("Content-Type"):
            self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self._headers_buffer.append(b"\r\n")
        return self.copy_pieces(got)

    def copy_pieces(self, got):
        """By its source, Portainer flushes nothing of what comes from a socket: head and body go out by so many bytes, and at the end."""
        held = b""
        while piece := got.read1(65536):
            held += piece
            if len(held) >= HELD_BYTES:
                self.send_piece(held)
                held = b""
        if held:
            self.send_piece(held)
        self.send_piece(b"")

    def send_piece(self, piece):
        self.flush_headers()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.flush()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def process_request(self, request, client_address):
        self.relay.connections.append(request)
        super().process_request(request, client_address)

    def handle_error(self, request, client_address):
        pass  # a client that went away


class Relay:
    name = "portainer"

    def __init__(self, docker_socket, folder, username="admin", password="osdear-admin-password", tls=None):
        self.socket, self.folder, self.username, self.password = docker_socket, folder, username, password
        self.instance = secrets.token_hex(16)
        self.tokens, self.logins, self.requests, self.lose_answers = set(), 0, [], 0
        self.keys = {"ptr_osdear-tests=": 1, "ptr_osdear-user=": 2}
        self.owners = {}  # which key made a container or a network, by its id
        self.environments, self.stacks = {}, {}
        self.stack_numbers = iter(range(1, 1 << 30))
        self.leaves_orphans = False  # as a `compose down` without that word would: nothing promises it for good
        self.composing = threading.Lock()
        self.stopped = threading.Event()
        self.add_environment("local", f"unix://{docker_socket}")
        self.tls = tls
        self.serve(0)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.server_address[1]}"
        self.address = f"portainer+{self.url}/local"
        self.settings = {"portainer_api_key": "ptr_osdear-tests="}

    def serve(self, port):
        self.connections = []
        self.server = Server(("127.0.0.1", port), Handler)
        self.server.relay = self
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def go_away(self, seconds):
        """It dies, and is back after a while; the dockerd goes on."""
        port = self.server.server_address[1]
        self.server.shutdown()
        self.server.server_close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        time.sleep(seconds)
        self.serve(port)

    def add_environment(self, name, url):
        number = max(self.environments, default=0) + 1
        self.environments[number] = {"Id": number, "Name": name, "Type": 1, "ContainerEngine": "docker", "URL": url, "PublicURL": "", "GroupId": 1,
                                     "Status": 1, "TLSConfig": {"TLS": False, "TLSSkipVerify": False}, "Snapshots": []}
        return self.environments[number]

    def environment(self, number):
        if not str(number).isdigit() or int(number) not in self.environments:
            raise Refusal(404, "Unable to find an environment with the specified identifier inside the database", "Object not found inside the database")
        return self.environments[int(number)]

    def stack(self, number):
        if int(number) not in self.stacks:
            raise Refusal(404, "Unable to find a stack with the specified identifier inside the database", "Object not found inside the database")
        return self.stacks[int(number)]

    def user_key(self):
        """Of one who is no administrator."""
        return "ptr_osdear-user="

    def forget_tokens(self):
        """As after eight hours."""
        self.tokens.clear()

    def stop(self, *_):
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()
