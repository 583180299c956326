"""A group whose databases have all modules: their fingerprint, and what is not complete in which of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.resources.base import DynamicResource, Properties, Provider, changed, is_known
from infra.resources.group_state import has_surplus, pending, version_of_modules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.resources.actions import group_ready as actions
    from infra.resources.group_inputs import GroupInputs
else:
    actions = LazyModule("infra.resources.actions.group_ready")

_COMPARED = ("session", "paused", "lifecycle")


class GroupReadyProvider(Provider):
    """Reads the catalog of each database that got a module, and compares its ledger with the modules."""

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when a database was not read since its modules changed, or was not complete."""
        if not is_known(_news["statements"]):
            return DiffResult(changes=True)
        databases = pending(_olds, _news, "complete", version_of_modules(_news["statements"], _news.get("head", "")))
        surplus = has_surplus(_olds, _news, "complete")
        return DiffResult(changes=bool(databases or surplus or changed(_olds, _news, *_COMPARED)))

    def create(self, props: Properties) -> CreateResult:
        """Read every database."""
        return CreateResult(props["group"], actions.ready({}, props))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Read the databases whose modules changed."""
        return UpdateResult(actions.ready(_olds, _news))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Read every database again, so that a refresh shows where the schema differs."""
        return ReadResult(id_, actions.read(props))


class GroupReady(DynamicResource, module="postgres", name="GroupReady"):
    """The complete schema of a group; `directory` is the modules', `head` their last revision.

    The outputs: `complete` has the databases that were read, by the version of the modules; `fingerprints` the
    databases by fingerprint, `unmanaged` what no module made, `failed` what is missing, both by database.
    """

    fingerprints: pulumi.Output[dict[str, list[str]]]
    failed: pulumi.Output[dict[str, str]]

    def __init__(
        self,
        name: str,
        inputs: GroupInputs,
        *,
        statements: Mapping[str, pulumi.Output[str]],
        directory: str,
        head: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {
            **inputs.props(),
            "statements": dict(statements),
            "directory": directory,
            **({"head": head} if head else {}),
            **dict.fromkeys(("complete", "fingerprints", "unmanaged", "failed")),
        }
        super().__init__(GroupReadyProvider, name, props, opts)
