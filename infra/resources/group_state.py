"""What the state of a group's resources says: which of its databases have what, and which are to be visited."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from infra.resources.base import Properties, changed, is_known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def map_of(props: Properties, output: str) -> dict[str, Any]:
    """Return an output that is a map, empty where there is none yet."""
    return props.get(output) or {}


def active(props: Properties, databases: Iterable[str] | None = None) -> list[str]:
    """Return the databases of a group, or those given, without the paused ones."""
    return [name for name in (props["databases"] if databases is None else databases) if name not in props["paused"]]


def by_database(databases: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return the value of each database of a map from values to databases, as the state has it."""
    return {name: value for value, names in databases.items() for name in names}


def by_value(values: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the databases of each value: the state is smaller, since most databases have the same."""
    databases: dict[str, list[str]] = {}
    for name, value in values.items():
        databases.setdefault(value, []).append(name)
    return databases


def still_there(olds: Properties, news: Properties, output: str) -> dict[str, str]:
    """Return an output by database, without the databases that were dropped since, or taken out of the group."""
    before, drops = map_of(olds, "drops"), map_of(news, "drops") if is_known(news["drops"]) else {}
    return {
        name: value
        for name, value in by_database(map_of(olds, output)).items()
        if name in news["databases"] and before.get(name) == drops.get(name)
    }


def pending(olds: Properties, news: Properties, output: str, value: str) -> list[str]:
    """Return the active databases whose output is not this value, or that drifted; all of them on another server."""
    current = still_there(olds, news, output)
    if olds and changed(olds, news, "address"):
        return active(news)
    drifted = map_of(olds, "drift")
    return [name for name in active(news) if current.get(name) != value or name in drifted]


def has_surplus(olds: Properties, news: Properties, output: str) -> bool:
    """Return whether the state has databases that were dropped since, or taken out of the group."""
    return still_there(olds, news, output) != by_database(map_of(olds, output))


def version_of_modules(statements: Mapping[str, str], head: str = "") -> str:
    """Return a digest of the statements of all modules, given as digests by module, and the last revision, if any."""
    text = json.dumps(dict(statements), sort_keys=True) + head
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
