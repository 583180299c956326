"""Who may connect to a database, use its schemas, and read and write its tables: all of it in one resource, in SQL.

The postgresql plugin has a resource for each grant, and none for PUBLIC, for schemas or for all schemas at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from infra.errors import RefusedError
from infra.lazy_module import LazyModule
from infra.modules.decision import Lifecycle
from infra.postgres.access import Access
from infra.postgres.connection.target import MAINTENANCE_DATABASE
from infra.postgres.database_roles import database_label
from infra.resources.base import DynamicResource, Properties, Provider, admin_target, changed, is_known, without
from infra.resources.lost_data import BEGIN_EMPTY
from infra.resources.module_provider import AGAIN
from infra.sdk_tuning import without_dependencies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.postgres import access_drift, privileges, rename_roles, sessions
    from infra.resources.actions import database_access as actions
else:
    actions = LazyModule("infra.resources.actions.database_access")
    access_drift = LazyModule("infra.postgres.access_drift")
    privileges = LazyModule("infra.postgres.privileges")
    rename_roles = LazyModule("infra.postgres.rename_roles")
    sessions = LazyModule("infra.postgres.sessions")

_ROLES = ("owner", "app", "readonly", "migrator")
_COMPARED = ("host", "port", "options", "user", "password", "recreated", "further", "private_schemas", "force", *_ROLES)


class DatabaseAccessProvider(Provider):
    """Grants the roles of a database what they need, and PUBLIC nothing; a refresh reports drift by grantee."""

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Refuse an empty database in the place of one of a persistent stack; add what this run takes back.

        `lifecycle`, `stack` and `look` are for this run alone.
        """
        label = database_label(str(news["database"]))
        times, before = (props.get("recreated", {}) for props in (news, _olds))
        if (
            _olds
            and news["lifecycle"] == Lifecycle.PERSISTENT.value
            and is_known(times)
            and times.get(label) != before.get(label)
        ):
            raise RefusedError("is gone with its rows, and this stack is persistent", place=label, remedy=BEGIN_EMPTY)
        inputs = without(news, "lifecycle", "stack", "look")
        taken_back = _olds.get("taken_back")  # stays as it is where nothing is found: a saved plan compares it
        if _olds and news["look"] and is_known(news) and times == before:
            now = {name: news.get(name) for name in ("unmanaged", "attributes")}
            found = actions.look(news, _access({**_olds, **now}), outside(news))
            if found:
                taken_back = [*found, AGAIN] if found == taken_back else found
        if taken_back:
            inputs["taken_back"] = taken_back
        return CheckResult(inputs, [])

    def create(self, props: Properties) -> CreateResult:
        """Grant the privileges; granting them twice is harmless."""
        privileges.grant_access(admin_target(props), _access(props))
        return CreateResult(props["database"], {**without(props, "verifiers"), "drift": []})

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when the inputs differ, or when a refresh or this run found other privileges."""
        return DiffResult(changes=_is_other(_olds, _news) or bool(changed(_olds, _news, *_COMPARED)))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Rename roles, and grant the privileges again, to another role on existing tables too; revoke the reported."""
        target, names, is_other = admin_target(_news), renamed_roles(_olds, _news), _is_other(_olds, _news)
        if is_other:
            privileges.open_database(target, _access(_news), target.on(outside(_news)))
        renamed = (
            rename_roles.rename_roles(target, names, owner=_news["owner"], verifiers=_news["verifiers"])
            if names
            else set[str]()
        )
        former = {role: _news[role] if _news[role] in renamed else _olds[role] for role in _ROLES}
        former["private_schemas"] = _olds.get("private_schemas")
        removed = _further(_olds).keys() - _further(_news).keys()
        if removed:
            privileges.drop_owned(target, sorted(removed))
        privileges.grant_access(target, _access(_news), _access(former), revoke_others=is_other)
        return UpdateResult({**without(_news, "verifiers"), "drift": []})

    def delete(self, _id: str, _props: Properties) -> None:
        """Close the database, which is dropped next: whoever is connected would prevent that."""
        roles = [*(_props[role] for role in _ROLES), *_further(_props)]
        sessions.close_database(admin_target(_props), roles, outside(_props), force=bool(_props.get("force")))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Return as `drift` each grantee's privileges that are not as granted; without the database it is gone."""
        drift = access_drift.access_drift(admin_target(props), _access(props), outside(props))
        return ReadResult("", {}) if drift is None else ReadResult(id_, {**props, "drift": drift})


def _is_other(olds: Properties, news: Properties) -> bool:
    """Return whether a refresh found other privileges, or this run: a refresh passes `news` as it is stored."""
    found = news.get("taken_back")
    return bool(olds.get("drift") or (found and found != olds.get("taken_back")))


def outside(props: Properties) -> str:
    """Return the database of administrators, from which another one is seen that nobody can enter."""
    return str(props.get("maintenance_database") or MAINTENANCE_DATABASE)


def _further(props: Properties) -> dict[str, str]:
    return props.get("further") or {}


def _access(props: Properties) -> Access:
    private = tuple(props.get("private_schemas") or ())
    return Access(
        *(props[role] for role in _ROLES),
        further=_further(props),
        private_schemas=private,
        allowed=tuple(props.get("unmanaged") or ()),
        attributes=props.get("attributes") or {},
    )


def renamed_roles(olds: Properties, news: Properties) -> dict[str, str]:
    """Return the new names of a database's roles by the old ones, without roles that keep their name."""
    before, after = ({role: names[role] for role in _ROLES if role in names} for names in (olds, news))
    return {
        name: after[role]
        for role, name in before.items()
        if name not in after.values() and after[role] not in before.values()
    }


class DatabaseAccess(DynamicResource, module="postgres", name="DatabaseAccess"):
    """The privileges of PUBLIC and the roles of a database; `target` is the administrator's.

    `further` are its login roles beside those, each with the role that it is a member of; what one of them was granted
    is revoked when it is taken out. `verifiers` has what a login role gets that is renamed, `recreated` how often the
    database and its roles were created again because they had gone. With `look` a run compares what is granted before
    it begins: what other roles were granted that matches `unmanaged` is left alone, as are the `attributes` that the
    program declares of roles by itself.
    """

    def __init__(
        self,
        name: str,
        *,
        target: Properties,
        maintenance_database: pulumi.Input[str],
        roles: Mapping[str, str],
        further: Mapping[str, str],
        private_schemas: Sequence[str],
        verifiers: pulumi.Output[dict[str, str]],
        recreated: pulumi.Input[Mapping[str, int]],
        unmanaged: Sequence[str],
        attributes: pulumi.Output[dict[str, list[str]]],
        lifecycle: Lifecycle,
        stack: str,
        look: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {
            **target,
            "maintenance_database": maintenance_database,
            **{role: roles[role] for role in _ROLES},
            "further": dict(further) or None,
            "private_schemas": list(private_schemas) or None,
            "verifiers": verifiers,
            "recreated": recreated,
            "unmanaged": list(unmanaged) or None,
            "attributes": without_dependencies(attributes),
            "lifecycle": lifecycle.value,
            "stack": stack,
            "look": look,
            "force": lifecycle is Lifecycle.EPHEMERAL,
        }
        super().__init__(DatabaseAccessProvider, name, props, opts)
