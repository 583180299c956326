"""The revisions of a group, which its existing databases run before their modules; a new database runs none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.resources.base import DynamicResource, Properties, Provider, is_known, without
from infra.resources.group_state import has_surplus, pending
from infra.resources.module_provider import former_stack

if TYPE_CHECKING:
    from infra.resources.actions import group_migrations as actions
    from infra.resources.group_inputs import GroupInputs
else:
    actions = LazyModule("infra.resources.actions.group_migrations")


class GroupMigrationsProvider(Provider):
    """Brings the databases of a group to the last revision; one that fails is reported, and tried by the next run."""

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Add the revisions that databases are due, and the digest of their plans, which a saved plan pins."""
        inputs = {**without(news, "look", "explain"), **former_stack(_olds, news)}
        if news["look"] and is_known(news["session"]):
            inputs |= actions.planned(_olds, inputs, explain=bool(news.get("explain")))
        return CheckResult(inputs, [])

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when a database is not known to be at the last revision, or is due one.

        A refresh compares with the inputs of the last run, which has run its revisions since.
        """
        databases = pending(_olds, _news, "migrated", _news["head"]) or has_surplus(_olds, _news, "migrated")
        is_due = _news.get("revisions") and actions.planned(_news, _news, explain=False)
        return DiffResult(changes=bool(databases or is_due))

    def create(self, props: Properties) -> CreateResult:
        """Run the revisions that databases are due."""
        return CreateResult(f"{props['group']}/migrations", actions.migrate({}, props))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Run the revisions that databases are due."""
        return UpdateResult(actions.migrate(_olds, _news))


class GroupMigrations(DynamicResource, module="postgres", name="GroupMigrations"):
    """The revisions of a group, whose last one is `head`; `directory` is the modules'.

    The outputs: `migrated` has the databases by the revision that they are known to be at; `failed` an error by
    database; `outcome` what the last run did, in one line.
    """

    failed: pulumi.Output[dict[str, str]]
    outcome: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        inputs: GroupInputs,
        *,
        directory: str,
        head: str,
        look: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {
            **inputs.props(),
            "directory": directory,
            "head": head,
            "look": look,
            **dict.fromkeys(("revisions", "plan", "migrated", "failed", "outcome")),
        }
        if pulumi.runtime.is_dry_run():
            props["explain"] = True
        super().__init__(GroupMigrationsProvider, name, props, opts)
