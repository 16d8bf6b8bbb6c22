"""Predicates over tables of other engines: what their statistics let us leave out is what DuckDB, which reads every row, leaves out, too.

The predicates are drawn at random from the tables' own values; OSDEAR_SEED repeats a run, whose number is part of each failure.
"""
from __future__ import annotations

import math
import os
import random

import duckdb
import foreign
import osdear
import pyarrow as pa

SEED = int(os.environ.get("OSDEAR_SEED", random.SystemRandom().randrange(1 << 32)))
MOST_ROWS = 200_000
MOST_TEXT = 200
PREDICATES = 10
COMPARISONS = ["=", "<>", "<", "<=", ">", ">="]


def literal(value, kind):
    """A value as both dialects read it; None where there is no such text."""
    if value is None:
        return None
    if pa.types.is_boolean(kind):
        return str(value).upper()
    if pa.types.is_integer(kind):
        return str(value)
    if pa.types.is_string(kind):
        return "'" + value.replace("'", "''") + "'" if len(value) <= MOST_TEXT and "\0" not in value else None
    if pa.types.is_floating(kind):
        return f"CAST('{value!r}' AS DOUBLE)" if math.isfinite(value) else f"CAST('{value}' AS DOUBLE)"
    if pa.types.is_decimal(kind):
        return f"CAST('{value}' AS DECIMAL({kind.precision},{kind.scale}))"
    return f"DATE '{value.isoformat()}'" if pa.types.is_date(kind) and value.year >= 1000 else None


class Column:
    def __init__(self, field, values):
        self.kind = field.type
        self.values = values
        self.ours = "`" + field.name.replace("`", "``") + "`"
        self.theirs = '"' + field.name.replace('"', '""') + '"'

    def draw(self, dice):
        return literal(self.values[dice.randrange(len(self.values))].as_py(), self.kind)

    def test(self, dice):
        """What is asked of the column, such as "< 3"."""
        value = self.draw(dice)
        kind = dice.random()
        if value is None or kind < 0.1:
            return dice.choice(["IS NULL", "IS NOT NULL"])
        if kind < 0.7 or pa.types.is_floating(self.kind):
            return f"{dice.choice(COMPARISONS)} {value}"
        if kind < 0.85:
            others = [other for other in (self.draw(dice), self.draw(dice)) if other is not None]
            return f"{dice.choice(['IN', 'NOT IN'])} ({', '.join([value, *others])})"
        return f"BETWEEN {value} AND {self.draw(dice) or value}"


def columns_of(rows):
    """Those with a value that can be written down."""
    found = [Column(field, rows.column(i)) for i, field in enumerate(rows.schema)]
    return [column for column in found if any(literal(value.as_py(), column.kind) for value in column.values.drop_null()[:1])]


def predicate(columns, dice):
    """(our text, DuckDB's text)"""
    tests = [(column, column.test(dice)) for column in dice.choices(columns, k=dice.choice([1, 1, 2, 3]))]
    join = dice.choice([" AND ", " OR "])
    frame = "NOT ({})" if dice.random() < 0.15 else "{}"
    return (frame.format(join.join(f"({column.ours} {test})" for column, test in tests)),
            frame.format(join.join(f"({column.theirs} {test})" for column, test in tests)))


def test_rows_that_are_left_out_are_the_right_ones():
    asked = 0
    for folder in foreign.folders():
        rows, _ = foreign.read(folder)
        if rows is None or not 0 < rows.num_rows < MOST_ROWS or len({name.lower() for name in rows.column_names}) < rows.num_columns:
            continue
        columns = columns_of(rows)
        if not columns:
            continue
        dice = random.Random(f"{SEED} {folder.parent.name}")
        with duckdb.connect() as connection, osdear.Table.open(str(folder)) as table:
            connection.register("their_rows", rows.select([column.theirs[1:-1].replace('""', '"') for column in columns]))
            for _ in range(PREDICATES):
                ours, theirs = predicate(columns, dice)
                wanted = connection.execute(f"SELECT count(*) FROM their_rows WHERE {theirs}").fetchone()[0]
                found = pa.table(table.scan(where=ours, columns=[rows.column_names[0]])).num_rows
                assert found == wanted, f"{folder}: {ours}, OSDEAR_SEED={SEED}"
                asked += 1
    assert asked > 1000
