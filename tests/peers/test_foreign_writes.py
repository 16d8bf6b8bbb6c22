"""What we write into tables that other engines made: a checkpoint says all that the log said, and rows come back as they were."""
from __future__ import annotations

import shutil
from typing import Any

import foreign
import osdear
import pyarrow as pa

LEAST_WRITABLE = 200
MOST_ROWS = 20_000


def rows(table: osdear.Table) -> Any:
    try:
        return sorted(pa.table(table.scan()).to_pylist(), key=repr)
    except (pa.ArrowException, osdear.Error, OSError) as failure:
        return type(failure)


def state(folder) -> dict[str, Any]:
    with osdear.Table.open(str(folder)) as table:
        files = sorted(pa.table(table.files()).to_pylist(), key=repr)
        return {"version": table.version, "metadata": table.metadata, "protocol": table.protocol, "domains": table.domains,
                "schema": pa.schema(table.schema).serialize().to_pybytes(), "files": files, "rows": repr(rows(table))}


def drop_what_is_before(folder, version: int) -> None:
    """As a clean-up of the log does, and the version's own commit with it."""
    for path in (folder / "_delta_log").iterdir():
        number = path.name[:20]
        if number.isdigit() and (int(number) < version or path.name == f"{number}.json"):
            path.unlink()


def test_a_checkpoint_says_what_the_log_said(tmp_path):
    checked, differ = 0, []
    for number, original in enumerate(foreign.folders()):
        folder = tmp_path / str(number)
        shutil.copytree(original, folder)
        try:
            before = state(folder)
            with osdear.Table.open(str(folder)) as table:
                table.checkpoint()
        except osdear.Error:  # not readable as it stands, or not writable by us
            continue
        drop_what_is_before(folder, before["version"])
        after = state(folder)
        differ += [f"{original}: {name}: {before[name]} and then {after[name]}" for name in before if before[name] != after[name]]
        checked += 1
        shutil.rmtree(folder)
    assert not differ, "\n".join(text[:500] for text in differ)
    assert checked >= LEAST_WRITABLE, checked


def test_rows_that_are_written_back_come_twice(tmp_path):
    checked = 0
    for number, original in enumerate(foreign.folders()):
        folder = tmp_path / str(number)
        shutil.copytree(original, folder)
        found, failure = foreign.read(folder)
        if failure or found.num_rows > MOST_ROWS:
            continue
        with osdear.Table.open(str(folder)) as table:
            try:
                table.append(found)
            except osdear.UnsupportedError:  # names what the table has and we do not write
                continue
        again, failure = foreign.read(folder)
        assert failure is None, f"{original}: {failure}"
        assert again.schema == found.schema, original
        assert sorted(map(repr, again.to_pylist())) == sorted(map(repr, 2 * found.to_pylist())), original
        checked += 1
        shutil.rmtree(folder)
    assert checked >= LEAST_WRITABLE, checked
