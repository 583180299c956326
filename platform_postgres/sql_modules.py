"""The component of numbered SQL modules in a database that exists already."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pulumi

from infra.errors import SettingsError
from infra.migrations.history import read_history
from infra.program.chain import Chain
from infra.program.schema import SchemaAccess, declare_plan, declare_schema
from infra.program.scope import Scope
from infra.server.dsn import parse_dsn
from infra.settings.problems import SettingProblems
from platform_postgres.arguments import read_modules, run_errors, settings_of_arguments

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from infra.settings.model import Settings
    from platform_postgres.arguments import ConnectionArgs, LifecycleName, ModulesArgs


_STACK = re.compile(r"[\w.-]+/[\w.-]+")


class SqlModules(pulumi.ComponentResource):
    """The modules of a folder in a database whose roles, extensions and privileges are declared elsewhere.

    A database has one folder of modules, whose rows are in its ledger, and a PostgresDatabase has its own already. The
    modules of a program `beside` another one have rows of their own there, and numbers of their own.
    """

    fingerprint: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        connection: ConnectionArgs,
        *,
        modules: str | PathLike[str] | ModulesArgs | None = None,
        owner: pulumi.Input[str] | None = None,
        roles: Sequence[str] = (),
        extensions: Sequence[str] = (),
        admin: ConnectionArgs | None = None,
        lifecycle: LifecycleName | None = None,
        beside: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the modules; they are run by the role of `connection`, which becomes `owner` if that is given.

        An existing schema is compared with what the modules make in a scratch database. `admin` creates that, with the
        other `roles` and the `extensions` to which the modules refer; without `admin` the role of `connection` does.
        `beside` is the stack, as `project/stack`, of the program to which the database belongs.
        """
        with run_errors():
            settings = settings_of_arguments(
                f"SqlModules {name}", modules=modules, extensions=extensions, lifecycle=lifecycle
            )
            _refuse_wrong(beside, settings, f"SqlModules {name}")
            files = read_modules(settings.modules.directory)
        super().__init__("platform-postgres:index:SqlModules", name, {}, opts)
        scope = Scope(pulumi.get_stack(), component=name, parent=self)
        migrator = _target(connection)
        access = SchemaAccess(
            address={part: migrator[part] for part in ("host", "port", "options", "database")},
            owner=migrator["user"] if owner is None else owner,
            roles=roles,
            migrator=_login(migrator),
            admin=_login(_target(admin) if admin else migrator),
            beside=beside or "",
        )
        session, ready = declare_schema(access, settings, files, Chain(scope), database=name)
        declare_plan(settings, files, {name: session}, [ready], scope=scope)
        self.fingerprint = ready.fingerprint
        self.register_outputs({"fingerprint": self.fingerprint})


def _refuse_wrong(beside: str | None, settings: Settings, component: str) -> None:
    """Raise SettingsError for something else than another stack, and for revisions, which one program of them has."""
    problems = SettingProblems()
    own = f"{pulumi.get_project()}/{pulumi.get_stack()}"
    if beside is not None and (not _STACK.fullmatch(beside) or beside == own):
        problems.add_value(("beside",), beside, f"must be the project/stack of another program; this one is {own}")
    if beside and read_history(settings.modules.migrations):
        found = f"is {settings.modules.migrations}, which has revisions"
        problems.add(
            ("modules", "migrations"),
            found,
            "must be a folder without revisions, which are the other program's",
        )
    if problems.found:
        raise SettingsError(component, problems.in_order())


def _target(connection: ConnectionArgs) -> dict[str, pulumi.Output[Any]]:
    """Return the parts of a connection by name; they may be known later, and the password is secret."""

    def parts(known: list[str | None]) -> dict[str, Any]:
        dsn, password = known
        with run_errors():
            target = parse_dsn(str(dsn))
        return {**asdict(target), "password": password or target.password}

    whole = pulumi.Output.all(connection["dsn"], connection.get("password")).apply(parts)
    found = {name: whole[name] for name in ("host", "port", "options", "database", "user")}
    return {**found, "password": pulumi.Output.secret(whole["password"])}


def _login(target: dict[str, pulumi.Output[Any]]) -> dict[str, pulumi.Output[Any]]:
    return {"user": target["user"], "password": target["password"]}
