"""The variables that libpq reads (PostgreSQL manual, 32.15): no connection of this program is to depend on them.

Some cannot be overridden by a connection string: PGSERVICE names a service in addition to it, and PGTZ, PGDATESTYLE and
PGGEQO are sent after its `options`. So all of them are removed from the process before it connects.
"""

from __future__ import annotations

import os

KEPT = frozenset({"PGPASSFILE", "PGSERVICEFILE", "PGSYSCONFDIR"})
"""Where files are that only a connection string asks for: by `service`, or by leaving out the password."""

_removed: dict[str, str] = {}


def ignore_libpq_variables() -> None:
    """Remove libpq's variables from this process; libpq_variable() still returns them."""
    for name in [name for name in os.environ if name.startswith("PG") and name not in KEPT]:
        _removed[name] = os.environ.pop(name)


def libpq_variable(name: str, default: str = "") -> str:
    """Return a variable of the environment in which this process was started, for a connection string that asks."""
    return os.environ.get(name, _removed.get(name, default))
