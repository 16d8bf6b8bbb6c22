"""What single services have besides jobs, in their own words: Airbyte, Airflow, Dremio, Spark; plain and for asyncio."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar, cast

from .job import AsyncJob, AsyncRunner, Job, Runner

Json: TypeAlias = dict[str, Any]
J = TypeVar("J")  # what a submission gives
D = TypeVar("D")  # what a verb gives: an object
L = TypeVar("L")  # a verb that gives a list of objects


def _given(**members: Any) -> Json:
    """Those members that were given."""
    return {name: value for name, value in members.items() if value is not None}


class _Verbs(Generic[J, D, L]):
    """Puts calls together; a runner makes them, and may have them awaited."""

    def submit(self, spec: Mapping[str, Any] | str, *, key: str | None = None) -> J:
        raise NotImplementedError

    def call(self, verb: str, arguments: Mapping[str, Any] | None = None) -> Any:
        raise NotImplementedError

    def _object(self, verb: str, **arguments: Any) -> D:
        return cast(D, self.call(verb, _given(**arguments)))


class _Airbyte(_Verbs[J, D, L]):
    def source(
        self,
        name: str,
        configuration: Mapping[str, Any] | None = None,
        *,
        definition: str | None = None,
        update: bool = False,
        workspace: str | None = None,
    ) -> D:
        """The source of this name, which is made unless it is there; `update` gives one that is there the new configuration."""
        return self._object(
            "source", name=name, configuration=configuration, definition=definition, update=update, workspace=workspace
        )

    def destination(
        self,
        name: str,
        configuration: Mapping[str, Any] | None = None,
        *,
        definition: str | None = None,
        update: bool = False,
        workspace: str | None = None,
    ) -> D:
        """As `source`."""
        return self._object(
            "destination", name=name, configuration=configuration, definition=definition, update=update, workspace=workspace
        )

    def connection(
        self,
        name: str,
        source: str | None = None,
        destination: str | None = None,
        *,
        streams: Sequence[Mapping[str, Any]] | None = None,
        schedule: Mapping[str, Any] | None = None,
        prefix: str | None = None,
        namespace_definition: str | None = None,
        namespace_format: str | None = None,
        status: str | None = None,
        schema_changes: str | None = None,
        workspace: str | None = None,
    ) -> D:
        """The connection of this name, made unless it is there, of all streams or of those given."""
        return self._object(
            "connection",
            name=name,
            source=source,
            destination=destination,
            streams=streams,
            schedule=schedule,
            prefix=prefix,
            namespaceDefinition=namespace_definition,
            namespaceFormat=namespace_format,
            status=status,
            nonBreakingSchemaUpdatesBehavior=schema_changes,
            workspace=workspace,
        )

    def check(self, *, source: str | None = None, destination: str | None = None, workspace: str | None = None) -> D:
        """Run the connector of one of them, which may take minutes: {"status": "succeeded", "message": None}."""
        return self._object("check", source=source, destination=destination, workspace=workspace)

    def discover(
        self, source: str, *, destination: str | None = None, refresh: bool = True, workspace: str | None = None
    ) -> L:
        """The streams that the source has."""
        arguments = _given(source=source, destination=destination, refresh=refresh, workspace=workspace)
        return cast(L, self.call("discover", arguments))

    def state(self, connection: str, *, workspace: str | None = None) -> D:
        """How far the connection's streams have come."""
        return self._object("state", connection=connection, workspace=workspace)

    def set_state(self, connection: str, state: Mapping[str, Any], *, workspace: str | None = None) -> D:
        """Set it, as `state` gave it: the next sync goes on from there. Refused while the connection is being synced."""
        return self._object("set_state", connection=connection, state=state, workspace=workspace)

    def sync(
        self,
        connection: str,
        *,
        type: str = "sync",
        attach: bool = True,
        workspace: str | None = None,
        key: str | None = None,
    ) -> J:
        """Sync a connection, or `type` "refresh", "clear", "reset" it. One that is being synced is taken up, unless `attach` is False."""
        return self.submit(_given(connection=connection, type=type, attach=attach, workspace=workspace), key=key)


class _Airflow(_Verbs[J, D, L]):
    def trigger(
        self,
        dag: str,
        conf: Mapping[str, Any] | None = None,
        *,
        note: str | None = None,
        logical_date: str | None = None,
        unpause: bool = False,
        key: str | None = None,
    ) -> J:
        """Run a DAG. The key becomes the run's id."""
        return self.submit(_given(dag=dag, conf=conf, note=note, logical_date=logical_date, unpause=unpause), key=key)

    def clear(self, id: str, *, tasks: Sequence[str] | None = None, only_failed: bool = True) -> J:
        """Have tasks of the run DAG/RUN, a job's id, run again; by default those that failed."""
        dag, _, run = id.partition("/")
        return self.submit(_given(dag=dag, clear=run, tasks=tasks, only_failed=only_failed))

    def pause(self, dag: str) -> D:
        return self._object("pause", dag=dag)

    def unpause(self, dag: str) -> D:
        return self._object("unpause", dag=dag)


