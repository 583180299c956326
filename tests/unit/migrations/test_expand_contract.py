"""Changes that would rewrite a table are written out as small steps and two releases."""

from __future__ import annotations

import pytest

from infra.migrations.expand_contract import expanded


def test_a_type_changes_by_a_second_column() -> None:
    """The new column first; the old one goes when nothing uses it any more."""
    assert expanded('ALTER TABLE "Order" ALTER COLUMN id TYPE bigint USING id::bigint') == [
        'ALTER TABLE "Order" ADD COLUMN id_new bigint;',
        "-- the application, or a trigger, writes both columns from now on",
        "-- then in steps of some thousand rows, each in a transaction of its own:",
        'UPDATE "Order" SET id_new = id WHERE id_new IS DISTINCT FROM id;  -- and a range of the key',
        "-- in the next release, when nothing uses id any more:",
        'ALTER TABLE "Order" DROP COLUMN id;',
        'ALTER TABLE "Order" RENAME COLUMN id_new TO id;',
    ]


def test_a_default_that_is_computed_for_each_row_comes_after_the_column() -> None:
    """A column without a default is added in a moment; rows that exist get the default in steps."""
    lines = expanded("ALTER TABLE a ADD COLUMN u uuid DEFAULT gen_random_uuid() NOT NULL")
    assert lines[:2] == [
        "ALTER TABLE a ADD COLUMN u uuid;",
        "ALTER TABLE a ALTER COLUMN u SET DEFAULT gen_random_uuid();",
    ]
    assert lines[-1].endswith("ALTER TABLE a ALTER u SET NOT NULL;")


@pytest.mark.parametrize("sql", ["ALTER TABLE a ADD COLUMN b int", "SELECT 1", "ALTER TABLE a SET UNLOGGED"])
def test_what_has_no_such_form_has_none(sql: str) -> None:
    """Nothing is invented."""
    assert expanded(sql) == []
