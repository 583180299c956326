"""Clones that are made before a test asks for one, by a thread of its own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from psycopg import sql

from infra.postgres.connection.connect import connect

if TYPE_CHECKING:
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target
    from infra.testing.template import CloneTemplate

READY = 4
"""How many clones wait for tests."""


class ClonePool:
    """Creates clones ahead, and drops returned ones once there are more than `most_used`.

    The server ends with the run, and with it all databases; so a clone is dropped only to save memory.
    """

    def __init__(self, admin: Target, template: CloneTemplate, *, most_used: int) -> None:
        self._admin = admin
        self._template = template
        self._most_used = most_used
        self._changed = threading.Condition()
        self._ready: list[str] = []
        self._used: list[str] = []
        self._error: Exception | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def take(self) -> str:
        """Return the name of a new clone, which is the caller's; raises what the server raised."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._error)
            if self._error:
                raise self._error
            self._changed.notify_all()
            return self._ready.pop(0)

    def give_back(self, name: str) -> None:
        """Accept a clone that is not needed any more, with the sessions that may still be open in it."""
        with self._changed:
            self._used.append(name)
            self._changed.notify_all()

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def _work(self) -> None:
        number = 0
        try:
            with connect(self._admin, autocommit=True) as connection:
                while self._wait():
                    if len(self._used) > self._most_used:
                        used = sql.Identifier(self._used.pop(0))
                        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(used))
                    else:
                        number += 1
                        self._create(connection, f"test_{number}")
        except Exception as error:  # noqa: BLE001 (it is raised where a clone is taken)
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _wait(self) -> bool:
        """Wait until there is something to do; return whether there is, and False at the end."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closing or len(self._ready) < READY or len(self._used) > self._most_used
            )
            return not self._closing

    def _create(self, connection: Connection, name: str) -> None:
        self._template.clone(connection, name)
        with self._changed:
            self._ready.append(name)
            self._changed.notify_all()
