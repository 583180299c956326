"""The component of numbered SQL modules in a database that exists already."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pulumi

from infra.program.chain import Chain
from infra.program.schema import SchemaAccess, declare_plan, declare_schema
from infra.program.scope import Scope
from infra.server.dsn import parse_dsn
from platform_postgres.arguments import read_modules, run_errors, settings_of_arguments

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from platform_postgres.arguments import ConnectionArgs, LifecycleName, ModulesArgs


class SqlModules(pulumi.ComponentResource):
    """The modules of a folder in a database whose roles, extensions and privileges are declared elsewhere.

    A database has one folder of modules, whose rows are in its ledger: a PostgresDatabase has its own already.
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
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the modules; they are run by the role of `connection`, which becomes `owner` if that is given.

        An existing schema is compared with what the modules make in a scratch database. `admin` creates that, with the
        other `roles` and the `extensions` to which the modules refer; without `admin` the role of `connection` does.
        """
        with run_errors():
            settings = settings_of_arguments(
                f"SqlModules {name}", modules=modules, extensions=extensions, lifecycle=lifecycle
            )
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
        )
        session, ready = declare_schema(access, settings, files, Chain(scope), database=name)
        declare_plan(settings, files, {name: session}, [ready], scope=scope)
        self.fingerprint = ready.fingerprint
        self.register_outputs({"fingerprint": self.fingerprint})


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
