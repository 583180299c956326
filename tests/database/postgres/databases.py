"""A database, a directory of modules, and `up`: what every test of the runner begins with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from infra.catalog.catalog import Catalog, fingerprint
from infra.catalog.changes import is_structure
from infra.errors import RefusedError
from infra.modules.decision import Digests, Lifecycle, Step
from infra.modules.digests import text_digest
from infra.modules.module import Module, load_modules
from infra.modules.statements import statements_digest
from infra.postgres.apply import preview, runner
from infra.postgres.apply.compare import effects_of_modules
from infra.postgres.apply.status import read_status
from infra.postgres.connection.session import Session
from infra.postgres.connection.target import Target, connect
from infra.postgres.introspection.reader import read_catalog
from infra.postgres.ledger import ledger

if TYPE_CHECKING:
    from pathlib import Path

OWNER, MIGRATOR, READER = "world_owner", "world_migrator", "world_readonly"
TEMPLATE = "world_template"

PERSISTENT, EPHEMERAL = Lifecycle.PERSISTENT, Lifecycle.EPHEMERAL


def digests(module: Module) -> Digests:
    """Digest a module as the resource does."""
    return Digests(text_digest(module.text), statements_digest(module.text))


@dataclass
class World:
    """A database, its session and its modules; `told` is what a person would have read."""

    session: Session
    files: Path
    told: list[str] = field(default_factory=list[str])

    @property
    def place(self) -> str:
        """What messages call the database."""
        return self.session.place

    def write(self, **texts: str | None) -> None:
        """Write modules (`m01_a` is 01-a.sql), or remove one by None."""
        for name, text in texts.items():
            path = self.files / f"{name[1:].replace('_', '-')}.sql"
            if text is None:
                path.unlink()
            else:
                path.write_text(text, encoding="utf-8")

    def set(self, **changes: Any) -> World:  # noqa: ANN401 (a session's fields)
        """Change the session's fields."""
        self.session = replace(self.session, **changes)
        return self

    def modules(self) -> list[Module]:
        """Read the directory."""
        return load_modules(self.files, shown_as="sql")

    def module(self, name: str) -> Module:
        """Give one module by its name."""
        return next(module for module in self.modules() if module.name == name)

    def up(self, *, looking: bool = True) -> list[Step]:
        """Apply all modules in order, as `pulumi up` would in a process of its own, and give the steps."""
        self.new_process()
        return [self.apply(module, looking=looking) for module in self.modules()]

    def refused(self) -> list[str]:
        """Give the lines of the refusal that applying all modules ends in."""
        with pytest.raises(RefusedError) as caught:
            self.up()
        return str(caught.value).splitlines()

    def apply(self, module: Module, *, looking: bool = True) -> Step:
        """Apply one module."""
        return runner.apply(self.session, module, digests(module), looking=looking).step

    def outlook(self, name: str) -> preview.Preview:
        """Foresee one module as a preview in a process of its own would."""
        self.new_process()
        module = self.module(name)
        return preview.preview(self.session, module, digests(module))

    def retire(self, name: str) -> str:
        """Take leave of a module whose file is gone."""
        self.new_process()
        return runner.retire(self.session, name)

    def new_process(self) -> None:
        """Forget what a process remembers between modules, but for what is expensive and keyed by texts."""
        runner._empty.clear()  # pyright: ignore[reportPrivateUsage]
        preview._looked.clear()  # pyright: ignore[reportPrivateUsage]

    def sql(self, text: str, *, owner: bool = True) -> list[Any]:
        """Run a statement by hand, as the owner or as a superuser."""
        with connect(self.session.admin, autocommit=True) as connection:
            if owner:
                connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(OWNER)))
            cursor = connection.execute(text.encode())
            return cursor.fetchall() if cursor.description else []

    def catalog(self) -> Catalog:
        """Read the whole catalog."""
        with connect(self.session.target, autocommit=True) as connection:
            return read_catalog(connection)

    def fingerprint(self) -> str:
        """Digest the catalog's structure."""
        return fingerprint(self.catalog())

    def is_as_made(self) -> bool:
        """Say whether the database holds exactly what its modules make on a scratch database."""
        made = {one: text for one, text in effects_of_modules(self.session).last.items() if is_structure(one)}
        found = self.catalog().structure().objects
        return made == {one: text for one, text in found.items() if str(one) != "schema public"}

    def ledger(self) -> dict[str, str]:
        """Give each module's outcome as the ledger has it, {} where there is no ledger."""
        with connect(self.session.target, autocommit=True) as connection:
            if not ledger.identity(connection):
                return {}
            return {entry.module: entry.outcome for entry in ledger.entries(connection)}

    def drift(self) -> dict[str, list[str]]:
        """Give what differs from the ledger, by module; modules without drift are left out."""
        with connect(self.session.target, autocommit=True) as connection:
            live = read_status(connection, self.session.stack)
        found = {name: [f"{one.identity} is {one.verdict}" for one in live.drift(name)] for name in live.entries}
        return {name: names for name, names in found.items() if names}


def make_world(admin: Target, name: str, files: Path) -> World:
    """Give the world of a database."""
    told: list[str] = []
    admin = admin.on(name)
    session = Session(
        target=replace(admin, user=MIGRATOR),
        admin=admin,
        owner=OWNER,
        stack="org/project/dev",
        directory="sql",
        lock_timeout=1,
        statement_timeout=20,
        wait=10,
        tell=told.append,
    )
    return World(session, files, told)


def target_of(conninfo: str) -> Target:
    """Give the superuser's target of a conninfo."""
    words = conninfo_to_dict(conninfo)
    return Target(str(words["host"]), int(words.get("port") or 5432), "postgres", str(words["user"]), "")


def terminate(world: World, pid: int) -> None:
    """End a session as an administrator would."""
    with psycopg.connect(host=world.session.admin.host, user="postgres", dbname="postgres") as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
