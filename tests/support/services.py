"""Small servers that answer as services do that run jobs, mistakes included: what they are asked and say is that of the services' own
servers, as they were heard. Each keeps its jobs in `jobs`, and can be made to fail."""
import base64
import hmac
import http.server
import itertools
import json
import sys
import threading
import time
import urllib.parse

HANG = 10**9  # a job that never ends by itself


class Job:
    """States by the number of times it was asked for."""

    def __init__(self, name, states, body):
        self.name, self.states, self.body = name, list(states), body
        self.asked = 0
        self.final = None  # set by cancelling

    def state(self):
        self.asked += 1
        return self.peek()

    def peek(self):
        """The same, without having asked."""
        return self.final or self.states[min(max(self.asked, 1), len(self.states)) - 1]


class Service:
    """An HTTP server on a free port. `broken` holds what is to befall the next requests, in order:
    "drop": no answer; "lose": done, but no answer; an int: that status, with a proxy's page; "torn": half of the answer."""

    def __init__(self):
        self.jobs, self.requests, self.broken = {}, [], []
        self.numbers = itertools.count()
        self.lock = threading.Lock()
        self.port = 0
        self.start()

    def started(self):
        """How many jobs there ever were."""
        return len(self.jobs)

    def parts(self):
        return {"the server": (self.stop, self.start, ["SUCCEEDED"])}

    def start(self):
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16  # an answer in one piece: else its second part waits for the caller's acknowledgement

            def log_message(self, *words):
                pass

            def do_GET(self):
                with service.lock:
                    service.serve(self)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        self.is_up = True
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda request, address: None  # callers that go away are no news
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.is_up = False  # connections that are kept end, too
        self.server.shutdown()
        self.server.server_close()

    def serve(self, handler):
        size = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(size)
        self.requests.append((handler.command, handler.path, body.decode(), dict(handler.headers)))
        trouble = self.broken.pop(0) if self.broken else None
        if trouble == "drop" or not self.is_up:
            handler.close_connection = True
            return
        if isinstance(trouble, int):
            self.send(handler, trouble, b"<html>Bad gateway</html>", "text/html")
            return
        path, _, query = handler.path.partition("?")
        status, answer = self.answer(handler.command, path, dict(urllib.parse.parse_qsl(query)), body, handler.headers)
        if trouble == "lose":
            handler.close_connection = True
            return
        kind = "text/plain" if isinstance(answer, str) else "application/json"
        text = answer.encode() if isinstance(answer, str) else json.dumps(answer, indent=2).encode()
        self.send(handler, status, text[: len(text) // 2] if trouble == "torn" else text, kind)

    @staticmethod
    def send(handler, status, body, kind):
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


class Spark(Service):
    """A master's REST server, its page, and a worker's page."""

    scheme, state_words = "spark", {"pending": "SUBMITTED", "running": "RUNNING", "succeed": "FINISHED", "fail": "FAILED"}

    def __init__(self):
        super().__init__()
        self.standby, self.jws_key = False, None
        self.settings = {"web": f"http://127.0.0.1:{self.port}"}

    def address(self):
        return f"spark+http://127.0.0.1:{self.port}"

    def spec(self, outcome):
        return {"name": outcome, "jar": "/app.jar", "class": "Main", "args": ["x"]}

    def refused_spec(self):
        return {**self.spec("succeed"), "properties": {"spark.refuse": "x"}}

    harmless = 1  # requests of a submission before the one that counts

    def states(self, outcome):
        if outcome == "hang":
            return ["SUBMITTED", "RUNNING"]
        if outcome == "strange":
            return ["RUNNING", "CONTEMPLATING", "UNKNOWN", "RELAUNCHING", "FINISHED"]
        return ["SUBMITTED", "RUNNING", self.state_words.get(outcome, "FINISHED")]

    def answer(self, method, path, query, body, headers):
        if path == "/json/":
            drivers = [{"id": id, "submitdate": int(time.time() * 1000), "state": job.state(), "cores": 1, "memory": 1024, "worker": "w1"}
                       for id, job in self.jobs.items()]
            worker = {"id": "w1", "webuiaddress": f"http://127.0.0.1:{self.port}", "cores": 2, "memory": 2048, "state": "ALIVE"}
            return 200, {"workers": [worker], "activedrivers": drivers, "completeddrivers": [], "activeapps": [], "completedapps": []}
        if path == "/log/":
            return 200, self.log(query)
        if path.startswith("/v1/submissions/"):
            if self.jws_key and not self.is_signed(headers.get("Authorization")):
                return 403, "<html>JWT Validate Fail</html>"
            return self.submissions(path.split("/")[3:], body)
        return 468, {"action": "ErrorResponse", "message": "Unknown protocol version"}

    def is_signed(self, given):
        head, claims, signature = (base64.urlsafe_b64decode(part + "==") for part in (given or "x ..").split(" ")[1].split("."))
        signed = given.split(" ")[1].rpartition(".")[0].encode() if given else b""
        wanted = hmac.digest(base64.urlsafe_b64decode(self.jws_key + "=="), signed, "sha256")
        return signature == wanted and json.loads(head) == {"alg": "HS256"} and json.loads(claims)["exp"] > time.time()

    def log(self, query):
        job = self.jobs[query["driverId"]]
        mark = job.body["sparkProperties"]["spark.osdear.submission"]
        text = "hello\n" if query["logType"] == "stdout" else f'Launch Command: "java" "-Dspark.osdear.submission={mark}"\n'
        start = min(int(query["offset"]), len(text))
        end = min(start + int(query["byteLength"]), len(text))
        return f"==== Bytes {start}-{end} of {len(text)} of /srv/{query['driverId']}/stdout ====\n{text[start:end]}"

    def submissions(self, words, body):
        if self.standby:
            return 200, {"action": "SubmissionStatusResponse", "success": False, "message": "Current state is not alive: STANDBY. Can only..."}
        if words == ["create"]:
            spec = json.loads(body)
            if "spark.refuse" in spec["sparkProperties"]:
                return 400, {"action": "ErrorResponse", "message": "Malformed request: SubmitRestProtocolException: no\n\tat x\n\tat y"}
            id = f"driver-20260101000000-{next(self.numbers):04d}"
            name = spec["sparkProperties"]["spark.app.name"]
            self.jobs[id] = Job(name, self.states(name), spec)
            return 200, {"action": "CreateSubmissionResponse", "submissionId": id, "success": True}
        job = self.jobs.get(words[1])
        if words[0] == "status":
            if not job:
                return 200, {"action": "SubmissionStatusResponse", "submissionId": words[1], "success": False}
            return 200, {"action": "SubmissionStatusResponse", "driverState": job.state(), "submissionId": words[1], "success": True}
        if job and job.state() in ("SUBMITTED", "RUNNING"):
            job.final = "KILLED"
            return 200, {"action": "KillSubmissionResponse", "message": f"Kill request for {words[1]} submitted", "success": True}
        return 200, {"action": "KillSubmissionResponse", "message": "Driver ID has already finished or does not exist", "success": False}


class Airflow(Service):
    """Airflow 3's API server, with its simple auth manager."""

    version = 2

    def __init__(self):
        super().__init__()
        self.settings = {"username": "admin", "password": "secret"}
        self.tokens, self.logins, self.paused, self.notes = set(), 0, True, {}
        self.task_count = 1

    def address(self):
        return f"airflow+http://127.0.0.1:{self.port}"

    def spec(self, outcome):
        return {"name": outcome, "dag": outcome, "conf": {"n": 1}}

    def refused_spec(self):
        return {"dag": "nope"}

    harmless = 0

    def states(self, outcome):
        if outcome == "hang":
            return ["queued", "running"]
        if outcome == "strange":
            return ["running", "contemplating", "success"]
        return ["queued", "running", "failed" if outcome == "fail" else "success"]

    def detail(self, text):
        return {"detail": text}

    def refusal(self, headers):
        given = headers.get("Authorization")
        if not given:
            return 401, self.detail("Not authenticated")
        return None if given.removeprefix("Bearer ") in self.tokens else (403, self.detail("Invalid JWT token"))

    def answer(self, method, path, query, body, headers):
        words = [urllib.parse.unquote(word) for word in path.split("/")[1:]]
        if path == "/auth/token" and self.version == 2:
            given = json.loads(body)
            if given != {"username": "admin", "password": "secret"}:
                return 401, self.detail("Invalid credentials")
            self.logins += 1
            self.tokens.add(f"t{self.logins}")
            return 201, {"access_token": f"t{self.logins}"}
        if words[:2] != ["api", f"v{self.version}"]:
            return 404, self.detail("Not Found")
        if words[2:] == ["version"]:
            return 200, {"version": "3.3.2" if self.version == 2 else "2.10.5"}
        self.query = query
        return self.refusal(headers) or self.dag(method, words[3:], json.loads(body) if body else {})

    def run(self, id):
        job = self.jobs[id]
        return {"dag_run_id": id[1], "dag_id": id[0], "state": job.state(), "note": self.notes.get(id)}

    def dag(self, method, words, body):
        dag = words[0]
        if dag not in ("succeed", "slow", "fail", "hang", "strange", "silver"):
            return 404, self.detail(f"The Dag with ID: `{dag}` was not found")
        if len(words) == 1 and method == "PATCH":
            self.paused = body["is_paused"]
            return 200, {"dag_id": dag, "is_paused": self.paused}
        if words[1] == "clearTaskInstances":
            if body.get("dry_run", True):
                return 200, {"task_instances": []}
            job = self.jobs[dag, body["dag_run_id"]]
            job.final, job.asked = None, 0
            return 200, {"task_instances": [{"task_id": "load"}]}
        if len(words) == 2:
            return self.trigger(dag, body)
        if (dag, words[2]) not in self.jobs:
            return 404, self.detail(f"The DagRun with dag_id: `{dag}` and run_id: `{words[2]}` was not found")
        return self.one_run(method, (dag, words[2]), words[3:], body)

    def trigger(self, dag, body):
        if self.version == 2 and "logical_date" not in body:
            return 422, {"detail": [{"type": "missing", "loc": ["body", "logical_date"], "msg": "Field required", "input": body}]}
        id = dag, body["dag_run_id"]
        if id in self.jobs:
            return 409, {"detail": {"reason": "Unique constraint violation", "statement": "hidden", "message": "Serious error"}}
        self.jobs[id] = Job(dag, self.states(dag), body)
        return 200, self.run(id)

    def one_run(self, method, id, rest, body):
        if rest[:1] == ["taskInstances"]:
            if len(rest) > 1:
                return self.log()
            state = "running" if self.jobs[id].states[-1] == "running" and not self.jobs[id].final else "success"
            tasks = [{"task_id": "load", "map_index": i - 1, "state": state, "try_number": 1, "start_date": "2026-01-01T00:00:00Z"}
                     for i in range(self.task_count)]
            start = int(self.query.get("offset", 0))
            return 200, {"task_instances": tasks[start:start + min(int(self.query["limit"]), 50)], "total_entries": len(tasks)}
        if rest == ["setNote"]:
            self.notes[id] = body["note"]
        elif method == "PATCH":
            self.jobs[id].final = body["state"]
            self.notes[id] = body.get("note", self.notes.get(id))
        return 200, self.run(id)

    def log(self):
        return 200, {"content": [{"timestamp": None, "event": "::group::"}, {"timestamp": "T", "event": "hello", "level": "info"}]}


class Airflow2(Airflow):
    """Airflow 2: Basic credentials, no tokens, problems by title."""

    version = 1

    def detail(self, text):
        return {"type": "about:blank", "title": text, "status": 0, "detail": None}

    def refusal(self, headers):
        return None if headers.get("Authorization") == "Basic YWRtaW46c2VjcmV0" else (401, self.detail("Unauthorized"))

    def log(self):
        return 200, "hello\n"


if __name__ == "__main__":  # services.py NAME [settings]: says its port, and its settings where they are asked for; ends with its standard input
    import airbyte_service
    import dremio_service

    _service = {**globals(), **vars(airbyte_service), **vars(dremio_service)}[sys.argv[1]]()
    print(_service.port, flush=True)
    if sys.argv[2:] == ["settings"]:
        print(json.dumps(_service.settings), flush=True)
    sys.stdin.read()
