"""Compares what a module makes with what a database holds: the proof behind the steps `adopt` and `verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.catalog.catalog import Catalog
from infra.catalog.changes import is_structure
from infra.catalog.difference import Difference, differences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.catalog.catalog import ObjectId
    from infra.catalog.changes import CatalogChange


def compare_module(
    expected: Mapping[ObjectId, str],
    actual: Mapping[ObjectId, str],
    effect: CatalogChange,
    previous: CatalogChange | None,
) -> tuple[Difference, ...]:
    """Return how one set of definitions differs from another in what a module makes, in structure; () for not at all.

    Compared are the objects that the module makes (`effect`), expected as all modules together leave them, and those
    that it had created according to `previous`, the effect in its ledger row.
    """
    identities = {identity for identity in effect.objects if is_structure(identity)}
    if previous:
        identities |= {
            identity for identity in previous.objects if is_structure(identity) and identity not in previous.changed
        }
    return tuple(
        differences(
            Catalog({identity: expected[identity] for identity in identities if identity in expected}),
            Catalog({identity: actual[identity] for identity in identities if identity in actual}),
        )
    )


def missing_privileges(effect: CatalogChange, actual: Mapping[ObjectId, str]) -> tuple[Difference, ...]:
    """Return the privileges that a module grants and roles do not have; what default privileges add is not compared."""
    return tuple(
        Difference(identity, text, actual.get(identity))
        for identity, text in sorted(effect.objects.items())
        if identity.kind == "privileges" and not _privileges(text) <= _privileges(actual.get(identity))
    )


def _privileges(text: str | None) -> set[str]:
    return set(text.split(", ")) if text else set()
