"""Parts of a missing or extra object are grouped with its difference, and no difference is lost."""

from __future__ import annotations

import pytest

from infra.catalog.catalog import Catalog, ObjectId
from infra.catalog.difference import differences
from infra.check.folding import fold_parts


def catalog(text: str) -> Catalog:
    """Return the catalog of a text: `kind: name = definition` in each line, `|` for a newline in a definition."""
    lines = [line for line in text.splitlines() if line]
    pairs = [(line.partition(" = ")[0].partition(": "), line.partition(" = ")[2]) for line in lines]
    return Catalog({ObjectId(kind, name): definition.replace("|", "\n") for (kind, _, name), definition in pairs})


TABLE = """
table: s.t = comment 'x'
column: s.t.a = type integer
column: s.t."b.c" = type text
column order: s.t = a, "b.c"
constraint: s.t.t_pkey = PRIMARY KEY (a)
constraint index: s.t_pkey = of s.t.t_pkey|with (fillfactor=50)
index: s.i = CREATE INDEX i ON ONLY s.t USING btree (a)
index: s.part = CREATE INDEX part ON s.other USING btree (a)|partition of s.i
sequence: s.t_a_seq = as integer|owned by s.t.a
trigger: s.t.g = CREATE TRIGGER
owner: table s.t = me
privileges: table s.t to you = SELECT
privileges: column s.t.a to you = SELECT
"""

CASES: list[tuple[str, str, list[str]]] = [
    (TABLE, "", ["table s.t"]),
    ("", TABLE, ["table s.t"]),
    (TABLE, TABLE, []),
    (TABLE, TABLE.replace("comment 'x'", ""), ["table s.t"]),
    (TABLE, TABLE.replace("type integer", "type bigint").replace("comment 'x'", ""), ["column s.t.a", "table s.t"]),
    (
        "column: s.t.a = type integer|generated always as identity\nsequence: s.q = owned by s.t.a",
        "column: s.t.a = type integer",
        ["column s.t.a"],
    ),
    ("sequence: s.q = owned by s.t.a", "", ["sequence s.q"]),
    (
        "sequence: s.q = as integer\nowner: sequence s.q = me",
        "sequence: s.q = as integer|owned by s.t.a",
        ["sequence s.q"],
    ),
    (
        "table: s.t = inherits s.p\ncolumn: s.t.a = type integer|inherited\ncolumn: s.t.b = type text|inherited",
        "table: s.t = \ncolumn: s.t.a = type integer\ncolumn: s.t.b = type integer",
        ["column s.t.b", "table s.t"],
    ),
    ("column: s.t.a = type integer|inherited", "column: s.t.a = type integer", ["column s.t.a"]),
    ("column order: s.t = a, b", "column order: s.t = b, a", ["column order s.t"]),
    ("column order: s.t = a, b", "column order: s.t = a, c, b", []),
    ("column order: s.t = a, b, c", "column order: s.t = c, a", ["column order s.t"]),
    ("extension: x = schema public\nextension version: x = 1", "", ["extension x"]),
    ("extension version: x = 1", "extension version: x = 2", ["extension version x"]),
    (
        "enum: s.e = 'a'\nowner: type s.e = me\nprivileges: type s.e to PUBLIC = USAGE",
        "",
        ["enum s.e"],
    ),
    (
        "procedure: s.p() = x\nowner: function s.p() = me\nprivileges: function s.p() to PUBLIC = EXECUTE",
        "",
        ["procedure s.p()"],
    ),
    ("materialized view: s.v = x\nowner: materialized view s.v = me", "", ["materialized view s.v"]),
    ("event trigger: e = x\nowner: event trigger e = me", "", ["event trigger e"]),
    ("schema: s = \nowner: schema s = me\nprivileges: schema s to PUBLIC = USAGE", "", ["schema s"]),
    ("view: s.v = x", "table: s.v = x\ncolumn: s.v.a = x", ["table s.v", "view s.v"]),
    ("table: s.t = x", "column: s.t.a = x", ["column s.t.a", "table s.t"]),
]


@pytest.mark.parametrize(("before", "after", "mains"), CASES)
def test_a_part_goes_with_its_whole(before: str, after: str, mains: list[str]) -> None:
    """Of a missing or extra object only the whole is a group of its own; a part that differs by itself is one too."""
    found_differences = differences(catalog(before) if before else Catalog(), catalog(after) if after else Catalog())
    groups = fold_parts(found_differences)
    assert [str(group.main.identity) for group in groups] == mains
    grouped = [difference.identity for group in groups for difference in (group.main, *group.parts)]
    orders = {difference.identity for difference in found_differences if difference.identity.kind == "column order"}
    assert {difference.identity for difference in found_differences} - orders <= set(grouped)
    assert len(grouped) == len(set(grouped))
