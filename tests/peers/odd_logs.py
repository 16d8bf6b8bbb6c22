"""Logs that no engine writes and every reader meets some day, made by hand over small Parquet files: how a path is spelled, what is named
twice, partition values as people type them, protocols that are not quite right."""
from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq

PROTOCOL = {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}
WITHOUT_ZONE = {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["timestampNtz"], "writerFeatures": ["timestampNtz"]}}

# How a file is added, and how it is removed; {} is the table's folder. `id` 1 is in f, 2 stays, 3 to 5 are in files of other names.
SPELLINGS = {
    "by_absolute_path": ("f.parquet", "{}/f.parquet"),
    "by_uri": ("f.parquet", "file://{}/f.parquet"),
    "added_by_absolute_path": ("{}/f.parquet", "f.parquet"),
    "added_by_uri": ("file://{}/f.parquet", "f.parquet"),
    "absolute_by_uri": ("{}/f.parquet", "file://{}/f.parquet"),
    "uri_by_absolute": ("file:{}/f.parquet", "{}/f.parquet"),
    "uri_by_uri": ("file:{}/f.parquet", "file://{}/f.parquet"),
    "by_dot": ("f.parquet", "./f.parquet"),
    "added_by_dot": ("././f.parquet", "f.parquet"),
    "by_detour": ("f.parquet", "sub/../f.parquet"),
    "added_by_detour": ("sub/../f.parquet", "f.parquet"),
    "by_two_slashes": ("sub/f.parquet", "sub//f.parquet"),
    "by_slash_at_the_end": ("f.parquet", "f.parquet/"),
    "by_escape": ("f.parquet", "%66.parquet"),
    "added_by_escape": ("%66.parquet", "f.parquet"),
    "by_small_escape": ("a%2Bb.parquet", "a%2bb.parquet"),
    "by_escape_of_a_plus": ("a+b.parquet", "a%2Bb.parquet"),
    "absolute_by_dot": ("{}/f.parquet", "{}/./f.parquet"),
    "absolute_by_detour": ("{}/f.parquet", "{}/sub/../f.parquet"),
    "absolute_by_escape": ("{}/f.parquet", "{}/%66.parquet"),
}
# Another add of the same file.
AGAIN = {"absolute": ("f.parquet", "{}/f.parquet"), "uri": ("{}/f.parquet", "file://{}/f.parquet"), "dot": ("f.parquet", "./f.parquet")}
TURNS = {"detour": "sub/../f.parquet", "escaped_detour": "sub/%2E%2E/f.parquet", "absolute_detour": "{}/sub/../f.parquet"}
LEAVES = {"up": "../outside/f.parquet", "escaped_up": "%2E%2E/outside/f.parquet", "late_up": "sub/../../outside/f.parquet"}

VALUES = {
    "integer": ["5", " 5", "5 ", "\t5\n", "5.0", "-5.9", "+5", "05", "-0", "5."],
    "byte": ["-128", "5.5"],
    "long": ["-9223372036854775808", "5.5"],
    "boolean": ["true", " TRUE ", "T", "t", "yes", "y", "1", "0", "no", "n", "f"],
    "date": ["2020-01-02", " 2020-01-02 ", "2020-01-02T03:04:05", "2020-01-02 junk", "+2020-01-02"],
    "decimal(5,2)": ["1.5", " 1.5 ", "1e2", "+1", ".5", "1."],
    "double": ["1.5", " 1.5 ", "1.5d", "1.5F", "NaN", "nan", "inf", "Infinity", "-inf", "1e400"],
    "float": ["0.1", "1e39", "1.5F", "16777217"],
    "timestamp": ["2020-01-02 03:04:05", "2020-01-02T03:04:05Z", " 2020-01-02 03:04:05 ", "2020-01-02", "2020-01-02 03:04:05+01:00",
                  "2020-01-02 03:04:05.123456789", "2020-01-02 03:04"],
    "timestamp_ntz": ["2020-01-02 03:04:05", " 2020-01-02 03:04:05 ", "2020-01-02", "2020-01-02T03:04:05.1"],
    "binary": ["abc", " x ", "é"],
    "string": [" x ", "\u0001"],
}
# What Spark makes null of.
LOST = {"integer": "5L", "byte": "300", "boolean": "maybe", "date": "2020-02-30", "decimal(5,2)": "1234.5", "double": "1_0", "timestamp": "noon"}


def schema(*more):
    fields = [("id", "long"), *more]
    return json.dumps({"type": "struct", "fields": [{"name": name, "type": kind, "nullable": True, "metadata": {}} for name, kind in fields]})


