"""What a DatabaseGroup's verbs do on its server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.errors import InfraError, RefusedError
from infra.modules.decision import Lifecycle
from infra.postgres.access_drift import access_drift, may_have_drifted
from infra.postgres.apply.live_status import with_time_limits
from infra.postgres.apply.losses import refuse_dropped
from infra.postgres.apply.plan_cache import cache
from infra.postgres.connection.connect import connect
from infra.postgres.connection.error_messages import translated_errors
from infra.postgres.groups import provisioning, templates
from infra.postgres.groups.modules import module_order
from infra.postgres.groups.roles import drop_former_roles, drop_roles, ensure_roles
from infra.resources.actions.database_access import EXPECTED, TAKEN_BACK
from infra.resources.actions.groups import GroupConsole, by_text, group_of, in_databases, look_at, named
from infra.resources.base import changed
from infra.resources.group_state import active, map_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.modules.module import Module
    from infra.postgres.groups.group import GroupSpec
    from infra.resources.base import Properties

REMEDY = "put it back; or, to drop it with its data, name it in drop_databases"


def preview(olds: Properties, news: Properties) -> list[str]:
    """Return why databases cannot be created; what is lost with those that are dropped is in the plan.

    `olds` are the inputs of the last run. A server that does not answer is left out of the preview.
    """
    group = group_of(news)
    try:
        with translated_errors(f"group {group.name}"):
            new = [name for name in active(news) if name not in olds.get("databases", ())]
            problems = provisioning.refusals(group, new, adopt=news["adopt"])
    except InfraError:
        return []
    return [f"database {name}: {text}" for name, text in problems.items()]


def look(olds: Properties, inputs: Properties, *, explain: bool) -> dict[str, list[str]]:
    """Return what somebody changed of roles and privileges, by database, and show it.

    Each database is looked at once in this process, for its modules too. Where nothing was changed in it, and roles and
    databases are as declared, which one connection reads of all of them, it is not connected to for this.
    """
    group, console = group_of(inputs), _console(group_of(inputs))
    outside = group.admin.database
    known = [name for name in active(inputs) if name in olds.get("databases", ())]
    try:
        with translated_errors(f"group {group.name}"):
            look_at(group, known, console, explain=explain)
            with connect(with_time_limits(group.admin), autocommit=True) as connection:
                suspect = [
                    name
                    for name in known
                    if cache.has_changes(str(group.target(name)))
                    or may_have_drifted(connection, name, group.access(name))
                ]
            compared, failed = in_databases(
                group,
                suspect,
                lambda name: access_drift(with_time_limits(group.admin.on(name)), group.access(name), outside),
                console,
                lambda drift: "drifted" if drift else "as declared",
            )
    except InfraError:  # the modules' look says so
        return {}
    found = {name: drift for name, drift in compared.items() if drift}
    if found:
        lines = by_text({name: "\n    ".join(["", *drift]) for name, drift in found.items()})
        console.warn("\n  ".join([TAKEN_BACK, *lines, EXPECTED]))
    for line in by_text(failed):
        console.error(line)
    return found | {name: [text] for name, text in failed.items()}  # the run tries, and fails


def provide(olds: Properties, news: Properties) -> Properties:
    """Create databases that are new, drop those that are gone from the settings, and return the new properties."""
    group = group_of(news)
    console = _console(group)
    with translated_errors(f"group {group.name}"):
        new, removed = _new(olds, news), _removed(group, olds, news)
        _refuse_losses(group, news, removed)
        failed = provisioning.refusals(group, new, adopt=news["adopt"])
        ready = [name for name in new if name not in failed]
        created = [name for name in olds.get("created", []) if name not in removed]
        ensure_roles(group, [*ready, *(created if _has_other_roles(olds, news) else [])])
        if olds:
            drop_former_roles(group, group_of(olds).further, created)
        extensions = news["extensions"]
        modules = _modules_to_clone(group, news)
        template = (
            templates.usable_template(group, modules, extensions, new=len(ready), rows=news.get("clone") is True)
            if modules
            else ""
        )
        made, errors = in_databases(
            group,
            ready,
            lambda name: provisioning.ensure_database(group, name, extensions, template, modules),
            console,
            str,
        )
        failed |= errors
        found = map_of(news, "taken_back")
        drifted = {*map_of(olds, "drift"), *(found if found != map_of(olds, "taken_back") else ())}
        again = active(news, created) if changed(olds, news, "extensions", "private_schemas") else active(news, drifted)
        prepared, errors = in_databases(
            group,
            [name for name in again if name in created],
            lambda name: provisioning.prepare_database(group, name, extensions, revoke_others=name in drifted),
            console,
            lambda _: "prepared",
        )
        failed |= errors
        for name in prepared:
            cache.forget(str(group.target(name)))
        dropped, errors = _drop(group, removed, console)
    failed |= errors
    for line in by_text(failed):
        console.error(line)
    existing = {*created, *made}
    return {
        **news,
        "created": [name for name in news["databases"] if name in existing] + list(errors),
        "failed": failed,
        "drops": _counted(olds.get("drops", {}), dropped),
        "drift": {name: found for name, found in olds.get("drift", {}).items() if name in existing - set(prepared)},
    }


def read(props: Properties) -> Properties:
    """Return the properties with the databases that exist, and the drift of their privileges."""
    group = group_of(props)
    with translated_errors(f"group {group.name}"):
        existing = provisioning.existing_databases(group, props["created"])
    lost = [name for name in props["created"] if name not in existing]
    found, failed = in_databases(
        group,
        active(props, existing),
        lambda name: access_drift(group.admin.on(name), group.access(name), group.admin.database),
        _console(group),
        lambda drift: "drifted" if drift else "as declared",
    )
    if failed:
        raise InfraError("\n".join(by_text(failed)))
    return {
        **props,
        "created": [name for name in props["created"] if name in existing],
        "drops": _counted(props["drops"], lost),
        "drift": {name: drift for name, drift in found.items() if drift},
    }


def drop_all(props: Properties) -> None:
    """Drop all databases of a group and its roles; raises RefusedError where a persistent stack may not lose them."""
    group = group_of(props)
    with translated_errors(f"group {group.name}"):
        removed = _removed(group, props, {**props, "databases": []})
        _refuse_losses(group, props, removed)
        templates.drop_templates(group)
        _, failed = _drop(group, removed, _console(group))
        if failed:
            raise InfraError("\n".join(by_text(failed)))
        if group.shared:
            drop_roles(group, [group.name])


def _modules_to_clone(group: GroupSpec, news: Properties) -> list[Module]:
    """Return the modules of a template; none where databases are not cloned, or `check` refuses one of them."""
    if news.get("clone") is False:
        templates.drop_templates(group)
        return []
    order = module_order(group.template.directory)
    return list(order.modules) if len(order.ahead) == len(order.modules) else []


def _drop(group: GroupSpec, databases: Sequence[str], console: GroupConsole) -> tuple[list[str], dict[str, str]]:
    """Drop databases and their own roles; return those that are dropped, and the errors of the others."""
    dropped, failed = in_databases(
        group, databases, lambda name: provisioning.drop_database(group, name), console, lambda _: "dropped"
    )
    if not group.shared:
        drop_roles(group, list(dropped))
    return list(dropped), failed


def _refuse_losses(group: GroupSpec, props: Properties, databases: Sequence[str]) -> None:
    """Raise RefusedError for databases that a persistent stack may not lose, and for rows that `make up` asks for."""
    lost = [name for name in databases if name not in props["drop_databases"]]
    if props["lifecycle"] == Lifecycle.EPHEMERAL.value:
        refuse_dropped([group.admin.on(name) for name in lost], group.template.losses)
    elif lost:
        raise RefusedError(
            "would be dropped, and this stack is persistent", place=f"database {named(lost)}", remedy=REMEDY
        )


def _new(olds: Properties, news: Properties) -> list[str]:
    return [name for name in active(news) if name not in olds.get("created", [])]


def _removed(group: GroupSpec, olds: Properties, news: Properties) -> list[str]:
    """Return the databases that the settings have no longer; one that another created, or is adopted, stays."""
    gone = [name for name in [*olds.get("created", []), *olds.get("failed", {})] if name not in news["databases"]]
    others = provisioning.refusals(group, [name for name in gone if name not in olds["created"]], adopt=())
    kept = {*others, *(() if isinstance(news["adopt"], bool) else news["adopt"])}
    return [name for name in dict.fromkeys(gone) if name not in kept]


def _has_other_roles(olds: Properties, news: Properties) -> bool:
    """Return whether the roles are to get other passwords, or the mark of a stack that has another name now."""
    return bool(olds) and bool(changed(olds, news, "rotation", "session"))


def _counted(drops: dict[str, int], dropped: Sequence[str]) -> dict[str, int]:
    """Return how often the database of a name was dropped: modules are applied again to one that is created again."""
    return {**drops, **{name: int(drops.get(name, 0)) + 1 for name in dropped}}


def _console(group: GroupSpec) -> GroupConsole:
    return GroupConsole(group, "DatabaseGroup", group.name)
