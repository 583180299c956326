"""The session for a database's modules: the database, the roles, what a run may do, and how long it may wait."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from infra.modules.decision import Lifecycle
from infra.modules.module import load_modules
from infra.modules.seed import read_seed
from infra.plan.ledger_rows import Program
from infra.postgres.connection.execute import owner_settings, owner_transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from infra.hazards.sizes import TableSize
    from infra.modules.module import Module
    from infra.modules.seed import SeedFile
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.scratch_target import ScratchTarget
    from infra.postgres.connection.target import Target


def _ignore(_message: str) -> None:
    """Do nothing with a message."""


@dataclass(frozen=True)
class LossBackup:
    """How a backup of a database is made before revisions that lose rows: `make` writes it, below `folder`.

    `make` returns what was done, in lines. Given that an earlier run began with the same revisions, it leaves older
    backups, since only those have what that run dropped.
    """

    folder: str
    make: Callable[[Session, bool], list[str]]


@dataclass(frozen=True)
class Session:
    """One database for its modules; times are seconds.

    `target` connects as the migrator, `admin` as a role that may create scratch databases and see other sessions;
    `directory` contains the module files, `migrations` the revisions ('' for none); `tell` receives the messages for
    the person who waits for the run. `roles` are those of the database besides owner and migrator, `extensions` those
    that its administrator creates; the owner's default privileges do not hold for `private_schemas`. `scratch` provides
    databases for running modules to see what they make; without it they are on the session's own server. `formerly` is
    another name that the stack had, as its state proves; `beside` is the stack whose ledger the database has, where it
    has another one's. `losses` is a file: where it is given, a run that would lose rows writes there which, and loses
    none. With `adopt` a database that was made elsewhere is brought over to the revisions. `sizes` are those of the
    tables for which hazards count; without them the database's are read. With `backup`, one is made before revisions
    that lose rows. `one_of_many` says that the run works on as many databases at once as pays: what is done ahead in a
    thread takes time from the others. `seed` is the file with the rows of a new database, '' for none.
    """

    target: Target
    admin: Target
    owner: str
    stack: str
    formerly: str = ""
    beside: str = ""
    lifecycle: Lifecycle = Lifecycle.PERSISTENT
    directory: str = "sql"
    migrations: str = ""
    allowed: tuple[str, ...] = ()
    private_schemas: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    lock_timeout: float = 10
    statement_timeout: float = 600
    wait: float = 60
    losses: str = ""
    adopt: bool = False
    one_of_many: bool = False
    seed: str = ""
    sizes: Mapping[str, TableSize] | None = field(default=None, hash=False)
    tell: Callable[[str], None] = field(default=_ignore, compare=False)
    scratch: Callable[[Session], AbstractContextManager[ScratchTarget]] | None = field(default=None, compare=False)
    backup: LossBackup | None = field(default=None, compare=False)

    @property
    def place(self) -> str:
        """The database's name in messages."""
        return f"database {self.target.database}"

    @property
    def program(self) -> Program:
        """Whose rows in the ledger are those of this session's modules."""
        return Program(self.stack, self.beside)

    @property
    def key(self) -> str:
        """What tells this database with its modules from others, in this process."""
        return self.program.key(self.target)

    @property
    def runs_revisions(self) -> bool:
        """Whether a database with rows runs revisions: an ephemeral one is rebuilt, unless it is brought over."""
        return bool(self.migrations) and (self.lifecycle is Lifecycle.PERSISTENT or self.adopt)

    def read_modules(self) -> list[Module]:
        """Read the modules of the directory, in their order; raises ModuleFileError."""
        return load_modules(Path(self.directory), shown_as=self.directory)

    def read_seed(self) -> SeedFile | None:
        """Read the seed, None where there is none; raises ModuleFileError."""
        return read_seed(Path(self.seed), self.seed) if self.seed else None

    def settings(self, connection: Connection) -> str:
        """Return the commands for the owner's role and the time limits in the current transaction."""
        return owner_settings(connection, self.owner, self.lock_timeout, self.statement_timeout)

    def transaction(self, connection: Connection) -> AbstractContextManager[None]:
        """Return a context in which statements run in one transaction, as the owner and within the time limits."""
        return owner_transaction(
            connection, self.owner, lock_timeout=self.lock_timeout, statement_timeout=self.statement_timeout
        )
