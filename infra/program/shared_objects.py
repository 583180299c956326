"""Whether each role and database is created or imported: what the server has already keeps its rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pulumi
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.settings import SETTINGS, get_monitor

from infra.postgres.database_roles import database_label, role_label
from infra.resources.shared_objects import SharedObjects
from infra.sdk_tuning import without_dependencies

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from infra.program.scope import Scope
    from infra.program.server import DeclaredServer
    from infra.resources.passwords import Passwords
    from infra.settings.databases import DatabaseSettings
    from infra.settings.model import Settings

_LABELS = {"postgresql:index/role:Role": role_label, "postgresql:index/database:Database": database_label}


@dataclass
class DeclaredObjects:
    """The roles and databases of a stack, which are imported except where they are missing on the server.

    Pulumi imports what its state does not have, whatever the reason: an earlier run was killed before it could record
    what it had created, or the object was there first. An import of what is missing would fail. What is missing is
    known when `resource` has been checked, which is after this program declared the roles. So a hook of that resource
    reports it, and a transform of each role and database removes the import. A new database is created as a clone of
    the `template`, if the server has one.
    """

    scope: Scope
    retained: Collection[str]
    missing: set[str] = field(default_factory=set[str])
    template: str = ""
    resource: SharedObjects = field(init=False)

    def hooks(self) -> pulumi.ResourceHookBinding:
        """Return the hooks that report what is missing; they run in previews too."""
        if not _engine_calls_back():
            return pulumi.ResourceHookBinding()
        report = pulumi.ResourceHook(
            self.scope.name("missing-objects"), self._report, pulumi.ResourceHookOptions(on_dry_run=True)
        )
        return pulumi.ResourceHookBinding(before_create=[report], before_update=[report])

    def options(self, name: str) -> pulumi.ResourceOptions:
        """Return the options of the role or database of a name."""
        transforms: list[pulumi.ResourceTransform] = [self._create_missing] if _engine_calls_back() else []
        return pulumi.ResourceOptions(
            import_=name, transforms=transforms, retain_on_delete=name in self.retained or None
        )

    def _report(self, arguments: pulumi.ResourceHookArgs) -> None:
        """Report what is missing; what is lost will have been created by `resource`, but not in a preview."""
        inputs = arguments.new_inputs or {}
        self.missing.update(inputs.get("missing") or [], (pulumi.runtime.is_dry_run() and inputs.get("lost")) or [])
        self.template = str(inputs.get("template") or "")

    def recreated(self, labels: Collection[str]) -> pulumi.Output[dict[str, int]]:
        """Return how often each of some roles and databases was created again because it had gone."""

        def of_labels(counts: Mapping[str, float] | None) -> dict[str, int]:  # Pulumi's mocks have none
            return {label: int(count) for label, count in (counts or {}).items() if label in labels}

        return without_dependencies(self.resource.recreated.apply(of_labels))  # what asks comes after it

    def _create_missing(self, arguments: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if _LABELS[arguments.type_](arguments.opts.import_ or "") not in self.missing:
            return None
        arguments.opts.import_ = None
        is_clone = self.template and _LABELS[arguments.type_] is database_label
        further = {"template": self.template} if is_clone else {}
        return pulumi.ResourceTransformResult({**arguments.props, **further}, arguments.opts)


def _engine_calls_back() -> bool:
    """Return whether the engine can call hooks and transforms; Pulumi's mocks, for users' unit tests, cannot."""
    callbacks: object = getattr(SETTINGS, "callbacks", None)
    return not isinstance(get_monitor(), MockMonitor) or callbacks is not None


def declare_shared_objects(
    settings: Settings,
    server: DeclaredServer,
    passwords: Mapping[str, Passwords],
    *,
    scope: Scope,
    ask: bool,
    template: tuple[str, str] | None = None,
) -> DeclaredObjects:
    """Declare the look at the server before anything is created on it; `passwords` are those of each database.

    With `ask` a run drops no database with rows unless that is allowed. `template` is the name of that of which new
    databases are clones, and its mark.
    """
    declared = DeclaredObjects(scope, _retained(settings, () if isinstance(server.adopt, bool) else server.adopt))
    by_role, verifiers = (
        pulumi.Output.all(*(getattr(of_database, kind) for of_database in passwords.values())).apply(_united)
        for kind in ("passwords", "verifiers")
    )
    declared.resource = SharedObjects(
        scope.name("shared-objects"),
        target={
            **server.address,
            "user": server.user,
            "password": server.password,
            "database": server.maintenance_database,
        },
        databases=[_named(database, settings) for database in settings.single_databases],
        passwords=by_role,
        verifiers=verifiers,
        adopt=server.adopt,
        rotation=settings.password_rotation,
        stack=scope.stack,
        ask=ask,
        template=template,
        opts=pulumi.ResourceOptions.merge(
            scope.options(depends_on=[server.resource], deleted_with=server.deleted_with),
            pulumi.ResourceOptions(hooks=declared.hooks()),
        ),
    )
    return declared


def _united(by_database: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {role: text for texts in by_database for role, text in texts.items()}


def _named(database: DatabaseSettings, settings: Settings) -> dict[str, object]:
    """Return the names of a database and its roles, in the form of DatabaseRoles."""
    further = [name for role, name in settings.roles_of(database).items() if role in settings.roles]
    return {**database.names, **({"further": further} if further else {})}


def _retained(settings: Settings, adopted: Collection[str]) -> frozenset[str]:
    """Return the names of what outlives the stack: what was adopted, and the roles that an adopted database needs."""
    roles = (settings.roles_of(database).values() for database in settings.single_databases if database.name in adopted)
    return frozenset(adopted).union(*roles)
