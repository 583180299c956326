"""What a refresh and a preview see of a live database: drift by module, what nobody manages, or no answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from infra.errors import InfraError
from infra.postgres.apply import preview
from infra.postgres.apply.status import read_status
from infra.postgres.connection.target import connect
from tests.database.postgres.databases import MIGRATOR

if TYPE_CHECKING:
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

TABLE = "CREATE TABLE a (id integer PRIMARY KEY, name text);\n"


@pytest.fixture
def applied(world: World) -> World:
    """Give a world with two modules applied."""
    world.write(m01_a=TABLE, m02_b="CREATE VIEW v AS SELECT id FROM a;\nGRANT SELECT ON v TO world_readonly;\n")
    world.up()
    return world


def compared(world: World, module: str) -> str | None:
    """Compare as a refresh in a process of its own would."""
    world.new_process()
    return preview.detect_drift(world.session, module)


def unmanaged(world: World, *allowed: str) -> list[str]:
    with connect(world.session.target, autocommit=True) as connection:
        return [str(one) for one in read_status(connection, world.session.stack).unmanaged(allowed)]


def test_no_drift_is_empty(applied: World) -> None:
    """A module whose objects are as it left them has none; rows do not count."""
    applied.sql("INSERT INTO a VALUES (1, 'x')")
    assert compared(applied, "01-a") == compared(applied, "02-b") == ""


def test_drift_is_a_line_diff_on_its_module(applied: World) -> None:
    """Changed and missing objects are shown line by line, on the module that made them and on no other."""
    applied.sql(
        "ALTER TABLE a ALTER name SET DEFAULT 'x'; ALTER TABLE a ADD extra text; REVOKE SELECT ON v FROM world_readonly"
    )
    assert compared(applied, "01-a") == (
        "column public.a.name is different\n    type text\n  + default 'x'::text\n"
        "column order public.a is different\n  - id, name\n  + id, name, extra"
    )
    assert compared(applied, "02-b") == "privileges view public.v to world_readonly is missing\n  - SELECT"
    assert applied.outlook("01-a").drift == compared(applied, "01-a")
    assert applied.outlook("01-a").refused == ""
    assert unmanaged(applied) == ["column public.a.extra"]


def test_a_module_that_the_ledger_does_not_hold_is_gone(applied: World) -> None:
    """Without its row, or without the database, a module is not there; that is no error."""
    assert compared(applied, "03-c") is None
    nowhere = applied.session.target.on("nowhere")
    applied.new_process()
    assert preview.detect_drift(replace(applied.session, target=nowhere), "01-a") is None


def test_a_server_that_is_away_fails_a_refresh(applied: World) -> None:
    """A refresh that cannot look must not say that all is well, nor that all is gone."""
    applied.new_process()
    away = replace(applied.session, target=replace(applied.session.target, host="127.0.0.1", port=1))
    with pytest.raises(InfraError) as caught:
        preview.detect_drift(away, "01-a")
    assert str(caught.value).startswith(f"{applied.place}: cannot be reached")


def test_a_server_that_is_away_skips_a_preview(applied: World) -> None:
    """A preview says once that the live check is skipped, and goes on with what the file says."""
    applied.set(target=replace(applied.session.target, host="127.0.0.1", port=1))
    assert applied.outlook("01-a") == preview.Preview()
    assert len(applied.told) == 1
    assert applied.told[0].startswith(f"live check of {applied.place} skipped: ")


def test_unmanaged_objects_are_named_once(applied: World) -> None:
    """What no module made is named as a whole: a table, not its columns, indexes and sequences; no extension is."""
    applied.sql(
        "CREATE TABLE legacy (id serial PRIMARY KEY WITH (fillfactor = 50), x text); CREATE INDEX ON legacy (x);"
        "CREATE TYPE mood AS ENUM ()"
    )
    assert unmanaged(applied) == ["enum public.mood", "table public.legacy"]
    assert unmanaged(applied, "table public.leg*") == ["enum public.mood"]
    assert unmanaged(applied, "* public.*") == []


def test_a_preview_reads_and_writes_nothing(applied: World) -> None:
    """A preview leaves no row, event, session setting or connection behind."""
    before = applied.sql("SELECT (SELECT count(*) FROM sqlmodule.event), (SELECT array_agg(l) FROM sqlmodule.ledger l)")
    applied.write(m01_a=TABLE.replace("text", "varchar"))
    assert "is different" in applied.outlook("01-a").refused
    assert before == applied.sql(
        "SELECT (SELECT count(*) FROM sqlmodule.event), (SELECT array_agg(l) FROM sqlmodule.ledger l)"
    )
    assert applied.sql(f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{MIGRATOR}' AND state <> 'idle'") == [
        (0,)
    ]
