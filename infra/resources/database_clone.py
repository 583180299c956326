"""What makes a database of an environment the stack's own that was created as a clone of a template."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.resources.base import DynamicResource, Properties, Provider, changed, without

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.resources.actions import database_clone as actions
else:
    actions = LazyModule("infra.resources.actions.database_clone")


class DatabaseCloneProvider(Provider):
    """Gives what is in a clone to its owner and the ledger to the stack; a database that is no clone stays as it is."""

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Check nothing: what the database is, is known when it exists."""
        return CheckResult(news, [])

    def create(self, props: Properties) -> CreateResult:
        """Make the clone the stack's own."""
        return CreateResult(f"{props['database']}/clone", _finished(props))

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when the database was created again."""
        return DiffResult(changes=bool(changed(_olds, _news, "database", "recreated")))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Make the clone the stack's own."""
        return UpdateResult(_finished(_news))


def _finished(props: Properties) -> Properties:
    """Return what the state keeps: whether the database was a clone, and no password.

    It is not entered where it was created while there was no template.
    """
    return {**without(props, "session"), "cloned": props.get("created_like") != "" and actions.finish(props)}


class DatabaseClone(DynamicResource, module="postgres", name="DatabaseClone"):
    """A database that may be a clone of the template whose ledger has the stack `template`; `roles` are its own.

    `created_like` is the template of new databases in this run, '' where there was none. `further` are login roles
    beside `roles`, each with the role that it is a member of.
    """

    def __init__(
        self,
        name: str,
        *,
        database: str,
        session: pulumi.Output[str],
        lifecycle: str,
        modules: str,
        template: str,
        created_like: pulumi.Output[str | None],
        roles: Mapping[str, str],
        further: Mapping[str, str],
        recreated: pulumi.Input[Mapping[str, int]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {
            "database": database,
            "session": session,
            "lifecycle": lifecycle,
            "modules": modules,
            "template": template,
            "created_like": created_like,
            "roles": dict(roles),
            "further": dict(further),
            "recreated": recreated,
            "cloned": None,
        }
        super().__init__(DatabaseCloneProvider, name, props, opts)
