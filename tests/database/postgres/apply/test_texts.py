"""The text of a module reaches PostgreSQL unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.modules.decision import Step
from infra.modules.restrictions import find_restricted

if TYPE_CHECKING:
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

TEXT = r"""
/* outer /* inner; ' " $$ */ still a comment; */
CREATE TABLE texts (number serial, said text DEFAULT '100 % of %s and %(x)s');
INSERT INTO texts (said) VALUES ('50%'), (':name'), (E'a\'b'), ('a;b'), ($$it's$$), ($q$ $$ ; -- no comment $q$);
INSERT INTO texts (said) VALUES ('é 😀');
INSERT INTO texts (said) VALUES (DEFAULT), ('1'::text || '2'), ((ARRAY['x', 'y'])[1:1]::text);
CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1; SELECT 2';
CREATE FUNCTION two() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;
CREATE FUNCTION three() RETURNS text LANGUAGE plpgsql AS $body$
BEGIN
    EXECUTE $q$ SELECT 'not % formatted' $q$; -- BEGIN; COMMIT;
    RETURN format('%s', 3);
END $body$;
CREATE PROCEDURE four() LANGUAGE plpgsql AS 'BEGIN NULL; END';
DO $$ BEGIN RAISE NOTICE '%', 'noticed'; END $$;
"""


def test_text_is_sent_unchanged(world: World) -> None:
    """Per cent signs, colons, quotes of all kinds, nested comments and bodies in several languages are sent as text."""
    world.write(m01_a=TEXT)
    assert find_restricted(world.modules()[0]) == []
    assert world.up() == [Step.APPLY]
    assert [text for (text,) in world.sql("SELECT said FROM texts ORDER BY number")] == [
        "50%",
        ":name",
        "a'b",
        "a;b",
        "it's",
        " $$ ; -- no comment ",
        "é 😀",
        "100 % of %s and %(x)s",
        "12",
        "{x}",
    ]
    assert world.sql("SELECT one(), two(), three()") == [(2, 2, "3")]
    assert world.drift() == {}
    assert world.equals_scratch()


def test_windows_line_ends_are_the_same_module(world: World) -> None:
    """A checkout with CRLF is what was applied with LF."""
    world.write(m01_a="CREATE TABLE a ();\nCREATE TABLE b ();\n")
    world.up()
    (world.files / "01-a.sql").write_bytes(b"CREATE TABLE a ();\r\nCREATE TABLE b ();\r\n")
    assert world.up() == [Step.UNCHANGED]


def test_10_mb_of_inserts_are_applied(world: World) -> None:
    """A module of 10 MB runs in one transaction like any other, in seconds."""
    row = "INSERT INTO a VALUES ('" + "x" * 970 + "');\n"
    world.write(m01_a="CREATE TABLE a (x text);\n" + row * 10_500)
    assert world.up() == [Step.APPLY]
    assert world.sql("SELECT count(*) FROM a") == [(10_500,)]
