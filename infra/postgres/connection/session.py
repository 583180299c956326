"""How modules are run in one database: where, as whom, what may happen, how long anything may wait."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.modules.decision import Lifecycle
from infra.postgres.connection.execute import owner_transaction, set_role

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target


def _to_nobody(_text: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Session:
    """One database for its modules; times are seconds.

    `target` is the migrator's way in, `admin` that of whoever may make scratch databases and see other sessions;
    `directory` has the modules' files; `tell` gets what a person should hear while it happens.
    """

    target: Target
    admin: Target
    owner: str
    stack: str
    lifecycle: Lifecycle = Lifecycle.PERSISTENT
    directory: str = "sql"
    allowed: tuple[str, ...] = ()
    lock_timeout: float = 10
    statement_timeout: float = 600
    wait: float = 60
    tell: Callable[[str], None] = field(default=_to_nobody, compare=False)

    @property
    def place(self) -> str:
        """What the database is called in messages."""
        return f"database {self.target.database}"

    def begin(self, connection: Connection) -> None:
        """Be the owner, within the limits, for the current transaction."""
        set_role(connection, self.owner, lock_timeout=self.lock_timeout, statement_timeout=self.statement_timeout)

    def transaction(self, connection: Connection) -> AbstractContextManager[None]:
        """Do something in one transaction, as the owner and within the limits."""
        return owner_transaction(
            connection, self.owner, lock_timeout=self.lock_timeout, statement_timeout=self.statement_timeout
        )
