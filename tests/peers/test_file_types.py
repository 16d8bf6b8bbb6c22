"""Data files whose columns are not quite of the table's types: what Spark reads of them, we read; what would be changed on the way is refused."""
from __future__ import annotations

import datetime
import json
from decimal import Decimal

import osdear
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from canonical import lines

DAY = datetime.date(1969, 1, 1)
MOMENT = datetime.datetime(2020, 1, 2, 3, 4, 5, 678)

# The file's type and values, the table's type.
READ = {
    "bare_byte": (pa.int32(), [1, None, -128], "byte"),
    "bare_short": (pa.int32(), [1, None, 32767], "short"),
    "uint8_byte": (pa.uint8(), [1, None, 127], "byte"),
    "uint16_short": (pa.uint16(), [1, None, 32767], "short"),
    "byte_long": (pa.int8(), [1, None, -128], "long"),
    "uint32_long": (pa.uint32(), [1, None, 4_000_000_000], "long"),
    "int_double": (pa.int32(), [1, None, -70_000], "double"),
    "int_decimal": (pa.int32(), [1, None, -70_000], "decimal(12,2)"),
    "float_double": (pa.float32(), [1.5, None, -2.25], "double"),
    "decimal_wider": (pa.decimal128(5, 2), [Decimal("1.25"), None, Decimal("-9.50")], "decimal(25,4)"),
    "bare_date": (pa.int32(), [1, None, -365], "date"),
    "date_ntz": (pa.date32(), [DAY, None, DAY], "timestamp_ntz"),
    "bare_text": (pa.binary(), [b"a", None, b"\xc3\xa9"], "string"),
    "text_binary": (pa.string(), ["a", None, "é"], "binary"),
    "zone_lost": (pa.timestamp("us", "UTC"), [MOMENT, None, MOMENT], "timestamp_ntz"),
    "zone_made": (pa.timestamp("us"), [MOMENT, None, MOMENT], "timestamp"),
}
REFUSED = {
    "beyond_byte": (pa.int32(), [1, None, 128], "byte", "row 2: 128 is beyond byte"),
    "beyond_short": (pa.uint16(), [60_000], "short", "row 0: 60000 is beyond short"),
    "no_text": (pa.binary(), [b"a", b"\xff"], "string", "not valid UTF-8"),
    "long_int": (pa.int64(), [1], "integer", "without loss"),
    "double_float": (pa.float64(), [1.5], "float", "without loss"),
    "text_int": (pa.string(), ["1"], "integer", "without loss"),
    "fewer_digits": (pa.decimal128(25, 2), [Decimal("1.25")], "decimal(12,2)", "without loss"),
}


def make(folder, columns):
    """A table of one file."""
    (folder / "_delta_log").mkdir(parents=True)
    file = folder / "f.parquet"
    pq.write_table(pa.table({name: pa.array(values, kind) for name, (kind, values, _) in columns.items()}), file, store_schema=False)
    fields = [{"name": name, "type": kind, "nullable": True, "metadata": {}} for name, (_, _, kind) in columns.items()]
    actions = [{"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["timestampNtz"], "writerFeatures": ["timestampNtz"]}},
               {"metaData": {"id": "x", "format": {"provider": "parquet", "options": {}}, "partitionColumns": [], "configuration": {}, "createdTime": 1,
                             "schemaString": json.dumps({"type": "struct", "fields": fields})}},
               {"add": {"path": file.name, "partitionValues": {}, "size": file.stat().st_size, "modificationTime": 1, "dataChange": True}}]
    (folder / "_delta_log/00000000000000000000.json").write_text("".join(json.dumps(action) + "\n" for action in actions))
    return str(folder)


def test_columns_are_read_as_spark_reads_them(spark, tmp_path):
    table = make(tmp_path / "t", READ)
    assert sorted(lines(pa.table(osdear.Table.open(table).scan()))) == sorted(spark.ask(table)["rows"])


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_be_changed_is_refused(tmp_path, name):
    kind, values, wanted, words = REFUSED[name]
    table = make(tmp_path / "t", {name: (kind, values, wanted)})
    with pytest.raises((osdear.Error, pa.ArrowException, OSError), match=words):
        pa.table(osdear.Table.open(table).scan())
