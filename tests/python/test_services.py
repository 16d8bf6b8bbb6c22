"""The runners of single services, in their own words: what each call sends, plain and for asyncio."""
import asyncio
import inspect
import typing

import pytest
import services
from airbyte_service import Airbyte
from dremio_service import Dremio

import osdear
from osdear import JobState


@pytest.fixture
def service(request):
    service = request.param()
    yield service
    service.stop()


def of(*kinds):
    return pytest.mark.parametrize("service", kinds, indirect=True, ids=lambda kind: kind.__name__)


@pytest.fixture
def state(tmp_path):
    return str(tmp_path / "state")


def open_typed(service, state):
    return getattr(osdear, f"{type(service).__name__}Runner")(service.address(), service.settings, state_folder=state)


@of(Airbyte)
def test_airbyte_from_its_source_to_a_sync(service, state):
    with open_typed(service, state) as airbyte:
        source = airbyte.source("shop", {"sourceType": "postgres", "host": "db"})
        airbyte.destination("lake", {"destinationType": "s3"})
        assert airbyte.check(source="shop")["status"] == "succeeded"
        assert airbyte.discover("shop")[0]["streamName"] == "users"
        made = airbyte.connection("shop to lake", "shop", "lake", prefix="shop_", namespace_definition="destination")
        kept = service.things["connection"][made["connectionId"]]
        assert (kept["sourceId"], kept["prefix"], kept["namespaceDefinition"]) == (source["sourceId"], "shop_", "destination")
        assert airbyte.sync("shop to lake", key="k").wait(30) is JobState.SUCCEEDED
        assert airbyte.sync("shop to lake", type="reset").wait(30) is JobState.SUCCEEDED


@of(Airbyte)
def test_airbytes_state_is_read_and_set_while_nothing_runs(service, state):
    position = {"stateType": "stream", "streamState": [{"streamDescriptor": {"name": "users"}, "streamState": {"id": 7}}]}
    with open_typed(service, state) as airbyte:
        assert airbyte.state("succeed")["stateType"] == "not_set"
        airbyte.set_state("succeed", position)
        assert airbyte.state("succeed")["streamState"] == position["streamState"]
        with pytest.raises(osdear.ArgumentError, match='"state"'):
            airbyte.call("set_state", {"connection": "succeed"})
        job = airbyte.sync("hang")
        with pytest.raises(osdear.ConflictError, match="a sync is running") as caught:
            airbyte.set_state("hang", position)
        assert caught.value.http_status == 423
        job.cancel()
        airbyte.set_state("hang", position)


@of(services.Airflow, services.Airflow2)
def test_airflow_triggers_tells_its_tasks_clears_and_pauses(service, state):
    with osdear.AirflowRunner(service.address(), service.settings, state_folder=state) as airflow:
        job = airflow.trigger("silver", {"day": "2024-05-01"}, unpause=True, note="by hand", key="nightly")
        assert (job.id, job.wait(30)) == ("silver/nightly", JobState.SUCCEEDED)
        assert service.jobs["silver", "nightly"].body["conf"] == {"day": "2024-05-01"}
        assert airflow.tasks(job)[0]["task_id"] == "load"
        assert airflow.clear(job.id, tasks=["load"], only_failed=False).wait(30) is JobState.SUCCEEDED
        assert airflow.pause("silver")["is_paused"] is True
        assert airflow.unpause("silver")["is_paused"] is False


@of(services.Airflow, services.Airflow2)
def test_all_tasks_of_a_large_run_are_told(service, state):
    service.task_count = 120
    with osdear.AirflowRunner(service.address(), service.settings, state_folder=state) as airflow:
        job = airflow.trigger("silver")
        job.wait(30)
        assert [task["map_index"] for task in airflow.tasks(job)] == list(range(-1, 119))
        assert b"".join(job.logs()).count(b"hello") == 120


