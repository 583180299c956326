"""The draft of a migration: SQL for the differences between a database and what its modules make."""

from __future__ import annotations

import pytest

from infra.catalog.catalog import ObjectId
from infra.catalog.difference import Difference
from infra.plan.migration_statements import draft_statements, safe_draft
from tests.unit.plan.test_folding import table

COLUMN = ObjectId("column", "public.users.locale")


def lacking(kind: str, name: str, text: str = "") -> Difference:
    return Difference(ObjectId(kind, name), text, None)


def extra(kind: str, name: str, text: str = "") -> Difference:
    return Difference(ObjectId(kind, name), None, text)


COLUMNS: dict[str, tuple[Difference, list[str]]] = {
    "missing": (
        Difference(
            COLUMN,
            "type character varying(5)\ncollate \"C\"\nnot null\ndefault 'x'::text\ncomment 'As in BCP 47.'",
            None,
        ),
        [
            "ALTER TABLE public.users ADD COLUMN locale character varying(5) COLLATE \"C\" DEFAULT 'x'::text NOT NULL;",
            "COMMENT ON COLUMN public.users.locale IS 'As in BCP 47.';",
        ],
    ),
    "an identity": (
        Difference(COLUMN, "type integer\nnot null\ngenerated always as identity", None),
        ["ALTER TABLE public.users ADD COLUMN locale integer GENERATED ALWAYS AS IDENTITY NOT NULL;"],
    ),
    "extra": (Difference(COLUMN, None, "type text"), ["ALTER TABLE public.users DROP COLUMN locale;"]),
    "another type": (
        Difference(COLUMN, "type bigint\nnot null", "type integer\ndefault 0"),
        [
            "ALTER TABLE public.users ALTER COLUMN locale TYPE bigint;",
            "ALTER TABLE public.users ALTER COLUMN locale DROP DEFAULT;",
            "ALTER TABLE public.users ALTER COLUMN locale SET NOT NULL;",
        ],
    ),
    "no definition that is known": (Difference(COLUMN, "what is this", None), []),
}


@pytest.mark.parametrize(("difference", "statements"), COLUMNS.values(), ids=COLUMNS.keys())
def test_a_column_is_added_dropped_or_altered(difference: Difference, statements: list[str]) -> None:
    """The statements are those of ALTER TABLE, and one for the comment."""
    assert draft_statements([difference]) == statements


def test_a_table_is_renamed_with_its_parts() -> None:
    """A table with the same columns under another name is renamed, with its constraints and indexes; rows stay."""
    differences = [lacking(*part) for part in table("b")] + [extra(*part) for part in table("a")]
    view = Difference(
        ObjectId("constraint", "public.c.c_a_fkey"),
        "FOREIGN KEY (x) REFERENCES public.b(id)",
        "FOREIGN KEY (x) REFERENCES public.a(id)",
    )
    assert draft_statements([*differences, view]) == [
        "ALTER TABLE public.a RENAME TO b;",
        "ALTER TABLE public.b RENAME CONSTRAINT a_pkey TO b_pkey;",
        "ALTER INDEX public.a_note_idx RENAME TO b_note_idx;",
    ]


def test_tables_are_dropped_and_the_text_of_new_ones_is_in_their_modules() -> None:
    """What belongs to a table goes and comes with it."""
    new = lacking("table", "public.b"), lacking("column", "public.b.x", "type text")
    assert draft_statements([*new, *(extra(*part) for part in table("a"))]) == [
        "-- CREATE TABLE public.b, with what belongs to it: as in its module",
        "DROP TABLE public.a;",
    ]


def test_other_objects_are_replaced_by_their_definitions() -> None:
    """Indexes, constraints and views by their SQL; an object that no SQL describes is left out."""
    found = [
        lacking("index", "public.i", "CREATE INDEX i ON public.users USING btree (email)"),
        Difference(ObjectId("constraint", "public.users.c"), "CHECK (id > 0)", "CHECK (id > 1)"),
        lacking("collation", "public.c"),
    ]
    assert draft_statements(found) == [
        "ALTER TABLE public.users DROP CONSTRAINT c;",
        "CREATE INDEX i ON public.users USING btree (email);",
        "ALTER TABLE public.users ADD CONSTRAINT c CHECK (id > 0);",
    ]


def test_a_draft_stops_nobody_for_long() -> None:
    """An index is built while rows are written, as a revision would have it, and the draft says how it is run."""
    index = lacking("index", "public.a_x_idx", "CREATE INDEX a_x_idx ON public.a USING btree (x)")
    draft = safe_draft([index])
    assert draft.lines == ["CREATE INDEX CONCURRENTLY a_x_idx ON public.a USING btree (x);"]
    assert draft.note == "each statement in a transaction of its own, so that nobody waits for its lock for long"
    assert safe_draft([COLUMNS["extra"][0]]).note == ""


def test_a_draft_that_the_parser_does_not_know_stays_as_it_is() -> None:
    """A newer server may have clauses that this program's parser does not know."""
    index = lacking("index", "public.a_x_idx", "CREATE INDEX a_x_idx ON public.a NEWLY (x)")
    assert safe_draft([index]).lines == ["CREATE INDEX a_x_idx ON public.a NEWLY (x);"]
