"""Recognises databases that exist elsewhere by their tables and columns, and finds the steps that bring them over.

The kinds are built on a scratch database, and compared with the live catalog; nothing of them is run on the live one.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.catalog.catalog import Catalog, ObjectId
from infra.catalog.changes import CatalogChange, catalog_change_between
from infra.catalog.definitions import column_of
from infra.errors import ModuleError, RefusedError
from infra.migrations.adoption import KnownDatabase, known_databases, step_of_baseline, step_of_file
from infra.migrations.history import BASELINE_FOLDER
from infra.migrations.revision_sql import RevisionSql, refuse_restricted, upgrade_sql
from infra.modules.digests import text_digest
from infra.modules.module import load_modules
from infra.modules.safe_forms import quoted
from infra.modules.statements import parse
from infra.postgres.apply.measure import Measurement
from infra.postgres.apply.module_effects import run_on_scratch, session_on_scratch
from infra.postgres.apply.module_text import run_text
from infra.postgres.apply.revision_effects import scratch_of
from infra.postgres.apply.scratch_names import catalog_with_real_names
from infra.postgres.connection.connect import connect
from infra.postgres.connection.error_messages import translated_errors
from infra.postgres.introspection.reader import read_catalog

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from infra.hazards.measured import MeasuredStatement
    from infra.migrations.history import History
    from infra.modules.module import Module
    from infra.modules.statements import Statement
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.scratch_target import ScratchTarget
    from infra.postgres.connection.session import Session

_EXISTS = frozenset({"42P07", "42710", "42701"})
"""SQLSTATEs of what exists already: duplicate_table (indexes too), duplicate_object, duplicate_column."""
MOST_OBJECTS = 8
"""How many objects a message names."""
_FUTURE = {"table": "tables", "view": "tables", "materialized view": "tables", "sequence": "sequences"}
"""The kinds of objects to which default privileges apply, as the catalog names those."""
_PUBLIC = ObjectId("schema", "public")
_MADE = {"table", "column", "view", "sequence", "index", "constraint"}

_kept: dict[tuple[str, ...], dict[str, Catalog]] = {}
_adoptions: dict[tuple[str, ...], Adoption] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class KindMatch:
    """How far a live database is of a kind: what it lacks of the kind, and which tables it has besides."""

    known: KnownDatabase
    number: int
    lacking: tuple[ObjectId, ...]
    others: tuple[ObjectId, ...]

    def __str__(self) -> str:
        lacks = f", but for {_named(self.lacking)}" if self.lacking else ""
        besides = f"; it has besides {_named(self.others)}" if self.others else ""
        return f"{self.known.name} (of its {self.number} tables and columns it has {self.has}{lacks}{besides})"

    @property
    def has(self) -> int:
        """How many of the kind's tables and columns the database has."""
        return self.number - len(self.lacking)


@dataclass(frozen=True)
class Adoption:
    """What brings a kind of database to the last revision: all steps, and what they change in its catalog."""

    known: KnownDatabase
    steps: tuple[RevisionSql, ...]
    catalogs: tuple[Catalog, ...]
    """The catalog before each step, and after the last one."""
    measured: Mapping[str, Sequence[MeasuredStatement]]
    """What the statements of each step do to tables in use, by its id."""

    def after(self, done: int) -> tuple[RevisionSql, ...]:
        """Return the steps that follow the first ones."""
        return self.steps[done:]

    def change_after(self, done: int) -> CatalogChange:
        """Return what those steps change in the catalog."""
        return catalog_change_between(self.catalogs[done], self.catalogs[-1])


def likenesses(session: Session, history: History, live: Catalog) -> list[KindMatch]:
    """Return how far a database is of each kind, the most alike first: what it lacks counts most."""
    kinds = known_databases(history.directory)
    catalogs = _catalogs(session, kinds)
    found = [_likeness(known, catalogs[known.name], live) for known in kinds]
    return sorted(found, key=lambda likeness: (len(likeness.lacking) / likeness.number, -likeness.number))


def adoption_of(session: Session, history: History, known: KnownDatabase) -> Adoption:
    """Return what brings a kind to the last revision, found on a scratch database; raises ModuleError."""
    files = [known.schema, *known.files]
    key = (str(session.target), *(text_digest(file.text) for file in files), *history.digests.values())
    with _lock:
        if key not in _adoptions:
            _adoptions[key] = _found_on_scratch(session, history, known)
        return _adoptions[key]


def _catalogs(session: Session, kinds: Sequence[KnownDatabase]) -> dict[str, Catalog]:
    key = (str(session.target), *(text_digest(known.schema.text) for known in kinds))
    with _lock:
        if key not in _kept:
            found: dict[str, Catalog] = {}
            for known in kinds:
                with scratch_of(session) as (connection, scratch):
                    run_on_scratch(connection, scratch, known.schema, seconds=session.statement_timeout)
                    found[known.name] = catalog_with_real_names(scratch, read_catalog(connection))
            _kept[key] = found
        return _kept[key]


def _likeness(known: KnownDatabase, catalog: Catalog, live: Catalog) -> KindMatch:
    wanted = [identity for identity in catalog.objects if identity.kind in {"table", "column"}]
    lacking = [identity for identity in wanted if _type(live, identity) != _type(catalog, identity)]
    others = [identity for identity in live.of("table").objects if identity not in catalog.objects]
    return KindMatch(known, len(wanted), tuple(sorted(lacking)), tuple(sorted(others)))


