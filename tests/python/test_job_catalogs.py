"""What only Airbyte and Dremio have: attaching to what goes on, tokens that end, rows, and what is made once by its name."""
import datetime
import decimal
import time

import pytest
from airbyte_service import Airbyte
from dremio_service import Dremio

import osdear
from osdear import JobState


@pytest.fixture
def airbyte():
    service = Airbyte()
    yield service
    service.stop()


@pytest.fixture
def dremio():
    service = Dremio()
    yield service
    service.stop()


@pytest.fixture
def open_runner(tmp_path):
    def open_runner(service, **settings):
        return osdear.Runner(service.address(), {**service.settings, **settings}, state_folder=str(tmp_path / "state"))

    return open_runner


# ---- Airbyte ----


def test_a_sync_that_runs_already_is_taken_up(airbyte, open_runner):
    with open_runner(airbyte) as runner:
        first = runner.submit(airbyte.spec("hang"))
        again = runner.submit(airbyte.spec("hang"))
        assert (first.was_found, again.was_found) == (False, True)
        assert again.id == first.id
        assert len(airbyte.jobs) == 1
        with pytest.raises(osdear.ConflictError, match="already running"):
            runner.submit({**airbyte.spec("hang"), "attach": False})
        with pytest.raises(osdear.ConflictError, match="is a sync, and goes on"):
            runner.submit({**airbyte.spec("hang"), "type": "reset"})
        assert len(runner.jobs()) == 2
        assert first.cancel() is JobState.CANCELLED
        assert runner.submit({**airbyte.spec("hang"), "type": "reset"}).was_found is False


def test_an_attempt_that_failed_is_no_end(airbyte, open_runner):
    with open_runner(airbyte) as runner:
        job = runner.submit(airbyte.spec("fail"))
        seen = set()
        while not job.poll().is_final:
            seen.add((job.state, job.native_state))
        assert (JobState.RUNNING, "incomplete") in seen
        assert job.state is JobState.FAILED
        attempts = job.result()["attempts"]
        assert len(attempts) == 2
        assert attempts[0]["failures"][0] == {"failureOrigin": "source", "failureType": "config_error",
                                              "externalMessage": "The password is wrong"}
        assert b"".join(job.logs()).decode().splitlines() == ["hello", "from the source", "INFO hello again"]
        assert b"".join(job.logs("1")) == b"INFO hello again\n"
        assert job.result()["rowsSynced"] == 3


def test_tokens_are_renewed_before_they_end_and_when_they_are_refused(airbyte, open_runner):
    airbyte.life_s = 3
    with open_runner(airbyte) as runner:
        job = runner.submit(airbyte.spec("hang"))
        assert airbyte.logins == 1
        time.sleep(2.1)
        job.poll()
        assert airbyte.logins == 2
        assert not any(answer == 401 for answer in airbyte.broken)
        time.sleep(1.1)
        airbyte.tokens.clear()
        job.poll()
        assert airbyte.logins == 3
    with open_runner(airbyte, client_secret="wrong") as runner, pytest.raises(osdear.DeniedError, match="Invalid client") as caught:
        runner.attach(job.id).poll()
    assert caught.value.http_status == 401
    assert "wrong" not in str(caught.value)


def test_an_airbyte_without_authentication_gets_no_header(airbyte, open_runner, tmp_path):
    airbyte.tokens[""] = float("inf")
    with osdear.Runner(airbyte.address(), state_folder=str(tmp_path)) as runner:
        assert runner.submit(airbyte.spec("succeed")).wait(30) is JobState.SUCCEEDED
    assert not any("Authorization" in headers for _, _, _, headers in airbyte.requests)


def test_names_are_told_apart(airbyte, open_runner):
    twin = airbyte.add("connection", {"name": "hang"})
    with open_runner(airbyte) as runner:
        with pytest.raises(osdear.ConflictError, match="more than one connection"):
            runner.submit(airbyte.spec("hang"))
        assert runner.submit({"connection": twin}).poll() is JobState.PENDING
        with pytest.raises(osdear.NotFoundError, match='no connection "nope"'):
            runner.submit({"connection": "nope"})
        assert len(runner.jobs()) == 1


