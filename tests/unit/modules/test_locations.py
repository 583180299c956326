"""Objects are found where the modules create them, to the line and column."""

from __future__ import annotations

import pytest

from infra.modules.locations import locations_of
from infra.modules.module import Module

TEXT = """\
-- Ünicode before everything, so that bytes and characters differ.
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE TABLE "T" (
    ä integer,
    b integer CONSTRAINT positive CHECK (b > 0),
    CONSTRAINT t_pkey PRIMARY KEY (ä)
);
CREATE TABLE other.u (c integer);
ALTER TABLE "T"
    ADD COLUMN d integer,
    ADD CONSTRAINT d_key UNIQUE (d);
CREATE INDEX i ON other.u (c);
CREATE TYPE mood AS ENUM ('good');
CREATE DOMAIN other.positive AS integer;
CREATE VIEW v AS SELECT 1; CREATE SEQUENCE s;
CREATE TRIGGER w BEFORE INSERT ON "T" FOR EACH ROW EXECUTE FUNCTION f();
CREATE POLICY p ON "T";
CREATE RULE r AS ON INSERT TO "T" DO NOTHING;
CREATE INDEX ON other.u (c);
CREATE TYPE other.pair AS (first integer);
ALTER TABLE "T" ALTER COLUMN b TYPE bigint;
SELECT 1;
"""

PLACES = [
    ("extension", ("uuid-ossp",), "2:1"),
    ("table", ("public", "T"), "3:1"),
    ("column", ("public", "T", "ä"), "4:5"),
    ("column", ("public", "T", "b"), "5:5"),
    ("constraint", ("public", "T", "positive"), "5:15"),
    ("constraint", ("public", "T", "t_pkey"), "6:5"),
    ("table", ("other", "u"), "8:1"),
    ("column", ("other", "u", "c"), "8:23"),
    ("column", ("public", "T", "d"), "10:16"),
    ("constraint", ("public", "T", "d_key"), "11:9"),
    ("index", ("other", "i"), "12:1"),
    ("enum", ("public", "mood"), "13:1"),
    ("domain", ("other", "positive"), "14:1"),
    ("view", ("public", "v"), "15:1"),
    ("sequence", ("public", "s"), "15:28"),
    ("trigger", ("public", "T", "w"), "16:1"),
    ("policy", ("public", "T", "p"), "17:1"),
    ("rule", ("public", "T", "r"), "18:1"),
    ("composite type", ("other", "pair"), "20:1"),
    ("column", ("other", "pair", "first"), "20:28"),
]


def test_each_object_is_found_at_its_line() -> None:
    """Statements, columns, constraints: each at its first character, and nothing else is found."""
    locations = locations_of([Module(1, "01-a", "sql/01-a.sql", TEXT)])
    assert {key: str(place) for key, place in locations.items()} == {
        (kind, name): f"sql/01-a.sql:{place}" for kind, name, place in PLACES
    }


@pytest.mark.parametrize("texts", [("CREATE TABLE t ();", "\nCREATE TABLE t ();")])
def test_the_last_place_counts(texts: tuple[str, ...]) -> None:
    """An object that a later module creates again has its place there."""
    modules = [Module(number, f"0{number}-a", f"0{number}-a.sql", text) for number, text in enumerate(texts, 1)]
    assert str(locations_of(modules)["table", ("public", "t")]) == "02-a.sql:2:1"
