"""The revisions of one database, which an existing one runs before its modules; a fresh one runs none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.resources.base import DynamicResource, Properties, Provider, changed, is_known, without

if TYPE_CHECKING:
    from infra.resources.actions import migrations as actions
else:
    actions = LazyModule("infra.resources.actions.migrations")


class MigrationsProvider(Provider):
    """Brings an existing database to the last revision, before its modules are compared with it."""

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Add the revisions that the database is due, and the digest of its plan, which a saved plan pins."""
        inputs = without(news, "look")
        if news["look"] and is_known(news["session"]):
            inputs |= actions.planned(inputs)
        return CheckResult(inputs, [])

    def create(self, props: Properties) -> CreateResult:
        """Run the revisions that the database is due."""
        return CreateResult(f"{props['database']}/migrations", actions.migrate(props))

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when there is another last revision, or the database is due one.

        A refresh compares with the inputs of the last run, which has run its revisions since.
        """
        is_due = bool(_news.get("revisions") and actions.planned(_news))
        return DiffResult(changes=bool(changed(_olds, _news, "head", "database")) or is_due)

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Run the revisions that the database is due."""
        return UpdateResult(actions.migrate(_news))


class Migrations(DynamicResource, module="postgres", name="Migrations"):
    """The revisions in the folder `directory` for one database; `head` is the last one."""

    def __init__(
        self,
        name: str,
        *,
        database: pulumi.Input[str],
        lifecycle: str,
        session: pulumi.Output[str],
        modules: str,
        directory: str,
        head: str,
        look: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {
            "database": database,
            "lifecycle": lifecycle,
            "session": session,
            "modules": modules,
            "directory": directory,
            "head": head,
            "look": look,
            **dict.fromkeys(("revisions", "plan")),
        }
        super().__init__(MigrationsProvider, name, props, opts)
