"""What GroupReady's verbs read of the databases of a group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.catalog.catalog import fingerprint
from infra.errors import InfraError
from infra.modules.module import order
from infra.postgres.apply.planning import read_status
from infra.postgres.connection.connect import connect
from infra.postgres.connection.error_messages import translated_errors
from infra.resources.actions.groups import GroupConsole, by_text, group_of, in_databases
from infra.resources.base import Properties, without
from infra.resources.group_state import active, by_database, by_value, map_of, pending, still_there, version_of_modules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.plan.database_status import DatabaseStatus
    from infra.postgres.groups.group import GroupSpec


@dataclass(frozen=True)
class Found:
    """What a database has: its fingerprint, the modules that it lacks, and what no module made."""

    fingerprint: str
    missing: tuple[str, ...]
    unmanaged: tuple[str, ...]


def ready(olds: Properties, news: Properties) -> Properties:
    """Return the properties with what the databases have whose modules changed, and what the others had."""
    version = version_of_modules(news["statements"])
    return _with_found(olds, news, pending(olds, news, "complete", version), version)


def read(props: Properties) -> Properties:
    """Return the properties with what every database that was complete has now."""
    names = active(props, by_database(props["complete"]))
    found = _with_found(props, {**props, "databases": names}, names, version_of_modules(props["statements"]))
    if found["failed"]:
        raise InfraError("\n".join(by_text(found["failed"])))
    return found


def _with_found(olds: Properties, news: Properties, visited: Sequence[str], version: str) -> Properties:
    group, console = _group_and_console(news)
    found, failed = in_databases(
        group, visited, lambda name: _read(group, name, news["statements"]), console, lambda _: "read"
    )
    failed |= {name: f"lacks {', '.join(that.missing)}" for name, that in found.items() if that.missing}
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


def _read(group: GroupSpec, name: str, statements: Mapping[str, str]) -> Found:
    with translated_errors(f"database {name}"), connect(group.admin.on(name), autocommit=True) as connection:
        status = read_status(connection, group.template.stack)
    return Found(fingerprint(status.catalog), _missing(status, statements), _unmanaged(status, group))


def _missing(status: DatabaseStatus, statements: Mapping[str, str]) -> tuple[str, ...]:
    """Return the modules whose statements are not those that the ledger has."""
    applied = {name: entry.digests.statements for name, entry in status.entries.items()}
    return tuple(name for name in sorted(statements, key=order) if applied.get(name) != statements[name])


def _unmanaged(status: DatabaseStatus, group: GroupSpec) -> tuple[str, ...]:
    return tuple(map(str, status.unmanaged(group.template.allowed)))


def _group_and_console(props: Properties) -> tuple[GroupSpec, GroupConsole]:
    group = group_of(props)
    return group, GroupConsole(group, "GroupReady", f"{group.name}-ready")
