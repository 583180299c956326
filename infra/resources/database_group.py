"""The databases of a group with their roles, extensions and privileges, as one resource however many there are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, ConfigureRequest, CreateResult, DiffResult, ReadResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.resources.base import DynamicResource, Properties, Provider, changed, is_known, refused, without
from infra.resources.module_provider import AGAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.resources.actions import database_group as actions
    from infra.resources.group_inputs import GroupInputs
else:
    actions = LazyModule("infra.resources.actions.database_group")

_COMPARED = ("databases", "paused", "extensions", "lifecycle", "rotation", "session", "drop_databases")
OTHER_ROLES = (
    "the roles of a group cannot be changed from shared to own or back, because they own what is in its databases; "
    "name another group"
)


class DatabaseGroupProvider(Provider):
    """Creates and drops databases of a group; one that fails is reported, and tried again by the next run."""

    drop_databases: tuple[str, ...] = ()
    """The setting in the stack's configuration: the properties of a removed group have that of the last run."""

    def configure(self, req: ConfigureRequest) -> None:
        """Read which databases a persistent stack may lose."""
        super().configure(req)
        self.drop_databases = tuple(json.loads(req.config.get("drop_databases") or "[]"))

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Refuse other roles; a preview refuses what exists and is not the group's, and shows what is lost.

        Adds what somebody changed of roles and privileges, by database, which this run takes back.
        """
        inputs = without(news, "look", "explain")
        if _olds and _olds["shared"] != news["shared"]:
            return refused(news, [OTHER_ROLES])
        taken_back = _olds.get("taken_back")  # stays as it is where nothing is found: a saved plan compares it
        if news.get("look") and is_known(news["session"]):
            problems = actions.preview(_olds, inputs) if news.get("explain") else []
            if problems:
                return refused(news, problems)
            found = actions.look(_olds, inputs, explain=bool(news.get("explain"))) if _olds else {}
            if found:
                again = [AGAIN] if found == taken_back else []
                taken_back = {database: [*lines, *again] for database, lines in found.items()}
        if taken_back:
            inputs["taken_back"] = taken_back
        return CheckResult(inputs, [])

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when the inputs differ, a database failed, or a refresh or this run found drift."""
        found = _news.get("taken_back")
        unfinished = bool(_olds.get("failed") or _olds.get("drift") or (found and found != _olds.get("taken_back")))
        return DiffResult(changes=bool(changed(_olds, _news, *_COMPARED)) or unfinished)

    def create(self, props: Properties) -> CreateResult:
        """Create the databases."""
        return CreateResult(props["group"], actions.provide({}, props))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Create what is new, drop what is gone from the settings, and leave the rest alone."""
        return UpdateResult(actions.provide(_olds, _news))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Return which databases exist, and as `drift` the privileges that are not as granted, by database."""
        return ReadResult(id_, actions.read(props))

    def delete(self, _id: str, _props: Properties) -> None:
        """Drop all databases of the group, those of a persistent stack only where `drop_databases` names them."""
        actions.drop_all({**_props, "drop_databases": [*self.drop_databases]})


class DatabaseGroup(DynamicResource, module="postgres", name="DatabaseGroup"):
    """The databases of a group.

    `session` is a secret text with the server's address, the administrator's login, the key of the passwords, and the
    limits for modules. The output `failed` has an error by database, `drops` how often one of a name was dropped. New
    databases are clones of one with the modules in `directory`, as `clone` says (infra/settings/databases.py).
    """

    failed: pulumi.Output[dict[str, str]]
    drops: pulumi.Output[dict[str, int]]

    def __init__(
        self,
        name: str,
        inputs: GroupInputs,
        *,
        extensions: Sequence[str],
        drop_databases: Sequence[str],
        rotation: int,
        adopt: bool | Sequence[str],
        directory: str,
        clone: bool | None,
        look: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {
            **inputs.props(),
            "extensions": list(extensions),
            "drop_databases": list(drop_databases),
            "rotation": rotation,
            "adopt": adopt if isinstance(adopt, bool) else list(adopt),
            "directory": directory,
            **({} if clone is None else {"clone": clone}),
            **dict.fromkeys(("created", "failed", "drops", "drift")),
        }
        props["look"] = look
        if pulumi.runtime.is_dry_run():
            props["explain"] = True
        super().__init__(DatabaseGroupProvider, name, props, opts)
