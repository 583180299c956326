"""Tests for the SQL that adapts a ledger to another server."""

from __future__ import annotations

from infra.catalog.catalog import ObjectId
from infra.catalog.difference import Difference
from infra.modules.decision import Step
from infra.postgres.ledger.ledger import OUTCOMES
from infra.postgres.ledger.relocation import RELOCATE, catalog_queries_as_json, replace_definition


def test_the_queries_have_no_parameters() -> None:
    """Psql gets complete statements: the hidden schemas are written in, and percent signs are single."""
    queries = catalog_queries_as_json()
    assert len(queries) == 3
    for query in queries:
        assert query.startswith("BEGIN; SET LOCAL search_path = ''")
        assert query.endswith("; COMMIT")
        assert "ARRAY['information_schema', 'sqlmodule']" in query
        assert "%%" not in query
        assert "%(" not in query


def test_texts_are_quoted() -> None:
    """Quotes in names and definitions are doubled."""
    statement = replace_definition(Difference(ObjectId("view", "public.o'clock"), "SELECT 'a'", "SELECT 'b'"))
    assert "= 'public.o''clock'" in statement
    assert "= 'SELECT ''a'''" in statement
    assert "to_jsonb('SELECT ''b'''::text)" in statement


def test_only_the_given_server_and_database_are_replaced() -> None:
    """A ledger that names another server than the given one is left alone."""
    assert "i.system_identifier = '7' AND i.database = 5" in RELOCATE.format(system_identifier=7, database=5)


def test_every_step_that_writes_a_row_has_an_outcome() -> None:
    """Steps without an outcome keep the row's: a changed text, and none that is taken on a new row."""
    assert {Step.APPLY, Step.REBUILD, Step.ADOPT, Step.VERIFY} == OUTCOMES.keys()