def _type(catalog: Catalog, identity: ObjectId) -> str | None:
    """Return the type of a column, '' for a table, None for what is not there."""
    definition = catalog.objects.get(identity)
    if definition is None or identity.kind == "table":
        return None if definition is None else ""
    return column_of(identity.name, definition).type


def _found_on_scratch(session: Session, history: History, known: KnownDatabase) -> Adoption:
    seconds = session.statement_timeout
    baseline = f"{history.directory}/{BASELINE_FOLDER}"
    steps: list[RevisionSql] = []
    catalogs: list[Catalog] = []
    measured: dict[str, Sequence[MeasuredStatement]] = {}
    with scratch_of(session) as (connection, scratch):
        run_on_scratch(connection, scratch, known.schema, seconds=seconds)
        measurement = Measurement(connection, scratch, seconds=seconds)

        def run(step: RevisionSql) -> None:
            catalogs.append(catalog_with_real_names(scratch, read_catalog(connection)))
            steps.append(step)
            measured[step.revision] = measurement.run(step)

        for file in known.files:
            run(step_of_file(file, known.step(len(steps) + 1)))
        modules = load_modules(Path(baseline), shown_as=baseline)
        if known.is_baseline:
            run(RevisionSql(history.revisions[0].revision, baseline, ()))
        for module in () if known.is_baseline else modules:
            step = history.revisions[0].revision if module is modules[-1] else known.step(len(steps) + 1)
            run(step_of_baseline(module, step, _lacking_statements(connection, scratch, module, seconds)))
        for revision in upgrade_sql(history.revisions[1:]):
            run(revision)
        catalogs.append(catalog_with_real_names(scratch, read_catalog(connection)))
    for step in steps:
        refuse_restricted(step)
    return Adoption(known, tuple(steps), tuple(catalogs), measured)


def _lacking_statements(
    connection: Connection, scratch: ScratchTarget, module: Module, seconds: float
) -> list[Statement]:
    """Run a module's statements, but for those that make what exists, return which ran, and roll all of them back.

    Raises ModuleError.
    """
    own = session_on_scratch(scratch, seconds=seconds)
    lacking: list[Statement] = []
    with own.transaction(connection), connection.transaction(force_rollback=True):
        for number, statement in enumerate(parse(module.text, module.path)):
            try:
                with connection.transaction():
                    run_text(connection, own, module, module.text[statement.start : statement.end], first=number)
            except ModuleError as error:
                if error.sqlstate not in _EXISTS:
                    raise
            else:
                lacking.append(statement)
    return lacking


def refuse_what_is_there(adoption: Adoption, done: int, live: Catalog, place: str) -> None:
    """Raise RefusedError where a database has something already that the steps create."""
    change = adoption.change_after(done)
    created = {identity for identity, text in change.objects.items() if text is not None} - change.changed
    there = sorted(identity for identity in created if identity in live.objects and identity.kind in _MADE)
    if there:
        raise RefusedError(
            f"is like {adoption.known.name}, but has {_named(there)} already, which bringing it over creates",
            place=place,
            remedy="rename what is there; its rows can be brought over afterwards",
        )


def access_statements(session: Session, known: Catalog, live: Catalog) -> list[tuple[str, ...]]:
    """Return for each object of a kind what gives it to the owner role, with the privileges of a new object."""
    owner = quoted(session.owner)
    found_for: list[tuple[str, ...]] = []
    granted: dict[str, dict[str, str]] = {}
    for identity, definition in live.of("privileges").objects.items():
        subject, _, grantee = identity.name.rpartition(" to ")
        granted.setdefault(subject, {})[grantee] = definition
    for identity in sorted(known.structure().objects.keys() & live.objects.keys() - {_PUBLIC}):
        subject = str(identity)
        statements: list[str] = []
        found = live.objects.get(ObjectId("owner", subject))
        if found not in {None, owner}:
            kind = {"enum": "TYPE", "range": "TYPE", "composite type": "TYPE"}.get(identity.kind, identity.kind.upper())
            statements.append(f"ALTER {kind} {identity.name} OWNER TO {owner}")
        if identity.kind in _FUTURE:
            expected = granted.get(f"future {_FUTURE[identity.kind]} of {owner}", {})
            now = {role: text for role, text in granted.get(subject, {}).items() if role != owner}
            statements += _privileges(identity, expected, now)
        if statements:
            found_for.append(tuple(statements))
    return found_for


def _privileges(identity: ObjectId, expected: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    what = f"{'SEQUENCE ' if identity.kind == 'sequence' else ''}{identity.name}"
    for role in sorted(expected.keys() | now.keys()):
        if role in now and now[role] != expected.get(role):
            yield f"REVOKE ALL ON {what} FROM {role}"
        if role in expected and now.get(role) != expected[role]:
            yield f"GRANT {expected[role]} ON {what} TO {role}"


def take_over(session: Session, access: Sequence[Sequence[str]]) -> None:
    """Run the statements of `access_statements` as the administrator; raises ServerError.

    Each object has a transaction of its own, so that nobody waits for it while others are changed; what is not done
    when a run fails, the next one finds.
    """
    with translated_errors(session.place), connect(session.admin, autocommit=True) as connection:
        for statements in access:
            with connection.transaction():
                connection.execute(f"SET LOCAL lock_timeout = {int(session.lock_timeout * 1000)}".encode())
                for statement in statements:
                    connection.execute(statement.encode())


def _named(identities: Sequence[ObjectId]) -> str:
    more = f" and {len(identities) - MOST_OBJECTS} more" if len(identities) > MOST_OBJECTS else ""
    return ", ".join(map(str, identities[:MOST_OBJECTS])) + more
