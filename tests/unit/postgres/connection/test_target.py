"""Tests for targets, sessions and the keys of the connection pool, without a server."""

from __future__ import annotations

from dataclasses import replace

from psycopg.conninfo import conninfo_to_dict

from infra.postgres.connection import pool
from infra.postgres.connection.session import Session
from infra.postgres.connection.session_settings import SESSION_SETTINGS, startup_options
from infra.postgres.connection.target import Target, conninfo_of, has_several_hosts

TARGET = Target("h", 5433, "d", "u", "p'w \\", {"sslmode": "disable"})
SEVERAL = replace(TARGET, options={"host": "a,b", "port": "1,2"})


def test_a_target_never_shows_its_password_or_options() -> None:
    """str() and repr() contain neither the password nor options, which may contain one."""
    assert str(TARGET) == "u@h:5433/d"
    assert "p'w" not in repr(TARGET)
    assert "disable" not in repr(TARGET)


def test_another_database_of_the_same_server() -> None:
    """Only the database differs."""
    assert TARGET.on("e") == replace(TARGET, database="e")


def test_the_connection_string_has_everything() -> None:
    """Libpq gets the fields, this program's name, a time limit and the options, which take precedence."""
    assert conninfo_to_dict(conninfo_of(TARGET)) == {
        "host": "h",
        "port": "5433",
        "dbname": "d",
        "user": "u",
        "password": "p'w \\",
        "application_name": "platform-postgres",
        "connect_timeout": "10",
        "sslmode": "disable",
        "client_encoding": "UTF8",
        "options": startup_options(SESSION_SETTINGS),
    }
    assert conninfo_to_dict(conninfo_of(replace(TARGET, options={"connect_timeout": "2"})))["connect_timeout"] == "2"


def test_what_is_empty_is_left_to_libpq() -> None:
    """An empty host, as of a connection string that names a service, does not hide what the service says."""
    keywords = conninfo_to_dict(conninfo_of(Target("", 0, "", "", "", {"service": "s"})))
    assert keywords.keys() == {"service", "application_name", "connect_timeout", "client_encoding", "options"}


def test_a_targets_own_settings_come_in_place_of_the_usual_ones() -> None:
    """What a connection string says comes first, of which the server takes nothing that comes again."""
    target = replace(TARGET, options={"options": "-c a=b", "client_encoding": "LATIN1"}, settings={"TimeZone": "x y"})
    keywords = conninfo_to_dict(conninfo_of(target))
    assert str(keywords["options"]).startswith("-c a=b -c search_path=pg_catalog,pg_temp -c role=none ")
    assert "-c TimeZone=x\\ y " in str(keywords["options"])
    assert keywords["client_encoding"] == "UTF8"


def test_several_hosts() -> None:
    """Lists of hosts and ports come from the options, and each host gets less time."""
    keywords = conninfo_to_dict(conninfo_of(SEVERAL))
    assert (keywords["host"], keywords["port"], keywords["connect_timeout"]) == ("a,b", "1,2", "3")
    assert has_several_hosts(SEVERAL)
    assert not has_several_hosts(TARGET)


def test_connections_are_shared_only_between_equal_targets() -> None:
    """The key of the pool has every field of a target, password and options included, in one order."""
    key = pool._key  # pyright: ignore[reportPrivateUsage]
    others = [
        replace(TARGET, host="x"),
        replace(TARGET, port=1),
        TARGET.on("e"),
        replace(TARGET, user="x"),
        replace(TARGET, password="x"),
        replace(TARGET, options={}),
    ]
    assert len({key(target) for target in (TARGET, *others)}) == 7
    assert key(replace(TARGET, options={"a": "1", "b": "2"})) == key(replace(TARGET, options={"b": "2", "a": "1"}))


def test_a_pool_without_connections() -> None:
    """Nothing is idle before the first use, and closing all is harmless."""
    assert not pool.has_idle(TARGET)
    pool.close_all()
    pool.cut("h", 5433)


def test_sessions_are_equal_whoever_hears_their_messages() -> None:
    """The receiver of messages is no part of a session's identity; by default they are dropped."""
    session = Session(TARGET, TARGET, "owner", "stack")
    assert session == replace(session, tell=print)
    assert session.place == "database d"
    session.tell("nobody reads this")