def metadata(*more, partitions=(), name="00000000-0000-0000-0000-000000000001"):
    return {"metaData": {"id": name, "format": {"provider": "parquet", "options": {}}, "schemaString": schema(*more),
                         "partitionColumns": list(partitions), "configuration": {}, "createdTime": 1}}


def add(path, size, **more):
    return {"add": {"path": path, "partitionValues": {}, "size": size, "modificationTime": 1, "dataChange": True, **more}}


def remove(path):
    return {"remove": {"path": path, "deletionTimestamp": 1, "dataChange": True}}


class Maker:
    """Tables below a folder, by name."""

    def __init__(self, folder):
        self.folder = folder
        self.names = []

    def data(self, table, name, number):
        path = self.folder / table / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"id": pa.array([number], pa.int64())}), path)
        return path.stat().st_size

    def log(self, table, *commits):
        """Actions are objects, or the text of a line."""
        folder = self.folder / table / "_delta_log"
        folder.mkdir(parents=True)
        for version, actions in enumerate(commits):
            lines = [action if isinstance(action, str) else json.dumps(action) for action in actions]
            (folder / f"{version:020}.json").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.names.append(table)

    def with_files(self, table, added, *then):
        """A file by the path `added` and g, which stays; the other files are there, and in no log."""
        size = self.data(table, "f.parquet", 1)
        for number, name in enumerate(["g.parquet", "sub/f.parquet", "a+b.parquet", "a b.parquet"], 2):
            self.data(table, name, number)
        place = str(self.folder / table)
        actions = [action(path.replace("{}", place), size) if action is add else action(path.replace("{}", place)) for action, path in then]
        self.log(table, [PROTOCOL, metadata(), add(added.replace("{}", place), size), add("g.parquet", size)], actions)

    def one_file(self, table, *actions):
        """The actions come between the protocol and the add of a file; `SIZE` in their text is the file's."""
        size = self.data(table, "f.parquet", 1)
        self.data(table, "g.parquet", 2)
        lines = [action if isinstance(action, str) else json.dumps(action) for action in actions]
        self.log(table, [line.replace("SIZE", str(size)) for line in lines] + [add("f.parquet", size)])

    def partitioned(self, table, kind, values):
        adds = [add(f"{number}.parquet", self.data(table, f"{number}.parquet", number), partitionValues={"p": value})
                for number, value in enumerate(values)]
        self.log(table, [WITHOUT_ZONE if kind == "timestamp_ntz" else PROTOCOL, metadata(("p", kind), partitions=["p"]), *adds])


def make_paths(maker):
    for name, (added, removed) in SPELLINGS.items():
        maker.with_files(f"removed_{name}", added, (remove, removed))
    for name, (added, again) in AGAIN.items():
        maker.with_files(f"again_{name}", added, (add, again))
    for name, path in TURNS.items():
        maker.with_files(f"turns_{name}", path)


def make_doubles(maker):
    second = metadata(("b", "string"), name="00000000-0000-0000-0000-000000000002")
    maker.one_file("two_metadata", PROTOCOL, metadata(("a", "string")), second)
    maker.one_file("two_protocols", {"protocol": {"minReaderVersion": 2, "minWriterVersion": 5}}, PROTOCOL, metadata())
    file = '"partitionValues":{},"modificationTime":1,"dataChange":true'
    maker.one_file("two_paths", PROTOCOL, metadata(), '{"add":{"path":"lost.parquet","path":"g.parquet","size":SIZE,' + file + "}}")
    maker.one_file("two_sizes", PROTOCOL, metadata(), '{"add":{"path":"g.parquet","size":1,"size":SIZE,' + file + "}}")
    maker.one_file("two_schemas", PROTOCOL, json.dumps(metadata()).replace('"createdTime"', f'"schemaString":{json.dumps(schema(("z", "string")))},"createdTime"'))
    maker.one_file("two_values", PROTOCOL, metadata(("p", "string"), partitions=["p"]),
                   '{"add":{"path":"g.parquet","size":SIZE,"modificationTime":1,"dataChange":true,"partitionValues":{"p":"x","p":"y"}}}')


def make_values(maker):
    for kind, values in VALUES.items():
        maker.partitioned(f"values_{kind.partition('(')[0]}", kind, values)


def make_all(folder):
    """All that Spark and this library are to read alike. Names of the tables."""
    maker = Maker(folder)
    make_paths(maker)
    make_doubles(maker)
    make_values(maker)
    return maker.names
