"""The tables that other engines made, of the shared data."""
from __future__ import annotations

import osdear
import pyarrow as pa
import pytest
from osdear_command import shared, unpacked

MOST_BYTES = 2_000_000


def folders():
    """Each folder with a `_delta_log`; a big one would take the time of a hundred."""
    if not shared():
        pytest.skip("no folder `shared` beside the checkout, and OSDEAR_SHARED names none")
    logs = [log for name in ("visible.tar.zst", "spark-tables.tar.zst") for log in unpacked(name).rglob("_delta_log")]
    found = sorted(log.parent for log in logs)
    assert len(found) > 200
    return [folder for folder in found if sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < MOST_BYTES]


def read(folder):
    """(a table's rows, None), or (None, the kind of failure): what a stream's reader is told is the reader's own kind."""
    try:
        with osdear.Table.open(str(folder)) as table:
            return pa.table(table.scan()), None
    except (osdear.Error, OSError) as error:
        return None, type(error).__name__
