"""The roles and databases of a stack on its server: which of them exist, and whose those are, before any is created."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from infra.errors import RefusedError
from infra.postgres.database_roles import DatabaseRoles
from infra.resources.base import DynamicResource, LazyModule, Properties, Provider, changed, is_known, without
from infra.resources.database_access import renamed_roles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.resources.actions import shared_objects as actions
else:
    actions = LazyModule("infra.resources.actions.shared_objects")

_ADDRESS = ("host", "port", "options", "database", "user", "password")


class SharedObjectsProvider(Provider):
    """Reads the server where a run may create something; what exists and is not the stack's is refused.

    `missing` has the labels of what does not exist: as an input what this run found, as an output what a refresh found.
    Once nothing is missing (`complete`), a run does not connect.
    """

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Add what is missing to the inputs; `passwords`, `preview` and `ask` are for this run alone."""
        inputs = without(news, "passwords", "preview", "ask")
        if news.get("ask"):
            actions.refuse_losses(news, _removed(_olds, news))
        renamed = _renamed_roles(_olds, news)
        objects, recorded = _objects(news), set(_objects(_olds))
        new = [label for label in objects if label not in recorded]
        if not new and _olds.get("complete"):
            return CheckResult({**inputs, "missing": [], "complete": True}, [])
        existing = (
            actions.existing(news, recorded, renamed) if all(is_known(news.get(name)) for name in _ADDRESS) else None
        )
        if existing is None:
            expected = {*(new if news["adopt"] is not True else []), *_olds.get("missing", [])}
            missing = [label for label in objects if label in expected]
        else:
            missing = [label for label in objects if label not in existing]
        return CheckResult({**inputs, "missing": missing, "complete": existing is not None and not missing}, [])

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when something is missing, or the address or a name differs.

        A refresh compares with the inputs of the last run, and those of a first run have what it created after that.
        """
        missing = bool(_olds.get("missing") or (_news["missing"] and actions.is_incomplete(_news)))
        return DiffResult(changes=missing or bool(changed(_olds, _news, *_ADDRESS, "databases")))

    def create(self, props: Properties) -> CreateResult:
        """Store the names; what is missing is created after this."""
        return CreateResult("shared-objects", {**props, "missing": []})

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Store the names."""
        return UpdateResult({**_news, "missing": []})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Return as missing what is gone from the server."""
        return ReadResult(id_, {**props, "missing": actions.missing(props)})


def _removed(olds: Properties, news: Properties) -> list[str]:
    """Return the databases that will be dropped, because the settings have them no longer."""
    kept = {database["name"] for database in news["databases"]}
    kept |= set() if isinstance(news["adopt"], bool) else set(news["adopt"])
    return [database["name"] for database in olds.get("databases", []) if database["name"] not in kept]


def _renamed_roles(olds: Properties, news: Properties) -> dict[str, str]:
    """Return the new names of roles by the old ones; raises RefusedError where a role gets the name of another."""
    renamed: dict[str, str] = {}
    former = {database["name"]: database for database in olds.get("databases", [])}
    for database in news["databases"]:
        names = former.get(database["name"], {})
        for role, name in sorted(database.items()):
            if name != names.get(role, name) and name in names.values():
                raise RefusedError(
                    f"role {name} was another one of its roles in the last run",
                    place=f"database {database['name']}",
                    remedy=f"choose a new name for {role}, run `up`, and then give it this one",
                )
        renamed |= renamed_roles(names, database)
    return renamed


def _objects(props: Properties) -> list[str]:
    """Return the labels of the databases and roles in a resource's properties."""
    return [label for database in props.get("databases", []) for label in DatabaseRoles(**database).objects]


class SharedObjects(DynamicResource, module="postgres", name="SharedObjects"):
    """The databases and their roles, in the order of their creation; `target` is the administrator's.

    `adopt` has the names of those that may be taken over, or says it for all of them. With `ask` rows in databases that
    are to be dropped are refused where `make up` asks for them.
    """

    def __init__(
        self,
        name: str,
        *,
        target: Properties,
        databases: Sequence[Mapping[str, str]],
        passwords: pulumi.Output[dict[str, str]],
        adopt: bool | Sequence[str],
        stack: str,
        ask: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {
            **target,
            "databases": [dict(database) for database in databases],
            "passwords": passwords,
            "adopt": adopt if isinstance(adopt, bool) else list(adopt),
            "stack": stack,
            "ask": ask,
            **dict.fromkeys(("missing", "complete")),
        }
        if pulumi.runtime.is_dry_run():
            props["preview"] = True
        super().__init__(SharedObjectsProvider, name, props, opts)
