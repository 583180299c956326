"""Compares what a module makes with what a database holds: the proof behind the steps `adopt` and `verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.catalog.catalog import Catalog
from infra.catalog.changes import is_structure
from infra.catalog.difference import Difference, differences

if TYPE_CHECKING:
    from infra.catalog.changes import CatalogChange
    from infra.postgres.apply.module_effects import ModuleEffects
    from infra.postgres.apply.status import DatabaseStatus

MOST_OBJECTS_NAMED = 5
"""How many objects a message of one line names."""


def compare_module(
    database: DatabaseStatus, effects: ModuleEffects, module: str, previous: CatalogChange | None
) -> list[Difference]:
    """Return how a database differs from what a module makes, in structure; [] when it does not.

    Compared are the objects that the module makes now (expected as all modules together leave them) and those that it
    had created according to `previous`, the effect in its ledger row.
    """
    identities = {identity for identity in effects.by_module[module].objects if is_structure(identity)}
    if previous:
        identities |= {
            identity for identity in previous.objects if is_structure(identity) and identity not in previous.changed
        }
    expected, actual = effects.definitions, database.catalog.objects
    return differences(
        Catalog({identity: expected[identity] for identity in identities if identity in expected}),
        Catalog({identity: actual[identity] for identity in identities if identity in actual}),
    )


def summarize_differences(differences: list[Difference]) -> str:
    """Return differences in one line, which names the first five and counts the others; '' for none."""
    named = differences[:MOST_OBJECTS_NAMED]
    text = ", ".join(f"{difference.identity} is {difference.verdict}" for difference in named)
    remaining = len(differences) - len(named)
    return f"{text} and {remaining} more" if remaining else text
