"""A database with a directory of modules and `up`, for the tests that run modules."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from infra.catalog.catalog import Catalog, fingerprint
from infra.catalog.changes import is_structure
from infra.errors import RefusedError
from infra.modules.decision import Lifecycle, Step
from infra.modules.module import Module, load_modules
from infra.postgres.apply import runner
from infra.postgres.apply.live_status import read_status
from infra.postgres.apply.module_effects import effects_of_modules
from infra.postgres.apply.plan_cache import PlanInProgress, cache
from infra.postgres.apply.planning import look
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect
from infra.postgres.connection.session import Session
from infra.postgres.connection.target import ADMIN_USER, MAINTENANCE_DATABASE, Target
from infra.postgres.introspection.reader import read_catalog
from infra.postgres.ledger import ledger
from infra.postgres.ledger.identity import read_identity
from infra.postgres.privileges import restrict

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from infra.catalog.catalog import ObjectId
    from infra.plan.plan import Plan, PlannedStep

OWNER, MIGRATOR, READER = "world_owner", "world_migrator", "world_readonly"
TEMPLATE = "world_template"

PERSISTENT, EPHEMERAL = Lifecycle.PERSISTENT, Lifecycle.EPHEMERAL


@dataclass
class World:
    """A database, its session and its modules; `messages` are those for the person who waits for the run."""

    session: Session
    files: Path
    messages: list[str] = field(default_factory=list[str])

    @property
    def place(self) -> str:
        """The database's name in messages."""
        return self.session.place

    def write(self, **texts: str | None) -> None:
        """Write module files (`m01_a` is 01-a.sql), or remove those that are None."""
        for name, text in texts.items():
            path = self.files / f"{name[1:].replace('_', '-')}.sql"
            if text is None:
                path.unlink()
            else:
                path.write_text(text, encoding="utf-8")

    def set(self, **changes: Any) -> World:  # noqa: ANN401 (a session's fields)
        """Change fields of the session, and return this world."""
        self.session = replace(self.session, **changes)
        return self

    def modules(self) -> list[Module]:
        """Return the modules of the directory."""
        return load_modules(self.files, shown_as="sql")

    def module(self, name: str) -> Module:
        """Return a module by its name."""
        return next(module for module in self.modules() if module.name == name)

    def up(self) -> list[Step]:
        """Apply all modules in order, as `pulumi up` would in a process of its own, and return the steps."""
        self.new_process()
        return [self.apply(module) for module in self.modules()]

    def refused(self) -> list[str]:
        """Apply all modules, and return the lines of the RefusedError in which that ends."""
        with pytest.raises(RefusedError) as caught:
            self.up()
        return str(caught.value).splitlines()

    def apply(self, module: Module, *, recorded: bool = False) -> Step:
        """Apply a module, and return the step."""
        return runner.apply(self.session, module, recorded=recorded).step

    def plan(self, *, recorded: bool = False) -> Plan:
        """Return the plan that a preview in a process of its own makes."""
        self.new_process()
        planned = look(self.session, recorded=recorded, explain=True)
        assert isinstance(planned, PlanInProgress), planned
        return planned.plan

    def step(self, module: str) -> PlannedStep:
        """Return a module's step in the plan of a preview."""
        step = self.plan().step_of(module)
        assert step, module
        return step

    def retire(self, name: str) -> str:
        """Retire a module whose file is gone, in a process that has not looked at the database."""
        self.new_process()
        return runner.retire(self.session, name)

    def new_process(self) -> None:
        """Forget what a process remembers between modules, except the effects on scratch, which are keyed by texts."""
        cache.clear()

    def sql(self, text: str, *, owner: bool = True) -> list[Any]:
        """Return the rows of a statement that is run by hand, as the owner or as a superuser."""
        with connect(by_hand(self.session.admin), autocommit=True) as connection:
            if owner:
                connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(OWNER)))
            cursor = connection.execute(text.encode())
            return cursor.fetchall() if cursor.description else []

    def catalog(self) -> Catalog:
        """Return the whole catalog."""
        with connect(self.session.target, autocommit=True) as connection:
            return read_catalog(connection)

    def unmanaged(self) -> list[ObjectId]:
        """Return the objects that no module made."""
        with connect(self.session.target, autocommit=True) as connection:
            return read_status(connection, self.session.program).unmanaged(self.session.allowed)

    def fingerprint(self) -> str:
        """Return the digest of the catalog's structure."""
        return fingerprint(self.catalog())

    def equals_scratch(self) -> bool:
        """Return whether the database contains exactly what its modules create in a scratch database."""
        definitions = effects_of_modules(self.session).definitions
        expected = {identity: text for identity, text in definitions.items() if is_structure(identity)}
        objects = self.catalog().structure().objects
        return expected == {identity: text for identity, text in objects.items() if str(identity) != "schema public"}

    def ledger(self) -> dict[str, str]:
        """Return the outcomes in the ledger by module, {} where there is no ledger."""
        with connect(self.session.target, autocommit=True) as connection:
            if not read_identity(connection):
                return {}
            return {entry.module: entry.outcome for entry in ledger.read_entries(connection)}

    def drift(self) -> dict[str, list[str]]:
        """Return the drift by module, without the modules that have none."""
        with connect(self.session.target, autocommit=True) as connection:
            status = read_status(connection, self.session.program)
        differences = {name: status.drift(name) for name in status.entries}
        return {
            name: [f"{difference.identity} is {difference.verdict}" for difference in drift]
            for name, drift in differences.items()
            if drift
        }


