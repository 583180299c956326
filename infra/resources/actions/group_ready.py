"""What GroupReady's verbs read of the databases of a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.errors import InfraError
from infra.modules.module import order
from infra.postgres.groups.modules import module_order, visits
from infra.postgres.groups.templates import drop_templates
from infra.resources.actions.groups import GroupConsole, by_text, group_of, in_databases
from infra.resources.base import Properties, without
from infra.resources.group_state import active, by_database, by_value, map_of, pending, still_there, version_of_modules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.postgres.groups.group import GroupSpec
    from infra.postgres.groups.modules import Completeness, ModuleOrder


def ready(olds: Properties, news: Properties) -> Properties:
    """Return the properties with what the databases have whose modules changed, and what the others had."""
    version = _version(news)
    if olds and olds["statements"] != news["statements"]:
        drop_templates(group_of(news))  # they have the modules as they were
    modules = module_order(group_of(news).template.directory)
    return _with_found(olds, news, pending(olds, news, "complete", version), version, modules)


def read(props: Properties) -> Properties:
    """Return the properties with what every database that was complete has now."""
    names = active(props, by_database(props["complete"]))
    found = _with_found(props, {**props, "databases": names}, names, _version(props))
    if found["failed"]:
        raise InfraError("\n".join(by_text(found["failed"])))
    return found


def _with_found(
    olds: Properties, news: Properties, visited: Sequence[str], version: str, modules: ModuleOrder | None = None
) -> Properties:
    group, console = _group_and_console(news)
    found, failed = in_databases(
        group,
        visited,
        lambda name: visits.completeness(group.session(name, console.warn), modules),
        console,
        lambda _: "read",
    )
    missing = {name: _missing(that, news["statements"]) for name, that in found.items()}
    failed |= {name: f"lacks {', '.join(modules)}" for name, modules in missing.items() if modules}
    unmanaged = {name: list(that.unmanaged) for name, that in found.items() if that.unmanaged}
    for line in by_text({name: ", ".join(objects) for name, objects in unmanaged.items()}):
        console.warn(f"no module made these objects of {line}; name them in modules.unmanaged when that is right")
    complete = {name: version for name in found if name not in failed}
    fingerprints = {name: that.fingerprint for name, that in found.items()}
    before = {name: objects for name, objects in map_of(olds, "unmanaged").items() if name not in found}
    return {
        **without(news, "databases"),
        "complete": by_value({**still_there(olds, news, "complete"), **complete}),
        "fingerprints": by_value({**still_there(olds, news, "fingerprints"), **fingerprints}),
        "unmanaged": {**before, **unmanaged},
        "failed": failed,
    }


def _version(props: Properties) -> str:
    return version_of_modules(props["statements"], props.get("head", ""))


def _missing(found: Completeness, statements: Mapping[str, str]) -> list[str]:
    """Return the modules whose statements are not those that the ledger has."""
    return [name for name in sorted(statements, key=order) if found.statements.get(name) != statements[name]]


def _group_and_console(props: Properties) -> tuple[GroupSpec, GroupConsole]:
    group = group_of(props)
    return group, GroupConsole(group, "GroupReady", f"{group.name}-ready")
