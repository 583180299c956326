"""The roles and databases of a stack on its server: which of them exist, and whose those are, before any is created."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from infra.errors import RefusedError
from infra.lazy_module import LazyModule
from infra.postgres.database_roles import DatabaseRoles, database_label, role_label
from infra.resources.base import DynamicResource, Properties, Provider, changed, is_known, without
from infra.resources.database_access import renamed_roles

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from infra.resources.actions import shared_objects as actions
else:
    actions = LazyModule("infra.resources.actions.shared_objects")

_ADDRESS = ("host", "port", "options", "database", "user", "password")


class SharedObjectsProvider(Provider):
    """Reads the server before anything is created on it; what exists and is not the stack's is refused.

    `missing` has the labels of what does not exist and is created after this: as an input what this run found, as an
    output what a refresh found. What an earlier run has recorded and is gone is `lost`: this creates it again, since
    Pulumi's state may have it. `recreated` counts how often, by label, for what is inside to follow. `refused` has the
    roles to which somebody gave another password, `reset` counts how often this gave them theirs again.
    """

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Add what is missing and what is lost; `passwords`, `preview` and `ask` are for this run alone."""
        inputs = without(news, "passwords", "preview", "ask", "template", "template_mark")
        if news.get("ask"):
            actions.refuse_losses(news, _removed(_olds, news))
        renamed = _renamed_roles(_olds, news)
        objects, recorded = _objects(news), set(_objects(_olds))
        new = [label for label in objects if label not in recorded]
        if all(is_known(news.get(name)) for name in _ADDRESS):
            found = actions.existing(news, recorded, renamed, patient=bool(new))
            absent = (
                {*(new if news["adopt"] is not True else []), *_olds.get("missing", [])}
                if found is None
                else {label for label in objects if label not in found}
            )
            lost = [label for label in objects if label in absent & recorded] if found is not None else []
        else:  # a server that is yet to be created
            found = None
            absent = {*(new if news["adopt"] is not True else []), *recorded}
            lost = [label for label in objects if label in recorded]
        if lost:
            actions.show_lost(news, lost)
        is_rotated = news["rotation"] != _olds.get("rotation")
        refused = [] if is_rotated or not recorded or found is None else actions.other_passwords(news)
        refused = [role for role in refused if role_label(role) in recorded and role_label(role) not in lost]
        inputs["missing"] = [label for label in objects if label in absent and label not in lost]
        inputs["lost"] = lost
        if news.get("template") and set(map(database_label, _databases(news))) & {*inputs["missing"]}:
            inputs["template"] = actions.existing_template(news)
        inputs["recreated"] = counted(_olds.get("recreated") or {}, lost)
        inputs["refused"], inputs["reset"] = refused, counted(_olds.get("reset") or {}, refused)
        return CheckResult(inputs, [])

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when something is missing or lost, or the address or a name differs.

        A refresh compares with the inputs of the last run, and those of a first run have what it created after that.
        """
        missing = bool(_olds.get("missing") or (_news["missing"] and actions.is_incomplete(_news)))
        return DiffResult(changes=missing or bool(changed(_olds, _news, *_ADDRESS, "databases", "recreated", "reset")))

    def create(self, props: Properties) -> CreateResult:
        """Store the names; what is missing is created after this."""
        return CreateResult("shared-objects", {**without(props, "verifiers"), "missing": []})

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Create again what is lost, and give roles their passwords again."""
        if _news["lost"] or _news["refused"]:
            actions.bring_back(_news)
        return UpdateResult({**without(_news, "verifiers"), "missing": []})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Return as missing what is gone from the server."""
        return ReadResult(id_, {**props, "missing": actions.missing(props)})


def _removed(olds: Properties, news: Properties) -> list[str]:
    """Return the databases that will be dropped, because the settings have them no longer."""
    kept = {database["name"] for database in news["databases"]}
    kept |= set() if isinstance(news["adopt"], bool) else set(news["adopt"])
    return [database["name"] for database in olds.get("databases", []) if database["name"] not in kept]


def counted(former: Mapping[str, float], labels: Collection[str]) -> dict[str, int]:
    """Return how often each was created again, with these once more."""
    return {label: int(former.get(label, 0)) + (label in labels) for label in sorted({*former, *labels})}


def _renamed_roles(olds: Properties, news: Properties) -> dict[str, str]:
    """Return the new names of roles by the old ones; raises RefusedError where a role gets the name of another."""
    renamed: dict[str, str] = {}
    former = {database["name"]: database for database in olds.get("databases", [])}
    for database in news["databases"]:
        names = former.get(database["name"], {})
        for role, name in sorted(database.items()):
            if role != "further" and name != names.get(role, name) and name in _all_names(names):
                raise RefusedError(
                    f"role {name} was another one of its roles in the last run",
                    place=f"database {database['name']}",
                    remedy=f"choose a new name for {role}, run `up`, and then give it this one",
                )
        renamed |= renamed_roles(names, database)
    return renamed


def _all_names(names: Properties) -> list[str]:
    return [*(name for role, name in names.items() if role != "further"), *names.get("further", [])]


def _databases(props: Properties) -> list[str]:
    return [str(database["name"]) for database in props.get("databases", [])]


def _objects(props: Properties) -> list[str]:
    """Return the labels of the databases and roles in a resource's properties."""
    return [label for database in props.get("databases", []) for label in DatabaseRoles(**database).objects]


class SharedObjects(DynamicResource, module="postgres", name="SharedObjects"):
    """The databases and their roles, in the order of their creation; `target` is the administrator's.

    `adopt` has the names of those that may be taken over, or says it for all of them. `verifiers` are for roles that
    are created again or have another password, but for a run in which the number of the `rotation` gives them a new
    one. `template` is that of which new databases are clones, if the server has it with the comment `template_mark`;
    as an output it is '' where the server had none when databases were created. With `ask` rows in databases that are
    to be dropped are refused where `make up` asks for them.
    """

    recreated: pulumi.Output[dict[str, int]]
    template: pulumi.Output[str | None]

    def __init__(
        self,
        name: str,
        *,
        target: Properties,
        databases: Sequence[Mapping[str, object]],
        passwords: pulumi.Output[dict[str, str]],
        verifiers: pulumi.Output[dict[str, str]],
        adopt: bool | Sequence[str],
        rotation: int,
        stack: str,
        ask: bool,
        template: tuple[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {
            **target,
            "databases": [dict(database) for database in databases],
            "passwords": passwords,
            "verifiers": verifiers,
            "adopt": adopt if isinstance(adopt, bool) else list(adopt),
            "rotation": rotation,
            "stack": stack,
            "ask": ask,
            "template": template[0] if template else None,
            **({"template_mark": template[1]} if template else {}),
            **dict.fromkeys(("missing", "lost", "recreated", "refused", "reset")),
        }
        if pulumi.runtime.is_dry_run():
            props["preview"] = True
        super().__init__(SharedObjectsProvider, name, props, opts)
