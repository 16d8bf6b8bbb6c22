"""Tables of other engines in other dress: what is written otherwise, and means the same, is read the same.

The dresses are drawn at random; OSDEAR_SEED repeats a run, whose number is part of each failure.
"""
from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import urllib.parse

import foreign
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

SEED = int(os.environ.get("OSDEAR_SEED", random.SystemRandom().randrange(1 << 32)))
MOST_ROWS = 20_000
COMMIT = re.compile(r"\d{20}\.json")
LAYOUTS = [
    {"compression": "none", "data_page_version": "2.0"},
    {"compression": "gzip", "use_dictionary": False, "row_group_size": 3},
    {"compression": "brotli", "data_page_size": 64, "write_page_index": True},
    {"compression": "lz4", "dictionary_pagesize_limit": 16, "write_batch_size": 2},
    {"compression": "zstd", "data_page_version": "2.0", "write_page_checksum": True, "row_group_size": 7},
    {"compression": "snappy", "write_statistics": False, "store_schema": False, "write_page_index": True},
]


class DoesNotFit(Exception):
    """The table has nothing that this dress is made for, or Python cannot read it."""


def commits(table):
    return [path for path in (table / "_delta_log").iterdir() if COMMIT.fullmatch(path.name)]


def checkpoints(table):
    if (table / "_delta_log/_sidecars").exists():
        raise DoesNotFit  # their sizes stand in files that would have to change, too
    return list((table / "_delta_log").glob("*.checkpoint*.parquet")) or does_not_fit()


def does_not_fit():
    raise DoesNotFit


def rewrite_actions(table, change, dice, line_end="\n"):
    for path in commits(table):
        lines = []
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                lines += [json.dumps(action, ensure_ascii=dice.random() < 0.5) for action in change(json.loads(line))]
        path.write_text(line_end.join(lines), encoding="utf-8", newline="")


def shuffled(value, dice):
    if isinstance(value, dict):
        members = [(name, shuffled(member, dice)) for name, member in value.items()]
        dice.shuffle(members)
        return dict(members)
    return [shuffled(member, dice) for member in value] if isinstance(value, list) else value


def members_in_another_order(table, dice):
    rewrite_actions(table, lambda action: [shuffled(action, dice)], dice, dice.choice(["\n", "\r\n", "\n\n"]))


def actions_and_members_of_the_future(table, dice):
    def change(action):
        for body in action.values():
            if isinstance(body, dict):
                body["ofTheFuture"] = {"list": [1, {"none": None}]}
        return [action, {"futureAction": {"list": [1, 2, {"é": "é"}]}}] if dice.random() < 0.3 else [action]

    rewrite_actions(table, change, dice)


def checkpoints_of_another_layout(table, dice):
    for path in checkpoints(table):
        pq.write_table(pq.ParquetFile(path).read(), path, **dice.choice(LAYOUTS))


def checkpoints_in_parts_and_another_order(table, dice):
    for path in checkpoints(table):
        if not path.name.endswith(".checkpoint.parquet"):
            raise DoesNotFit
        rows = pq.ParquetFile(path).read()
        order = list(range(len(rows)))
        dice.shuffle(order)
        count = dice.choice([2, 3, 5])
        for part in range(count):
            name = f"{path.name[:20]}.checkpoint.{part + 1:010}.{count:010}.parquet"
            pq.write_table(rows.take(order[part::count]), path.with_name(name))
        path.unlink()
    (table / "_delta_log/_last_checkpoint").unlink(missing_ok=True)


def a_hint_that_is_wrong(table, dice):
    hint = table / "_delta_log/_last_checkpoint"
    if not hint.exists():
        raise DoesNotFit
    hint.write_text(dice.choice(["", '{"version":', '{"version":0,"size":1}', '{"version":987654,"size":1}']))


def no_checksums(table, _dice):
    found = list((table / "_delta_log").glob("*.crc")) or does_not_fit()
    for path in found:
        path.unlink()


def data_files_of_another_layout(table, dice):
    """Also their sizes in the log: other engines look for a file's footer where its size says, and so do we."""
    if [path for path in (table / "_delta_log").glob("*.*") if re.search("compacted|checkpoint", path.name)]:
        raise DoesNotFit  # sizes stand there, too
    for path in table.rglob("*.parquet"):
        file = pq.ParquetFile(path)
        if any(file.schema.column(i).physical_type == "INT96" for i in range(len(file.schema))):
            raise DoesNotFit  # pyarrow writes these as other values
        pq.write_table(file.read(), path, **dice.choice(LAYOUTS))

    def change(action):
        for body in action.values():
            if isinstance(body, dict) and "size" in body and "path" in body:
                path = table / urllib.parse.unquote(body["path"])
                body["size"] = path.stat().st_size if path.exists() else body["size"]
        return [action]

    rewrite_actions(table, change, dice)


DRESSES = [members_in_another_order, actions_and_members_of_the_future, checkpoints_of_another_layout, checkpoints_in_parts_and_another_order,
           a_hint_that_is_wrong, no_checksums, data_files_of_another_layout]


def digest(rows):
    """Of rows in an order that layouts do not change."""
    return hashlib.sha256("\n".join(sorted(map(repr, rows.to_pylist()))).encode("utf-8", "surrogatepass")).hexdigest()


@pytest.fixture(scope="module")
def tables():
    """Those that can be read, with their columns and rows."""
    found = [(folder, foreign.read(folder)[0]) for folder in foreign.folders()]
    return [(folder, rows.schema, digest(rows)) for folder, rows in found if rows is not None and rows.num_rows < MOST_ROWS]


@pytest.mark.parametrize("dress", DRESSES, ids=lambda dress: dress.__name__)
def test_what_means_the_same_is_read_the_same(tables, dress, tmp_path):
    worn = 0
    for folder, schema, rows in tables:
        table = tmp_path / str(worn)
        shutil.copytree(folder, table)
        try:
            dress(table, random.Random(f"{SEED} {folder.parent.name}"))
        except (DoesNotFit, pa.ArrowException, ValueError, RecursionError):
            shutil.rmtree(table)
            continue
        worn += 1
        found, failure = foreign.read(table)
        assert failure is None, f"{folder}, OSDEAR_SEED={SEED}: {failure}"
        assert found.schema == schema, f"{folder}, OSDEAR_SEED={SEED}"
        assert digest(found) == rows, f"{folder}, OSDEAR_SEED={SEED}"
        shutil.rmtree(table)
    assert worn > 20
