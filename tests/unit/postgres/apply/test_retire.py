"""The error of a new module that is in conflict with objects of modules without a file."""

from __future__ import annotations

from infra.errors import ModuleError, SourcePlace
from infra.postgres.apply.retire import with_orphans_named


def test_orphans_are_named_in_the_hint() -> None:
    """Message, SQLSTATE and place stay as they are, and the hint names the modules without a file."""
    place = SourcePlace("sql/03-c.sql", 1, 1, "CREATE TABLE a ();")
    error = with_orphans_named(ModuleError("it exists", sqlstate="42P07", at=place, detail="d"), ["01-a", "02-b"])
    assert (error.what, error.sqlstate, error.at, error.detail) == ("it exists", "42P07", place, "d")
    assert error.hint == (
        "modules whose files were removed may have created it, and their objects stay: 01-a, 02-b; "
        "restore a file to have it compared with the database"
    )


def test_a_hint_of_the_server_is_kept() -> None:
    """PostgreSQL's own hint is not replaced."""
    assert with_orphans_named(ModuleError("x", path="sql/03-c.sql", hint="own"), ["01-a"]).hint == "own"