@of(Dremio)
def test_dremio_has_rows_and_a_catalog(service, state):
    with open_typed(service, state) as dremio:
        job = dremio.sql("SELECT 'few'", context=["lake"])
        assert job.wait(30) is JobState.SUCCEEDED
        assert [row["i"] for row in job.rows().to_pylist()] == [0, 1, 2]
        assert dremio.refresh_table(["lake", "silver"], force=True).wait(30) is JobState.SUCCEEDED
        assert service.refreshed == ['"lake"."silver" FORCE UPDATE']
        assert dremio.source("lake", "S3", {"secure": False})["was_made"] is True
        assert dremio.space("gold")["was_made"] is True
        assert dremio.folder(["gold", "sales"])["was_made"] is True
        view = dremio.view(["gold", "sales", "all"], "SELECT 1", context=["gold"])
        assert service.catalog[view["id"]]["sqlContext"] == ["gold"]
        assert dremio.promote(["lake", "silver"])["was_made"] is True


@of(services.Spark)
def test_spark_runs_scripts_and_jars(service, state):
    with open_typed(service, state) as spark:
        script = spark.python("/srv/silver.py", ["a b"], properties={"spark.cores.max": "1"}, name="succeed")
        assert script.wait(30) is JobState.SUCCEEDED
        sent = service.jobs[script.id].body
        assert (sent["appArgs"][-2:], sent["sparkProperties"]["spark.cores.max"]) == (["{{USER_JAR}}", "a b"], "1")
        jar = spark.jar("/srv/jobs.jar", "org.example.Silver", ["x"], name="fail")
        assert jar.wait(30) is JobState.FAILED
        assert service.jobs[jar.id].body["mainClass"] == "org.example.Silver"


@of(Dremio)
def test_asyncio_gets_rows_a_page_at_a_time(service, state):
    pyarrow = pytest.importorskip("pyarrow")

    async def main():
        async with osdear.AsyncDremioRunner(service.address(), service.settings, state_folder=state) as dremio:
            await dremio.space("gold")
            job = await dremio.sql("SELECT 'many'")
            assert await job.wait(30) is JobState.SUCCEEDED
            sizes = []
            async for batch in job.rows():
                sizes.append(pyarrow.record_batch(batch).num_rows)
                with pytest.raises(osdear.StateError, match="consumed"):
                    batch.__arrow_c_array__()
            assert sizes == [500, 500, 203]
            hanging = await dremio.sql("SELECT 'hang'")
            with pytest.raises(osdear.StateError, match="once it has succeeded"):
                await anext(hanging.rows())
            service.results = lambda job, offset, limit: (200, {"rowCount": 1, "schema": [{"name": "n", "type": {"name": "INTEGER"}}],
                                                                "rows": [{"n": "5000000000"}]})
            with pytest.raises(osdear.CorruptError, match='column "n"'):
                await anext(job.rows())

    asyncio.run(main())


@of(Airbyte, services.Airflow)
def test_asyncio_awaits_the_same_calls(service, state):
    async def main():
        async with osdear.AsyncAirbyteRunner(service.address(), service.settings, state_folder=state) as airbyte:
            assert (await airbyte.source("shop", {"sourceType": "postgres"}))["was_made"] is True
            assert await (await airbyte.sync("succeed")).wait(30) is JobState.SUCCEEDED

    async def main_airflow():
        async with osdear.AsyncAirflowRunner(service.address(), service.settings, state_folder=state) as airflow:
            job = await airflow.trigger("silver")
            assert await job.wait(30) is JobState.SUCCEEDED
            assert (await airflow.tasks(job))[0]["state"] == "success"
            assert (await airflow.pause("silver"))["is_paused"] is True

    asyncio.run(main() if isinstance(service, Airbyte) else main_airflow())


@pytest.mark.parametrize("name", ["Airbyte", "Airflow", "Dremio", "Spark"])
def test_both_kinds_have_the_same_calls_and_check_their_address(name, state):
    plain, later = getattr(osdear, f"{name}Runner"), getattr(osdear, f"Async{name}Runner")
    own = {call for call in dir(plain) if not call.startswith("_") and not hasattr(osdear.Runner, call)}
    assert own and own == {call for call in dir(later) if not call.startswith("_") and not hasattr(osdear.AsyncRunner, call)}
    for call in own:
        assert list(inspect.signature(getattr(plain, call)).parameters) == list(inspect.signature(getattr(later, call)).parameters)
        assert "return" in typing.get_type_hints(getattr(plain, call))
    for kind in (plain, later):
        with pytest.raises(osdear.ArgumentError, match=f'address of a {kind.__name__} starts with "{name.lower()}'):
            kind("process:", state_folder=state)
