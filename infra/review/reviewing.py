"""Makes the plans of a review: the base's modules are applied on a private server, and the head's are planned there.

Nothing of a stack is needed, no secret and no state: so it can be done for anybody's branch. What is known of live
databases comes from a file that somebody else wrote.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from difflib import unified_diff
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from psycopg import sql

from infra.check.live_facts import largest_sizes, statements_sent
from infra.check.stack_files import settings_of_stack, stacks_by_lifecycle
from infra.errors import InfraError
from infra.migrations.history import LOCK_FILE, parse_history, read_history
from infra.modules.decision import Lifecycle
from infra.modules.module import load_modules
from infra.postgres.access import Access
from infra.postgres.apply import runner
from infra.postgres.apply.plan_cache import Unreadable, cache
from infra.postgres.apply.planning import look
from infra.postgres.apply.revisions import stamp_head
from infra.postgres.connection.connect import connect
from infra.postgres.connection.pool import close_all
from infra.postgres.connection.scram import verifier
from infra.postgres.connection.session import Session
from infra.postgres.connection.target import MAINTENANCE_DATABASE
from infra.postgres.introspection.reader import read_catalog
from infra.postgres.privileges import grant_access
from infra.review.base_version import text_at, write_modules_of
from infra.review.old_code import further_queries, try_released_code
from infra.review.review import Review, ReviewedLifecycle
from infra.server.scratch.private_server import private_server
from infra.server.scratch.scratch_provider import scratch_provider
from infra.settings.databases import ROLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.catalog.catalog import Catalog
    from infra.check.live_facts import StackFacts
    from infra.modules.module import Module
    from infra.plan.plan import Plan
    from infra.postgres.connection.target import Target
    from infra.settings.model import Settings


def review_branch(
    root: Path,
    *,
    base: str,
    stack: str,
    bin_dir: Path | None = None,
    live: Sequence[StackFacts] = (),
    queries: Path | None = None,
) -> Review:
    """Return what the modules and revisions of a folder do to databases that were made from the base's.

    `stack` names the settings for extensions and role names; `live` is what is known of databases of stacks;
    `queries` is a file of statements that the released code sends besides those of its models. Raises InfraError where
    the base's modules do not run.
    """
    settings = settings_of_stack(root, stack)
    directory = settings.modules.directory
    with TemporaryDirectory(prefix="review-") as temporary, private_server(bin_dir) as server:
        folder = Path(temporary)
        commit = write_modules_of(base, directory, root=root, into=folder)
        before = load_modules(folder, shown_as=directory) if any(folder.iterdir()) else []
        after = load_modules(root / directory, shown_as=directory)
        session = _database(server.admin, settings, folder, bin_dir)
        fresh = _copy(session, root / directory)
        for module in before:
            runner.apply(session, module)
        migrations = _stamped(session, settings.modules.migrations, root, commit)
        session = replace(session, directory=str(root / directory), migrations=migrations, sizes=largest_sizes(live))
        stacks = stacks_by_lifecycle(root, root / directory)
        lifecycles = [
            ReviewedLifecycle(
                lifecycle, _planned(replace(session, lifecycle=lifecycle)), tuple(stacks.get(lifecycle.value, ()))
            )
            for lifecycle in Lifecycle
        ]
        catalogs = _catalogs(session, fresh, after)
        further = further_queries(queries, statements_sent(live))
        released = try_released_code(session, root, commit, directory, further)
        close_all()
    return Review(base, commit, tuple(lifecycles), _changed_lines(before, after), catalogs, released, tuple(live))


def _copy(session: Session, directory: Path) -> Session:
    """Make another database like one that has no module yet, for the modules of a folder."""
    database = session.target.database
    other = f"{database[:50]}_of_the_branch"
    with connect(session.admin.on(MAINTENANCE_DATABASE), autocommit=True) as connection:
        create = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
        names = (sql.Identifier(name) for name in (other, session.owner, database))
        connection.execute(create.format(*names))
    return replace(session, target=session.target.on(other), admin=session.admin.on(other), directory=str(directory))


def _catalogs(base: Session, fresh: Session, modules: list[Module]) -> tuple[Catalog, Catalog] | None:
    """Return the base's catalog and that of a fresh database with the head's modules; None where they do not run."""
    cache.clear()
    try:
        for module in modules:
            runner.apply(fresh, module)
    except InfraError:
        return None
    found: list[Catalog] = []
    for session in (base, fresh):
        with connect(session.target, autocommit=True) as connection:
            found.append(read_catalog(connection))
    return found[0], found[1]


def _stamped(session: Session, directory: str, root: Path, commit: str) -> str:
    """Stamp the database with the last revision of a commit, and return the folder of the revisions, '' for none."""
    lock = text_at(commit, f"{directory}/{LOCK_FILE}", root=root) if directory else ""
    if not lock or read_history(str(root / directory)) is None:
        return ""
    with connect(session.target, autocommit=True) as connection:
        stamp_head(connection, session.owner, parse_history(directory, lock.splitlines()).head)
    return str(root / directory)


def _planned(session: Session) -> Plan:
    """Return the plan of the head's modules in one lifecycle."""
    cache.clear()
    looked = look(session, recorded=True, explain=True)
    if isinstance(looked, Unreadable):
        raise InfraError(looked.reason, place="the review's database")
    return looked.plan


