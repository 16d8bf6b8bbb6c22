"""A small server that answers as Airbyte does, its public and its config API, mistakes included. Written from the APIs' published descriptions:
no Airbyte can be installed where these tests run."""
import itertools
import json
import time
import urllib.parse
import uuid

from services import Job, Service

MOST_ITEMS = 10  # of a page, whatever was asked for
FINAL = ("succeeded", "failed", "cancelled")
OUTCOMES = {
    "succeed": ["pending", "running", "succeeded"],
    "slow": ["pending", "running", "running", "succeeded"],
    "fail": ["pending", "running", "incomplete", "running", "failed"],
    "hang": ["pending", "running"],
    "strange": ["running", "contemplating", "incomplete", "running", "succeeded"],
}
PUBLIC, CONFIG = "/api/public/v1", "/api/v1"


def problem(status, title, detail):
    """After RFC 9457."""
    return status, {"type": f"https://reference.airbyte.com/reference/errors#{title}", "title": title, "status": status, "detail": detail}


def exception(status, message):
    """As the config API fails."""
    return status, {"message": message, "exceptionClassName": "io.airbyte.commons.server.errors.KnownException",
                    "exceptionStack": ["at x", "at y"], "errorId": None}


class Airbyte(Service):
    harmless = 4  # three pages of connections, and the newest job

    def __init__(self):
        super().__init__()
        self.settings = {"client_id": "id", "client_secret": "secret"}
        self.life_s, self.tokens, self.logins = 900, {}, 0
        self.workspace = str(uuid.uuid4())
        self.numbers = itertools.count(7)
        self.things = {"source": {}, "destination": {}, "connection": {}}
        names = [f"other {i}" for i in range(8)] + list(OUTCOMES) + [f"another {i}" for i in range(4)]
        for name in names:
            self.add("connection", {"name": name})
        self.states_of = {}
        self.check_answer = {"status": "succeeded", "message": None, "jobInfo": {"succeeded": True, "logs": {"logLines": ["x"]}}}

    def add(self, kind, thing):
        id = str(uuid.uuid4())
        self.things[kind][id] = {**thing, f"{kind}Id": id, "workspaceId": self.workspace}
        return id

    def address(self):
        return f"airbyte+http://127.0.0.1:{self.port}"

    def spec(self, outcome):
        return {"name": outcome, "connection": outcome}

    def refused_spec(self):
        return {"connection": "nope"}

    def states(self, outcome):
        return OUTCOMES.get(outcome, OUTCOMES["succeed"])

    def answer(self, method, path, query, body, headers):
        if path == f"{PUBLIC}/health":
            return 200, "Successful operation"
        if body and "application/json" not in headers.get("Content-Type", ""):
            return 401, ""  # it does not even look at it
        given = json.loads(body) if body else {}
        if path == f"{PUBLIC}/applications/token":
            return self.log_in(given)
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0) < time.monotonic():
            return problem(401, "unauthorized", "The token has expired") if path.startswith(PUBLIC) else exception(401, "Unauthorized")
        if path.startswith(PUBLIC):
            return self.public(method, path[len(PUBLIC) + 1:].split("/"), query, given)
        if path.startswith(CONFIG) and method == "POST":
            return self.config(path[len(CONFIG):], given)
        return exception(404, "Object not found.")

    def log_in(self, given):
        if given.get("grant_type") != "client_credentials" or given.get("grant-type") != "client_credentials":
            return problem(400, "bad-request", "grant_type: must not be null")
        if (given["client_id"], given["client_secret"]) != ("id", "secret"):
            return problem(401, "unauthorized", "Invalid client credentials")
        self.logins += 1
        self.tokens[f"t{self.logins}"] = time.monotonic() + self.life_s
        return 200, {"access_token": f"t{self.logins}", "token_type": "Bearer", "expires_in": self.life_s}

    # ---- the public API ----

    def public(self, method, words, query, given):
        kind = words[0].removesuffix("s")
        if words == ["workspaces"]:
            return 200, self.page([{"workspaceId": self.workspace, "name": "home", "dataResidency": "auto"}], query)
        if kind == "job":
            return self.public_jobs(method, words[1:], query, given)
        if kind == "stream":
            if query["sourceId"] not in self.things["source"]:
                return problem(404, "resource-not-found", "Could not find the source")
            return 200, [{"streamName": "users", "syncModes": ["full_refresh_append"], "propertyFields": [["id"], ["name"]]}]
        if kind not in self.things:
            return problem(404, "resource-not-found", "No such path")
        if len(words) == 1:
            return (200, self.page(list(self.things[kind].values()), query)) if method == "GET" else self.create(kind, given)
        thing = self.things[kind].get(words[1])
        if not thing:
            return problem(404, "resource-not-found", f"Could not find the {kind}")
        if method == "PATCH":
            thing.update(given)
        return 200, self.shown(thing)

    def create(self, kind, given):
        wanted = ("sourceId", "destinationId") if kind == "connection" else ("name", "workspaceId", "configuration")
        missing = [name for name in wanted if name not in given]
        if missing:
            return problem(422, "unprocessable-entity", f"{missing[0]}: must not be null")
        return 200, self.shown(self.things[kind][self.add(kind, given)])

    @staticmethod
    def shown(thing):
        """Secrets come back masked."""
        configuration = {k: "**********" if k == "password" else v for k, v in thing.get("configuration", {}).items()}
        return {**thing, "configuration": configuration}

    def page(self, items, query):
        start, limit = int(query.get("offset", 0)), min(int(query.get("limit", 20)), MOST_ITEMS)
        return {"data": [self.shown(item) for item in items[start:start + limit]], "next": "", "previous": ""}

    def public_jobs(self, method, words, query, given):
        if not words and method == "POST":
            return self.trigger(given)
        if not words:
            jobs = [self.job(id, job.peek()) for id, job in self.jobs.items() if job.body["connectionId"] == query["connectionId"]]
            if urllib.parse.unquote(query.get("orderBy", "")) == "createdAt|DESC":
                jobs.reverse()
            return 200, {"data": jobs[:min(int(query.get("limit", 20)), 100)], "next": "", "previous": ""}
        job = self.jobs.get(words[0])
        if not job:
            return problem(404, "resource-not-found", f"Could not find a resource for: {words[0]}")
        if method == "DELETE":
            if job.peek() in FINAL:
                return problem(409, "state-conflict", "The job is already in a final state")
            job.final = "cancelled"
        return 200, self.job(words[0], job.state())

    def trigger(self, given):
        connection = self.things["connection"].get(given["connectionId"])
        if not connection:
            return problem(404, "resource-not-found", "Could not find the connection")
        if any(job.body["connectionId"] == given["connectionId"] and job.peek() not in FINAL for job in self.jobs.values()):
            return problem(409, "try-again-later", f"A sync is already running for: {given['connectionId']}")
        id = str(next(self.numbers))
        self.jobs[id] = Job(connection["name"], self.states(connection["name"]), given)
        return 200, self.job(id, self.jobs[id].peek())

    def job(self, id, state):
        body = self.jobs[id].body
        return {"jobId": int(id), "status": state, "jobType": body["jobType"], "startTime": "2026-01-01T00:00:00Z",
                "connectionId": body["connectionId"], "lastUpdatedAt": "2026-01-01T00:00:05Z", "duration": "PT5S", "bytesSynced": 12,
                "rowsSynced": 3}

    # ---- the config API ----

    def config(self, path, given):
        if path in ("/sources/check_connection", "/destinations/check_connection"):
            kind = path.split("/")[1].removesuffix("s")
            known = given[f"{kind}Id"] in self.things[kind]
            return (200, self.check_answer) if known else exception(404, f"Could not find configuration for {kind.upper()}")
        if path in ("/state/get", "/state/create_or_update_safe"):
            return self.state(path, given)
        job = self.jobs.get(str(given.get("id", given.get("jobId"))))
        if not job:
            return exception(404, "Could not find job")
        failures = [{"failureOrigin": "source", "failureType": "config_error", "externalMessage": "The password is wrong",
                     "internalMessage": "x", "retryable": True}]
        attempts = job.states[:max(job.asked, 1)].count("incomplete") + 1
        if path == "/jobs/get":
            return 200, {"job": {"id": given["id"], "status": job.peek()}, "attempts": [
                {"attempt": {"id": i, "status": "failed" if i < attempts - 1 else "running", "bytesSynced": 12, "recordsSynced": 3,
                             "failureSummary": {"failures": failures if job.name == "fail" else []}}} for i in range(attempts)]}
        if path == "/attempt/get_for_job":
            if given["attemptNumber"] % 2:
                return 200, {"logType": "structured", "logs": {"events": [{"timestamp": 1, "level": "INFO", "message": "hello again"}]}}
            return 200, {"logType": "formatted", "logs": {"logLines": ["hello", "from the source"]}}
        return exception(404, "Object not found.")

    def state(self, path, given):
        id = given["connectionId"]
        if id not in self.things["connection"]:
            return exception(404, "Could not find connection")
        if path != "/state/get":
            if any(job.body["connectionId"] == id and job.peek() not in FINAL for job in self.jobs.values()):
                return exception(423, "State update for connection is locked: a sync is running")
            self.states_of[id] = given["connectionState"]
        return 200, {**self.states_of.get(id, {"stateType": "not_set"}), "connectionId": id}
