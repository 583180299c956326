"""A numbered SQL module in all databases of a group, as one resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.modules.digests import text_digest
from infra.resources.base import DynamicResource, Properties, changed
from infra.resources.group_state import has_surplus, pending
from infra.resources.module_provider import ModuleProvider

if TYPE_CHECKING:
    from infra.modules.module import Module
    from infra.resources.actions import group_module as actions
    from infra.resources.group_inputs import GroupInputs
else:
    actions = LazyModule("infra.resources.actions.group_module")

_COMPARED = ("session", "paused", "lifecycle", "text_digest")


class GroupModuleProvider(ModuleProvider):
    """Brings a module to the databases of a group; a run touches those alone that have not got it, or drifted."""

    def planned(self, olds: Properties, inputs: Properties, *, explain: bool) -> Properties:
        """Return what will be done, equal steps once with their databases, and the digest of their plans."""
        return actions.planned(olds, inputs, explain=explain)

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when a database has not got the text, or drifted, or when other inputs differ.

        A refresh compares with the inputs of the last run, whose plan was carried out.
        """
        databases = pending(_olds, _news, "applied", _news["text_digest"]) or has_surplus(_olds, _news, "applied")
        drifted = _news.get("plan") not in {None, _olds.get("plan")}
        return DiffResult(changes=bool(databases or changed(_olds, _news, *_COMPARED)) or drifted)

    def create(self, props: Properties) -> CreateResult:
        """Apply the module in every database, or adopt what is there."""
        return CreateResult(f"{props['group']}/{props['module']}", actions.apply_module({}, props))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Apply the text where it is not applied yet; an earlier drift must be gone."""
        return UpdateResult(actions.apply_module(_olds, _news))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Compare the module with each live catalog, and leave out databases that have not got it any more."""
        return ReadResult(id_, actions.read(props))

    def delete(self, _id: str, _props: Properties) -> None:
        """Retain the module's objects or drop them in every database, as the lifecycle says."""
        actions.retire({**_props, "lifecycle": self.lifecycle or _props["lifecycle"]})


class GroupModule(DynamicResource, module="postgres", name="GroupModule"):
    """One module in the databases of a group; its file is read where it is run.

    `version` is a digest of all modules: the first one's run applies the others too, and a saved plan has to fit them.
    The outputs: `applied` has the databases that have the module, by the digest of its text; `failed` an error by
    database; `outcome` what the last run did, in one line.
    """

    statements_digest: pulumi.Output[str]
    failed: pulumi.Output[dict[str, str]]
    outcome: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        module: Module,
        inputs: GroupInputs,
        *,
        version: str,
        look: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {
            **inputs.props(),
            "module": module.name,
            "path": module.path,
            "text_digest": text_digest(module.text),
            "version": version,
            "look": look,
            **dict.fromkeys(("statements_digest", "applied", "failed", "drift", "outcome")),
        }
        if pulumi.runtime.is_dry_run():
            props["explain"] = True
        super().__init__(GroupModuleProvider, name, props, opts)