def _database(admin: Target, settings: Settings, folder: Path, bin_dir: Path | None) -> Session:
    """Make the first database of the settings on a private server: roles, extensions and privileges as `up` does."""
    database, roles = _names(settings)
    owner, migrator, app, readonly = (roles[role] for role in ROLES)
    others = [name for role, name in roles.items() if role not in {"owner", "migrator"}]
    access = Access(owner, app, readonly, migrator, private_schemas=settings.modules.private_schemas)
    password = secrets.token_urlsafe(24)
    create_role = sql.SQL("CREATE ROLE {}")
    with connect(admin, autocommit=True) as connection:
        for role in (owner, *others):
            connection.execute(create_role.format(sql.Identifier(role)))
        login = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}")
        connection.execute(
            login.format(sql.Identifier(migrator), sql.Literal(verifier(password)), sql.Identifier(owner))
        )
        create = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'")
        connection.execute(create.format(sql.Identifier(database), sql.Identifier(owner)))
    target = admin.on(database)
    in_public = replace(target, settings={"search_path": "public"})  # for extensions without a schema
    with connect(in_public, autocommit=True) as connection:
        for extension in settings.extensions:
            connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
    grant_access(target, access)
    return Session(
        target=target.login(migrator, password),
        admin=admin,
        owner=owner,
        stack="review",
        lifecycle=Lifecycle.EPHEMERAL,
        directory=str(folder),
        allowed=settings.modules.unmanaged,
        roles=tuple(others),
        private_schemas=settings.modules.private_schemas,
        extensions=settings.extensions,
        scratch=scratch_provider({"bin_dir": str(bin_dir or "")}),
    )


def _names(settings: Settings) -> tuple[str, dict[str, str]]:
    """Return the names of the first database of a stack and of its roles, by what they are for."""
    if settings.single_databases:
        names = settings.single_databases[0]
        return names.name, settings.roles_of(names)
    group = settings.groups[0]
    name = group.databases[0]
    return name, {role: group.role(name, role) for role in (*ROLES, *settings.roles)}


def _changed_lines(before: list[Module], after: list[Module]) -> dict[str, list[str]]:
    """Return the changed lines of each module, as in a unified diff; of a new or removed one all lines."""
    old, new = ({module.name: module.text.splitlines() for module in modules} for modules in (before, after))
    return {
        name: list(unified_diff(old.get(name, []), new.get(name, []), lineterm="", n=1))[2:]
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    }