class _Dremio(_Verbs[J, D, L]):
    def sql(
        self,
        statement: str,
        *,
        context: Sequence[str] | None = None,
        references: Mapping[str, Any] | None = None,
        engine: str | None = None,
        key: str | None = None,
    ) -> J:
        """Run a statement. Once it has succeeded, `rows()` of the job gives its result."""
        return self.submit(_given(sql=statement, context=context, references=references, engine=engine), key=key)

    def refresh_table(self, path: Sequence[str], *, force: bool = False, key: str | None = None) -> J:
        """Have Dremio read a table's metadata again, as after our commits."""
        return self.submit({"refresh": list(path), "force": force}, key=key)

    def source(
        self,
        name: str,
        type: str,
        config: Mapping[str, Any] | None = None,
        *,
        metadata_policy: Mapping[str, Any] | None = None,
        update: bool = False,
    ) -> D:
        """The source of this name, made unless it is there; `update` replaces one that is there."""
        return self._object("source", name=name, type=type, config=config, metadataPolicy=metadata_policy, update=update)

    def space(self, name: str) -> D:
        return self._object("space", name=name)

    def folder(self, path: Sequence[str]) -> D:
        return self._object("folder", path=list(path))

    def view(self, path: Sequence[str], sql: str, *, context: Sequence[str] | None = None) -> D:
        """A view, which one that is there becomes."""
        return self._object("view", path=list(path), sql=sql, context=context)

    def promote(self, path: Sequence[str], format: str = "Delta") -> D:
        """Make a table of a folder of a source."""
        return self._object("promote", path=list(path), format=format)


class _Spark(_Verbs[J, D, L]):
    def python(
        self,
        script: str,
        args: Sequence[str] = (),
        *,
        properties: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        name: str | None = None,
        key: str | None = None,
    ) -> J:
        """Run a Python script: a path on the workers, or a URL that they can fetch."""
        spec = _given(name=name, python=script, args=list(args), properties=properties, environment=environment)
        return self.submit(spec, key=key)

    def jar(
        self,
        jar: str,
        main_class: str,
        args: Sequence[str] = (),
        *,
        properties: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        name: str | None = None,
        key: str | None = None,
    ) -> J:
        """Run a class of a jar: a path on the workers, or a URL that they can fetch."""
        spec = _given(name=name, jar=jar, args=list(args), properties=properties, environment=environment)
        return self.submit({**spec, "class": main_class}, key=key)


_Later: TypeAlias = Coroutine[Any, Any, J]


class AirbyteRunner(Runner, _Airbyte[Job, Json, list[Json]]):
    """Airbyte: connections are synced; what a sync needs is made once."""

    _scheme = "airbyte+"


class AirflowRunner(Runner, _Airflow[Job, Json, list[Json]]):
    """Airflow 3 or 2: runs of DAGs."""

    _scheme = "airflow+"

    def tasks(self, job: Job) -> list[Json]:
        """The run's tasks, with state, try and times."""
        found: list[Json] = job.result().get("tasks", [])
        return found


class DremioRunner(Runner, _Dremio[Job, Json, list[Json]]):
    """Dremio: statements of SQL, and its catalog."""

    _scheme = "dremio+"


class SparkRunner(Runner, _Spark[Job, Json, list[Json]]):
    """A Spark standalone cluster: applications of the JVM and of Python."""

    _scheme = "spark+"


class AsyncAirbyteRunner(AsyncRunner, _Airbyte[_Later[AsyncJob], _Later[Json], _Later[list[Json]]]):
    """As `AirbyteRunner`, for asyncio."""

    _scheme = "airbyte+"


class AsyncAirflowRunner(AsyncRunner, _Airflow[_Later[AsyncJob], _Later[Json], _Later[list[Json]]]):
    """As `AirflowRunner`, for asyncio."""

    _scheme = "airflow+"

    async def tasks(self, job: AsyncJob) -> list[Json]:
        """The run's tasks, with state, try and times."""
        found: list[Json] = (await job.result()).get("tasks", [])
        return found


class AsyncDremioRunner(AsyncRunner, _Dremio[_Later[AsyncJob], _Later[Json], _Later[list[Json]]]):
    """As `DremioRunner`, for asyncio."""

    _scheme = "dremio+"


class AsyncSparkRunner(AsyncRunner, _Spark[_Later[AsyncJob], _Later[Json], _Later[list[Json]]]):
    """As `SparkRunner`, for asyncio."""

    _scheme = "spark+"