def test_sources_destinations_and_connections_are_made_once(airbyte, open_runner):
    configuration = {"sourceType": "postgres", "host": "h", "password": "geheim"}
    with open_runner(airbyte) as runner:
        source = runner.call("source", {"name": "shop", "configuration": configuration})
        assert source["was_made"] is True
        again = runner.call("source", {"name": "shop", "configuration": configuration})
        assert again == {"sourceId": source["sourceId"], "was_made": False}
        runner.call("source", {"name": "shop", "configuration": {**configuration, "host": "h2"}, "update": True})
        assert airbyte.things["source"][source["sourceId"]]["configuration"]["host"] == "h2"
        runner.call("destination", {"name": "lake", "configuration": {"destinationType": "s3"}})
        streams = [{"name": "users", "syncMode": "incremental_append"}]
        wanted = {"name": "shop to lake", "source": "shop", "destination": "lake", "streams": streams, "prefix": "shop_"}
        made = runner.call("connection", wanted)
        assert runner.call("connection", wanted) == {**made, "was_made": False}
        kept = airbyte.things["connection"][made["connectionId"]]
        assert (kept["sourceId"], kept["prefix"], kept["configurations"]) == (source["sourceId"], "shop_", {"streams": streams})
        assert runner.call("check", {"source": "shop"}) == {"status": "succeeded", "message": None}
        assert runner.call("discover", {"source": "shop"})[0]["streamName"] == "users"
        with pytest.raises(osdear.ArgumentError, match="just one of"):
            runner.call("check", {})
        with pytest.raises(osdear.NotFoundError, match="without a"):
            runner.call("source", {"name": "other"})


# ---- Dremio ----


def test_a_wrong_password_and_a_server_that_starts_are_told_apart(dremio, open_runner):
    with open_runner(dremio, password="wrong") as runner, pytest.raises(osdear.DeniedError, match="Invalid username") as caught:
        runner.submit(dremio.spec("succeed"))
    assert caught.value.http_status == 401
    dremio.starting = True
    with open_runner(dremio) as runner:
        with pytest.raises(osdear.UnavailableError) as caught:
            runner.submit(dremio.spec("succeed"))
        assert caught.value.http_status == 503
        dremio.starting = False
        job = runner.submit(dremio.spec("hang"))
        time.sleep(1.1)
        dremio.tokens.clear()
        assert job.poll() in (JobState.PENDING, JobState.RUNNING)
        assert dremio.logins == 2


def test_what_a_service_repeats_of_a_secret_is_not_told(dremio, open_runner):
    """Neither in errors, from words or from a first line, nor by a job's message."""
    dremio.log_in = lambda given: (401, {"errorMessage": f"ann has no password {given['password']}\x1b[31m\nor so"})
    with open_runner(dremio, password="geheimnis") as runner, pytest.raises(osdear.DeniedError, match=r"ann has no password \*{9}") as caught:
        runner.submit(dremio.spec("succeed"))
    assert "\x1b" not in str(caught.value)
    dremio.log_in = lambda given: (400, f"?{given['password']}")
    with open_runner(dremio, password="geheimnis") as runner, pytest.raises(osdear.ArgumentError, match=r"\?\*{9}"):
        runner.submit(dremio.spec("succeed"))
    del dremio.log_in
    with open_runner(dremio) as runner:
        job = runner.submit(dremio.spec("hang"))
        dremio.job = lambda method, id, rest, query: (200, {"jobState": "FAILED\x1b", "errorMessage": "\x1b]0;the secret was wrong\x07"})
        assert job.poll() is not JobState.SUCCEEDED
        assert (job.native_state, job.message) == ("FAILED ", " ]0;the ****** was wrong ")


def test_rows_come_typed_page_by_page(dremio, open_runner):
    pyarrow = pytest.importorskip("pyarrow")
    with open_runner(dremio) as runner:
        job = runner.submit(dremio.spec("many"))
        job.wait(30)
        table = pyarrow.table(job.rows())
        assert table.num_rows == 1203
        assert len(b"".join(job.logs()).splitlines()) == 1203
        last = table.slice(1202).to_pylist()[0]
        moment = datetime.datetime(2024, 5, 1, 1, 2, 3, 500000)
        assert last == {"b": True, "i": 1202, "l": 1202 + 2**60, "d": 300.5, "n": decimal.Decimal("1202.25"), "s": "row 1202", "x": b"\0\1\2",
                        "day": moment.date(), "t": moment.time(), "at": moment, "many": [1202, 1, None], "place": {"x": 0.5, "tags": ["a", "b"]},
                        "map": '{"k":1}', "none": None}
        assert table.slice(1201, 1).column("place").to_pylist() == [None]
        assert table.schema.field("n").type == pyarrow.decimal128(20, 2)
        hanging = runner.submit(dremio.spec("hang"))
        with pytest.raises(osdear.StateError, match="once it has succeeded"):
            hanging.rows()
    pages = [path for _, path, _, _ in dremio.requests if "/results" in path]
    assert all("limit=500" in path for path in pages)