def by_hand(target: Target) -> Target:
    """Return a target whose sessions find and create what is not qualified in public, as those of a person do."""
    return replace(target, settings={"search_path": "public"})


def make_world(admin: Target, name: str, files: Path) -> World:
    """Return the world of a database."""
    messages: list[str] = []
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
        tell=messages.append,
    )
    return World(session, files, messages)


def create_template(admin: Target) -> None:
    """Create the roles, and a database as the stack declares one, which worlds are copies of, unless they exist."""
    with connect(admin, autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", (TEMPLATE,)).rowcount:
            return
        for role, rights in ((OWNER, "NOLOGIN"), (READER, "NOLOGIN"), (MIGRATOR, f"LOGIN IN ROLE {OWNER}")):
            connection.execute(f"CREATE ROLE {role} {rights}".encode())
        connection.execute(f"GRANT pg_signal_backend TO {OWNER}".encode())  # for modules that end their own session
        connection.execute(f"CREATE DATABASE {TEMPLATE} OWNER {OWNER}".encode())
    restrict(admin.on(TEMPLATE), owner=OWNER, readers=[READER])
    with connect(admin.on(TEMPLATE), autocommit=True) as connection:
        connection.execute(f"GRANT CONNECT ON DATABASE {TEMPLATE} TO {OWNER}".encode())


@contextmanager
def worlds(template: Target) -> Generator[Callable[[Path], World]]:
    """Yield a function that creates worlds; their databases are dropped after the block."""
    names: list[str] = []

    def make(files: Path) -> World:
        names.append(f"world_{uuid4().hex[:12]}")
        with connect(template, autocommit=True) as connection:
            connection.execute(
                f"CREATE DATABASE {names[-1]} TEMPLATE {TEMPLATE} OWNER {OWNER} STRATEGY file_copy".encode()
            )
        return make_world(template, names[-1], files)

    try:
        yield make
    finally:
        with connect(template, autocommit=True) as connection:
            for name in names:
                pool.close_all(name)
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def target_of(conninfo: str) -> Target:
    """Return the superuser's target for a connection string."""
    keywords = conninfo_to_dict(conninfo)
    port = int(keywords.get("port") or 5432)
    return Target(str(keywords["host"]), port, MAINTENANCE_DATABASE, str(keywords["user"]), "")


def terminate(world: World, pid: int) -> None:
    """End a session as an administrator would."""
    with psycopg.connect(host=world.session.admin.host, user=ADMIN_USER, dbname=MAINTENANCE_DATABASE) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
