"""The seed of one database, whose rows it gets once, after its modules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.modules.seed import read_seed
from infra.resources.base import DynamicResource, Properties, Provider, changed, is_known, without
from infra.resources.module_provider import told_from_last

if TYPE_CHECKING:
    from infra.resources.actions import seed_data as actions
else:
    actions = LazyModule("infra.resources.actions.seed_data")


class SeedDataProvider(Provider):
    """Inserts the rows of a seed into a database that does not have them."""

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Add the digest of the file and, where the database is due its rows, that of the plan for it."""
        inputs = {**without(news, "look"), "digest": read_seed(Path(news["path"]), news["path"]).digest}
        if _olds and news["look"] and is_known(news["session"]):
            inputs |= actions.planned(inputs)
        return CheckResult(told_from_last(_olds, inputs), [])

    def create(self, props: Properties) -> CreateResult:
        """Insert the rows."""
        return CreateResult(f"{props['database']}/seed", actions.insert(props))

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when the file has changed, or the database is due its rows.

        A refresh compares with the inputs of the last run, whose plan was carried out.
        """
        is_due = _news.get("plan") not in {None, _olds.get("plan")}
        return DiffResult(changes=bool(changed(_olds, _news, "digest", "database")) or is_due)

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Insert the rows, after the database was built anew where it had others."""
        return UpdateResult(actions.insert(_news))


class SeedData(DynamicResource, module="postgres", name="SeedData"):
    """The rows in the file `path` for one database; they stay when the setting is taken away."""

    def __init__(
        self,
        name: str,
        *,
        database: pulumi.Input[str],
        lifecycle: str,
        session: pulumi.Output[str],
        modules: str,
        path: str,
        look: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {
            "database": database,
            "lifecycle": lifecycle,
            "session": session,
            "modules": modules,
            "path": path,
            "look": look,
            **dict.fromkeys(("digest", "plan")),
        }
        super().__init__(SeedDataProvider, name, props, opts)
