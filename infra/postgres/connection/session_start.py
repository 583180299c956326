"""What a session is given beside its startup packet: when it begins, and when it goes on to other work.

The settings themselves are in session_settings.py, which programs that open no connection import without the driver.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from infra.postgres.connection.session_settings import ADMINISTRATORS_ROLE, LATER_SETTINGS, SUPERUSER_SETTINGS
from infra.postgres.connection.simple_query import simple_query

if TYPE_CHECKING:
    import psycopg

_MAJOR = 10_000

_later: WeakKeyDictionary[psycopg.Connection[tuple[Any, ...]], str] = WeakKeyDictionary()


def complete_settings(connection: psycopg.Connection[tuple[Any, ...]], *, of_administrator: bool) -> None:
    """Set in a new session what the startup packet could not: what depends on the version and on the role."""
    version = connection.info.server_version
    _later[connection] = _commands(version, **LATER_SETTINGS)
    simple_query(connection, _later[connection] + (ADMINISTRATORS_ROLE if of_administrator else ""))
    if connection.pgconn.parameter_status(b"is_superuser") == b"on":
        simple_query(connection, _commands(version, **SUPERUSER_SETTINGS))


def reset_settings(connection: psycopg.Connection[tuple[Any, ...]]) -> str:
    """Return the commands that give a session its first settings again, but not its role.

    Those that only superusers may set are left out: the session may have another role at that moment.
    """
    return f"RESET ALL; {_later.get(connection, '')}"


@cache
def _commands(version: int, **settings: tuple[str, tuple[int, ...]]) -> str:
    return "".join(
        f"SET {name} = {value}; " for name, (value, versions) in settings.items() if _is_among(version, versions)
    )


def _is_among(version: int, first: tuple[int, ...]) -> bool:
    """Return whether a version has what these releases were the first to have, each in its major version."""
    of_major = [release for release in first if release // _MAJOR == version // _MAJOR]
    return version >= min(of_major, default=max(first))
