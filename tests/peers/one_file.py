"""A Delta table around one Parquet file that somebody else wrote."""
from __future__ import annotations

import json


def table_of_file(folder, name, schema):
    """`schema`: of each column its name and Delta's name for its type, or its type as Delta's JSON. Returns the folder."""
    fields = [{"name": column, "type": kind, "nullable": True, "metadata": {}} for column, kind in schema.items()]
    log = folder / "_delta_log"
    log.mkdir()
    actions = [
        {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["timestampNtz"], "writerFeatures": ["timestampNtz"]}},
        {"metaData": {"id": "0-1", "format": {"provider": "parquet", "options": {}}, "partitionColumns": [], "configuration": {},
                      "schemaString": json.dumps({"type": "struct", "fields": fields}), "createdTime": 0}},
        {"add": {"path": name, "partitionValues": {}, "size": (folder / name).stat().st_size, "modificationTime": 0,
                 "dataChange": True}},
    ]
    (log / f"{0:020}.json").write_text("".join(json.dumps(action) + "\n" for action in actions))
    return folder