def test_rows_that_contradict_their_schema_are_refused_by_column(dremio, open_runner):
    pyarrow = pytest.importorskip("pyarrow")
    with open_runner(dremio) as runner:
        job = runner.submit(dremio.spec("many"))
        job.wait(30)
        dremio.results = lambda job, offset, limit: (200, {"rowCount": 1, "schema": [{"name": "n", "type": {"name": "INTEGER"}}],
                                                           "rows": [{"n": "5000000000"}]})
        with pytest.raises(Exception, match='column "n"'):
            pyarrow.table(job.rows())
        dremio.results = lambda job, offset, limit: (200, {"rowCount": 1, "schema": [{"name": "n", "type": {"name": "INTEGER"}}], "rows": [[1]]})
        with pytest.raises(Exception, match="no object"):
            pyarrow.table(job.rows())
        for name, value in (("LIST", {"a": 1}), ("LIST", 7), ("STRUCT", [1]), ("LIST", ["x"])):
            dremio.results = lambda job, offset, limit, name=name, value=value: (200, {
                "rowCount": 1, "rows": [{"c": value}],
                "schema": [{"name": "c", "type": {"name": name, "subSchema": [{"name": "a", "type": {"name": "INTEGER"}}]}}]})
            with pytest.raises(Exception, match='column "(c|element)"'):
                pyarrow.table(job.rows())


def test_metadata_is_refreshed_by_a_job(dremio, open_runner):
    with open_runner(dremio) as runner:
        assert runner.submit({"refresh": ["lake", "silver", 'a"b']}).wait(30) is JobState.SUCCEEDED
        runner.submit({"refresh": ["lake", "silver", "t"], "force": True})
        with pytest.raises(osdear.ArgumentError):
            runner.submit({"refresh": ["t"], "sql": "SELECT 1"})
    assert dremio.refreshed == ['"lake"."silver"."a""b"', '"lake"."silver"."t" FORCE UPDATE']


def test_where_statements_cannot_be_looked_up_nothing_is_sent_twice(dremio, open_runner):
    dremio.has_job_table = False
    with open_runner(dremio) as runner:
        runner.submit(dremio.spec("succeed"))
        dremio.broken += ["lose"]
        with pytest.raises(osdear.UnavailableError):
            runner.submit(dremio.spec("succeed"), key="k")
        with pytest.raises(osdear.UnsupportedError, match="submitted before is not known"):
            runner.submit(dremio.spec("succeed"), key="k")
        assert len(dremio.jobs) == 2


def test_sources_spaces_views_and_tables_are_made_once(dremio, open_runner):
    config = {"credentialType": "ACCESS_KEY", "accessKey": "k", "accessSecret": "s", "compatibilityMode": True}
    with open_runner(dremio) as runner:
        lake = runner.call("source", {"name": "lake", "type": "S3", "config": config})
        assert lake["was_made"] is True
        assert runner.call("source", {"name": "lake", "type": "S3", "config": config}) == {**lake, "was_made": False}
        changed = runner.call("source", {"name": "lake", "type": "S3", "config": {**config, "secure": False}, "update": True})
        assert changed["tag"] != lake["tag"]
        with pytest.raises(osdear.ArgumentError, match="unreachable"):
            runner.call("source", {"name": "nowhere", "type": "S3", "config": {"unreachable": True}})
        runner.call("space", {"name": "gold"})
        runner.call("folder", {"path": ["gold", "2024"]})
        view = {"path": ["gold", "2024", "sales"], "sql": "SELECT 1", "context": ["gold"]}
        first = runner.call("view", view)
        second = runner.call("view", {**view, "sql": "SELECT 2"})
        assert (first["was_made"], second["was_made"], second["id"]) == (True, False, first["id"])
        assert dremio.catalog[first["id"]]["sql"] == "SELECT 2"
        table = runner.call("promote", {"path": ["lake", "silver"]})
        assert dremio.catalog[table["id"]]["format"] == {"type": "Delta"}
        assert runner.call("promote", {"path": ["lake", "silver"]})["was_made"] is False
