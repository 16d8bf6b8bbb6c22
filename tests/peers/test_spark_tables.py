"""Tables that Spark makes now and that combine features: each version, change feed and row id is what Spark reads; and a V2 checkpoint of
ours is what Spark takes for one. OSDEAR_PEERS_LONG=1 makes all tables of spark_tables.py; it takes minutes."""
from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

import osdear
import pyarrow as pa
import pyarrow.compute as compute
import pytest
from canonical import dumps, lines
from osdear_command import cache, shared

USUAL = ["all_at_once", "v2_json_with_sidecars", "variants", "cloned", "chars"]
LONG = ["without_zone", "mapped_by_id", "v2_parquet_with_sidecars", "in_parts_with_statistics_as_columns", "made_up_columns", "clustered",
        "odd_names", "feature_dropped", "timestamps_off_again", "widened_partitions", "rows_tracked_later", "overwritten_and_restored",
        "nulls_at_every_depth"]
NAMES = USUAL + (LONG if os.environ.get("OSDEAR_PEERS_LONG") else [])
WITH_CHANGES = {"all_at_once", "chars", "mapped_by_id", "feature_dropped", "timestamps_off_again", "widened_partitions", "overwritten_and_restored"}
SECONDS = 1800


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """The folder with all tables, and beside each what Spark read of it."""
    if not shared():
        pytest.skip("no folder `shared` beside the checkout, and OSDEAR_SHARED names none")
    python = cache() / "spark/bin/python"
    if not python.exists():
        pytest.skip("Spark is not installed: run tests/support/prepare.sh spark")
    folder = tmp_path_factory.mktemp("lake")
    environment = {**os.environ, "OSDEAR_SPARK_JARS": str(cache() / "spark-jars"), "SPARK_LOCAL_IP": "127.0.0.1"}
    environment.pop("PYTHONPATH", None)
    script = Path(__file__).with_name("spark_tables.py")
    made = subprocess.run([python, script, shared() / "peers/spark", folder, *NAMES], env=environment, cwd=tempfile.gettempdir(),
                          capture_output=True, text=True, timeout=SECONDS, check=False)
    assert made.returncode == 0, made.stderr[-4000:]
    return folder


def text_of_variant(value):
    return value["variant"] if value.keys() == {"variant"} else value


def theirs(rows):
    """Spark's rows with variants as the texts that they are here."""
    return sorted(dumps(json.loads(line, object_hook=text_of_variant)) for line in rows)


def ours(stream):
    return sorted(lines(pa.table(stream)))


def told(table, first, last):
    """A feed's rows without its timestamps; None: refused."""
    try:
        rows = pa.table(table.changes(first, last))
    except osdear.UnsupportedError:
        return None
    return sorted(lines(rows.drop_columns(["_commit_timestamp"])))


@pytest.mark.parametrize("name", NAMES)
def test_is_read_as_spark_reads_it(lake, name):
    folder = str(lake / name / "delta")
    wanted = json.loads((lake / name / "expected.json").read_text(encoding="utf-8"))
    for version, rows in wanted["versions"].items():
        assert ours(osdear.Table.open(folder, version=int(version)).scan(variant_as_json=True)) == theirs(rows), f"version {version}"
    table = osdear.Table.open(folder)
    for predicate, rows in wanted["where"].items():
        assert ours(table.scan(where=predicate, variant_as_json=True)) == theirs(rows), predicate
    if wanted["row_ids"]:
        assert ours(table.scan(row_ids=True)) == theirs(wanted["row_ids"])


@pytest.mark.parametrize("name", [name for name in NAMES if name in WITH_CHANGES])
def test_has_the_changes_that_spark_tells(lake, name):
    table = osdear.Table.open(str(lake / name / "delta"))
    wanted = json.loads((lake / name / "expected.json").read_text(encoding="utf-8"))["changes"]
    assert any(wanted.values())
    for numbers, rows in wanted.items():
        got = told(table, *map(int, numbers.split("-")))
        if rows is not None:  # Spark refuses to cross widenings too, which lose nothing
            assert got == theirs(rows), numbers


def test_a_rename_or_a_drop_ends_a_feed_as_in_spark(lake):
    table = osdear.Table.open(str(lake / "all_at_once/delta"))
    wanted = json.loads((lake / "all_at_once/expected.json").read_text(encoding="utf-8"))["changes"]
    for numbers in ("6-9", "9-12", "11-13"):
        assert wanted[numbers] is None
        assert told(table, *map(int, numbers.split("-"))) is None, numbers


@pytest.mark.parametrize("more", [{}, {"delta.checkpoint.writeStatsAsJson": "false", "delta.checkpoint.writeStatsAsStruct": "true"}])
def test_spark_takes_our_v2_checkpoint_for_one(spark, tmp_path, more):
    folder = tmp_path / "table"
    rows = pa.table({"id": pa.array(range(40), pa.int64()), "p": [f"p {n % 3}" for n in range(40)]})
    table = osdear.Table.create(str(folder), rows.schema, partition_by=["p"], properties={"delta.checkpointPolicy": "v2", **more})
    for first in range(0, 40, 10):
        table.append(rows.slice(first, 10))
    table.checkpoint()
    for version in range(4):
        (folder / f"_delta_log/{version:020}.json").unlink()
    answer = spark.ask(folder, meta=True, validate=True)
    assert sorted(answer["rows"]) == sorted(lines(rows))
    assert "v2Checkpoint" in answer["meta"]["detail"]["tableFeatures"]
    assert answer["validate"] == {"count_from_data": 40, "count_query": 40, "append_ok": True, "checkpoint_ok": True,
                                  "rows_after_checkpoint_equal": True}
    assert sorted(spark.ask(folder, where="id >= 30 AND p = 'p 1'")["rows"]) == sorted(lines(rows.filter(
        compute.and_(compute.greater_equal(rows["id"], 30), compute.equal(rows["p"], "p 1")))))
