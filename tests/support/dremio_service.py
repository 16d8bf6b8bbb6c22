"""A small server that answers as Dremio does, mistakes included. Written from its sources' description: no Dremio can be installed where these
tests run."""
import json
import re
import time
import urllib.parse
import uuid

from services import Job, Service

OUTCOMES = {
    "succeed": ["STARTING", "RUNNING", "COMPLETED"],
    "slow": ["PLANNING", "RUNNING", "RUNNING", "COMPLETED"],
    "many": ["COMPLETED"],
    "few": ["COMPLETED"],
    "fail": ["PLANNING", "FAILED"],
    "hang": ["ENQUEUED", "RUNNING"],
    "strange": ["RUNNING", "CONTEMPLATING", "COMPLETED"],
}
FINAL = ("COMPLETED", "FAILED", "CANCELED", "INVALID_STATE")
MOST_ROWS = 500
SCHEMA = [("b", {"name": "BOOLEAN"}), ("i", {"name": "INTEGER"}), ("l", {"name": "BIGINT"}), ("d", {"name": "DOUBLE"}),
          ("n", {"name": "DECIMAL", "precision": 20, "scale": 2}), ("s", {"name": "VARCHAR"}), ("x", {"name": "VARBINARY"}),
          ("day", {"name": "DATE"}), ("t", {"name": "TIME"}), ("at", {"name": "TIMESTAMP"}),
          ("many", {"name": "LIST", "subSchema": [{"type": {"name": "INTEGER"}}]}),
          ("place", {"name": "STRUCT", "subSchema": [{"name": "x", "type": {"name": "DOUBLE"}},
                                                     {"name": "tags", "type": {"name": "LIST", "subSchema": [{"type": {"name": "VARCHAR"}}]}}]}),
          ("map", {"name": "MAP", "subSchema": []}), ("none", {"name": "VARCHAR"})]


def row(number):
    """Large numbers come as strings."""
    return {"b": number % 2 == 0, "i": number, "l": str(number + 2**60), "d": number / 4, "n": f"{number}.25", "s": f"row {number}", "x": "AAEC",
            "day": "2024-05-01", "t": "01:02:03.500", "at": "2024-05-01 01:02:03.500", "many": [number, 1, None],
            "place": {"x": 0.5, "tags": ["a", "b"]} if number % 2 == 0 else None, "map": {"k": 1}, "none": None}


