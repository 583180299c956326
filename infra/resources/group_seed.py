"""The seed of a group, whose rows each of its databases gets once, after its modules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.modules.seed import read_seed
from infra.resources.base import DynamicResource, Properties, Provider, is_known, without
from infra.resources.group_state import has_surplus, pending
from infra.resources.module_provider import told_from_last

if TYPE_CHECKING:
    from infra.resources.actions import group_seed as actions
    from infra.resources.group_inputs import GroupInputs
else:
    actions = LazyModule("infra.resources.actions.group_seed")


class GroupSeedProvider(Provider):
    """Inserts the rows of a seed into databases that do not have them; one that fails is reported, and tried again."""

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Add the digest of the file and, where databases are due its rows, that of the plans for it."""
        inputs = {**without(news, "look"), "digest": read_seed(Path(news["seed"]), news["seed"]).digest}
        if news["look"] and is_known(news["session"]):
            inputs |= actions.planned(_olds, inputs)
        return CheckResult(told_from_last(_olds, inputs), [])

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when a database is not known to have the rows, or is due them again.

        A refresh compares with the inputs of the last run, whose plan was carried out.
        """
        databases = pending(_olds, _news, "seeded", _news["digest"]) or has_surplus(_olds, _news, "seeded")
        return DiffResult(changes=bool(databases) or _news.get("plan") not in {None, _olds.get("plan")})

    def create(self, props: Properties) -> CreateResult:
        """Insert the rows."""
        return CreateResult(f"{props['group']}/seed", actions.insert({}, props))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Insert the rows, after a database was built anew where it had others."""
        return UpdateResult(actions.insert(_olds, _news))


class GroupSeed(DynamicResource, module="postgres", name="GroupSeed"):
    """The rows in the file `seed` for the databases of a group; they stay when the setting is taken away.

    The outputs: `seeded` has the databases by the digest of the rows that they have; `failed` an error by database;
    `outcome` what the last run did, in one line.
    """

    failed: pulumi.Output[dict[str, str]]
    outcome: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        inputs: GroupInputs,
        *,
        directory: str,
        seed: str,
        look: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {
            **inputs.props(),
            "directory": directory,
            "seed": seed,
            "look": look,
            **dict.fromkeys(("digest", "plan", "seeded", "failed", "outcome")),
        }
        super().__init__(GroupSeedProvider, name, props, opts)
