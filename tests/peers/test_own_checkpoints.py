"""A checkpoint of ours, of a table that another engine made, says all that its log said: with the commits gone, nothing is different."""
from __future__ import annotations

import shutil
from typing import Any

import foreign
import osdear
import pyarrow as pa

LEAST_WRITABLE = 250


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
