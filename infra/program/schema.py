"""Declares what makes the schema of a database: its revisions, its modules, and what prints the plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pulumi

from infra.migrations.history import read_history
from infra.modules.template_name import templates_stack
from infra.program.template import is_cloned
from infra.resources.database_clone import DatabaseClone
from infra.resources.migrations import Migrations
from infra.resources.schema_plan import SchemaPlan
from infra.resources.schema_ready import SchemaReady
from infra.resources.seed_data import SeedData
from infra.resources.session_text import session_of
from infra.resources.sql_module import SqlModule
from infra.sdk_tuning import without_dependencies
from infra.settings.databases import ROLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.modules.module import Module
    from infra.program.chain import Chain
    from infra.program.scope import Scope
    from infra.resources.base import Properties
    from infra.settings.model import Settings


@dataclass(frozen=True)
class SchemaAccess:
    """Who runs the modules of a database, and where: its address with its name, and logins with user and password.

    `roles` are those that exist for it besides the owner and the migrator. `scratch` is that of its DeclaredServer.
    `recreated` counts how often it was created again, after which its modules are applied again. `beside` is the stack
    to which its ledger belongs, where that is another one. `all_roles` are its roles by what they are for.
    """

    address: Properties
    owner: pulumi.Input[str]
    roles: Sequence[str]
    migrator: Properties = field(repr=False)
    admin: Properties = field(repr=False)
    scratch: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, "pulumi.Input[str]"])
    recreated: pulumi.Input[Mapping[str, int]] = field(default_factory=dict[str, int])
    beside: str = ""
    all_roles: Mapping[str, str] = field(default_factory=dict[str, str])


def session_of_access(
    access: SchemaAccess, settings: Settings, program: str, **further: pulumi.Input[Any]
) -> pulumi.Output[str]:
    """Return the session of a database's modules, which are a program's, with further values that its readers need."""
    modules, history = settings.modules, read_history(settings.modules.migrations)
    with_backup = history and settings.backup.before_destructive
    return session_of(
        {
            **access.address,
            "owner": access.owner,
            "roles": list(access.roles),
            "admin": access.admin,
            "migrator": access.migrator,
            "extensions": list(settings.extensions),
            "stack": program,
            **({"beside": access.beside} if access.beside else {}),
            "allowed": list(modules.unmanaged),
            "private_schemas": list(modules.private_schemas),
            "lock_timeout": modules.lock_timeout,
            "statement_timeout": modules.statement_timeout,
            "wait": modules.wait,
            "allow_loss": modules.allow_loss,
            "recreated": access.recreated,
            "scratch": access.scratch,
            **({"migrations": history.directory} if history else {}),
            **({"backup": settings.backup.model_dump(exclude={"before_destructive"})} if with_backup else {}),
            **further,
        }
    )


def declare_schema(
    access: SchemaAccess,
    settings: Settings,
    modules: Sequence[Module],
    chain: Chain,
    *,
    database: str,
    adopt: bool = False,
    seed: str = "",
) -> tuple[pulumi.Output[str], SchemaReady]:
    """Declare a database's revisions and its modules, each after the one before, and its seed.

    Return the session and what comes last.
    """
    scope, look = chain.scope, settings.modules.live_check
    history = read_history(settings.modules.migrations)
    further = {**({"adopt": True} if adopt else {}), **({"seed": seed} if seed else {})}
    session = session_of_access(access, settings, scope.program, **further)
    if chain.server:
        session = without_dependencies(session)  # the chain begins with the server, after which all of it is known
    if is_cloned(settings) and chain.objects:
        chain.append(
            DatabaseClone(
                scope.part(database, "clone"),
                database=database,
                session=session,
                lifecycle=settings.lifecycle.value,
                modules=settings.modules.directory,
                template=templates_stack(pulumi.get_project()),
                created_like=chain.objects.resource.template,
                roles={role: access.all_roles[role] for role in ROLES},
                further={access.all_roles[role]: access.all_roles[of] for role, of in settings.inherited.items()},
                recreated=access.recreated,
                opts=chain.options(provider=False),
            )
        )
    if history:
        chain.append(
            Migrations(
                scope.part(database, "migrations"),
                database=access.address["database"],
                lifecycle=settings.lifecycle.value,
                session=session,
                modules=settings.modules.directory,
                directory=history.directory,
                head=history.head,
                look=look,
                opts=chain.options(provider=False),
            )
        )
    statements: list[pulumi.Output[str]] = []
    for module in modules:
        resource = SqlModule(
            scope.part(database, module.name),
            module,
            database=access.address["database"],
            lifecycle=settings.lifecycle.value,
            session=session,
            look=look,
            opts=chain.options(provider=False),
        )
        statements.append(resource.statements_digest)
        chain.append(resource)
    if seed:
        chain.append(
            SeedData(
                scope.part(database, "seed"),
                database=access.address["database"],
                lifecycle=settings.lifecycle.value,
                session=session,
                modules=settings.modules.directory,
                path=seed,
                look=look,
                opts=chain.options(provider=False),
            )
        )
    ready = SchemaReady(
        scope.part(database, "ready"),
        target={**access.address, **access.migrator},
        stack=scope.program,
        statements=statements,
        allowed=settings.modules.unmanaged,
        owner=access.owner,
        head=history.head if history else "",
        look=look,
        recreated=access.recreated,
        beside=access.beside,
        opts=chain.options(provider=False),
    )
    return session, ready


def declare_plan(
    settings: Settings,
    modules: Sequence[Module],
    sessions: Mapping[str, pulumi.Output[str]],
    after: Sequence[pulumi.Resource],
    *,
    scope: Scope,
    protect: bool | None = None,
) -> None:
    """Declare what prints the plan for databases with the same modules: `sessions` by their names.

    It comes after everything else, so that a removal begins with it: with `protect`, one ends before it has removed
    anything.
    """
    adopt = settings.server.adopt
    SchemaPlan(
        scope.name("schema-plan"),
        stack=scope.program,
        lifecycle=settings.lifecycle.value,
        modules=modules,
        sessions=sessions,
        look=settings.modules.live_check,
        strict=settings.modules.strict,
        adopted=() if isinstance(adopt, bool) else adopt,
        given_up=settings.drop_databases,
        opts=scope.options(depends_on=after, protect=protect),
    )