class Dremio(Service):
    harmless = 0

    def __init__(self):
        super().__init__()
        self.settings = {"username": "ann", "password": "secret"}
        self.tokens, self.logins, self.starting, self.questions = set(), 0, False, {}
        self.refreshed, self.catalog, self.has_job_table = [], {}, True

    def address(self):
        return f"dremio+http://127.0.0.1:{self.port}"

    def spec(self, outcome):
        return {"name": outcome, "sql": f"SELECT '{outcome}'", "context": ["@ann"]}

    def refused_spec(self):
        return {"sql": "SELECT 'refused'"}

    def states(self, outcome):
        return OUTCOMES[outcome]

    @staticmethod
    def fail(status, message):
        return status, {"errorMessage": message, "moreInfo": ""}

    def answer(self, method, path, query, body, headers):
        given = json.loads(body) if body else {}
        if path == "/apiv2/server_status":
            return (503, "") if self.starting else (200, "OK")
        if path == "/apiv2/login":
            return self.log_in(given)
        if headers.get("Authorization", "").removeprefix("_dremio") not in self.tokens:
            return self.fail(401, "HTTP 401 Unauthorized")
        words = [urllib.parse.unquote(word) for word in path.split("/")[1:]]
        if words[:3] == ["api", "v3", "sql"]:
            return self.sql(given)
        if words[:3] == ["api", "v3", "job"]:
            return self.job(method, words[3], words[4:], query)
        if words[:3] == ["api", "v3", "catalog"]:
            return self.entity(method, words[3:], given)
        return self.fail(404, "HTTP 404 Not Found")

    def log_in(self, given):
        if self.starting:
            return 503, "<html>Service Unavailable</html>"
        if (given["userName"], given["password"]) != ("ann", "secret"):
            return self.fail(401, "Login failed: Invalid username or password")
        self.logins += 1
        self.tokens.add(f"t{self.logins}")
        return 200, {"token": f"t{self.logins}", "userName": "ann", "expires": int((time.time() + 108000) * 1000), "admin": True}

    # ---- statements ----

    def sql(self, given):
        sql = given["sql"]
        id = str(uuid.uuid4())
        found = re.search(r"sys\.jobs_recent WHERE query LIKE '%(\w+)' \|\| '(:[\w-]+)%'", sql)
        if found:
            rows = [{"job_id": other} for other, job in self.jobs.items() if found[1] + found[2] in job.body["sql"]]
            self.questions[id] = Job("question", ["RUNNING", "COMPLETED" if self.has_job_table else "FAILED"], {"rows": rows})
            return 200, {"id": id}
        if "'refused'" in sql:
            return self.fail(400, "Invalid context")
        refresh = re.search(r"ALTER TABLE (.*) REFRESH METADATA( FORCE UPDATE)?$", sql)
        if refresh:
            self.refreshed.append(refresh[1] + (refresh[2] or ""))
        named = re.search(r"SELECT '(\w+)'", sql)
        outcome = named[1] if named else "succeed" if refresh else "few"
        self.jobs[id] = Job(outcome, self.states(outcome), given)
        return 200, {"id": id}

    def job(self, method, id, rest, query):
        job = self.jobs.get(id) or self.questions.get(id)
        if not job:
            return self.fail(404, f"Could not find a job with id [{id}]")
        if rest == ["results"]:
            return self.results(job, int(query.get("offset", 0)), int(query.get("limit", 100)))
        if rest == ["cancel"]:
            if job.peek() in FINAL:
                return self.fail(400, "The job may have already completed")
            job.final = "CANCELED"
            return 200, ""
        state = job.state()
        answer = {"jobState": state, "rowCount": 1, "errorMessage": "", "queryType": "REST", "startedAt": "2026-01-01T00:00:00Z"}
        if state == "FAILED":
            answer["errorMessage"] = "Object 'nowhere' not found" if job.name != "question" else "Object 'jobs_recent' not found"
        return 200, answer

    def results(self, job, offset, limit):
        if limit > MOST_ROWS:
            return self.fail(400, f"limit can not exceed {MOST_ROWS} rows")
        if job.peek() != "COMPLETED":
            return self.fail(400, f"Can not fetch details for a job that is in [{job.peek()}] state.")
        schema, rows = [("greeting", {"name": "VARCHAR"})], [{"greeting": "hello"}]
        if job.name in ("few", "many"):
            schema, rows = SCHEMA, [row(i) for i in range(3 if job.name == "few" else 1203)]
        if job.name == "question":
            schema, rows = [("job_id", {"name": "VARCHAR"})], job.body["rows"]
        return 200, {"rowCount": len(rows), "schema": [{"name": name, "type": type} for name, type in schema],
                     "rows": rows[offset:offset + limit]}

    # ---- the catalog ----

    def entity(self, method, words, given):
        if words[:1] == ["by-path"]:
            found = [each for each in self.catalog.values() if each["path"] == words[1:]]
            return (200, found[0]) if found else self.fail(404, f"Could not find entity with path [{words[1:]}]")
        if method == "POST" and words:  # a folder becomes a table
            if words[0] != "dremio:/" + "/".join(given["path"]):
                return self.fail(400, "The id is not that of the path")
            return 200, self.keep({**given, "id": str(uuid.uuid4())})
        if method == "POST":
            path = given.get("path") or [given["name"]]
            if any(each["path"] == path for each in self.catalog.values()):
                return self.fail(409, f"An object with path {path} already exists")
            if given.get("config", {}).get("unreachable"):
                return self.fail(400, "There was an issue creating the source: unreachable")
            return 200, self.keep({**given, "path": path, "id": str(uuid.uuid4())})
        old = self.catalog.get(words[0])
        if not old:
            return self.fail(404, "Could not find entity")
        if given.get("tag") != old["tag"]:
            return self.fail(409, "Tag mismatch")
        return 200, self.keep({**given, "path": old["path"]})

    def keep(self, entity):
        entity["tag"] = str(uuid.uuid4())
        self.catalog[entity["id"]] = entity
        return entity
