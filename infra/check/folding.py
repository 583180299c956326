"""Differences put together: what is part of something missing or extra is named with it, and not once more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.catalog.catalog import ACCESS, ObjectId
from infra.catalog.changes import PARTS_OF_TABLES
from infra.catalog.identifiers import parent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from infra.catalog.difference import Difference

WHOLES = ("table", "view", "materialized view", "composite type", "enum", "domain", "range")
_NAME = r'(?:"(?:[^"]|"")*"|[^\s."(]+)'
TABLE_OF_INDEX = re.compile(rf" ON (?:ONLY )?({_NAME}\.{_NAME})")
NOTED_OF = {"column order": "table", "extension version": "extension"}
TWO_WORDS = ("materialized view ", "event trigger ")
ROUTINES = ("function", "procedure", "aggregate")


@dataclass(frozen=True)
class Group:
    """One difference, and those that only follow from it."""

    main: Difference
    parts: tuple[Difference, ...] = ()


def fold_parts(differences: Iterable[Difference]) -> list[Group]:
    """Put every difference with the one that it follows from, in the order in which they come."""
    by_identity = {one.identity: one for one in differences}
    wholes = {identity: _whole_of(one, by_identity) for identity, one in by_identity.items()}
    parts: dict[ObjectId, list[Difference]] = {}
    for identity, one in by_identity.items():
        whole = wholes[identity]
        while whole and wholes[whole]:
            whole = wholes[whole]
        if whole:
            parts.setdefault(whole, []).append(one)
    mains = (one for identity, one in by_identity.items() if wholes[identity] is None)
    return [Group(one, tuple(parts.get(one.identity, ()))) for one in mains if not _follows(one)]


def _whole_of(one: Difference, found: Mapping[ObjectId, Difference]) -> ObjectId | None:
    """Give the difference that this one follows from: what it belongs to is missing, or extra, as well."""
    for whole in _wholes(one) if one.verdict != "different" else ():
        if whole in found and whole != one.identity and found[whole].verdict == one.verdict:
            return whole
    if one.identity.kind in PARTS_OF_TABLES and _only_inherits(one):  # its table does no longer, or newly
        return next((each for each in _wholes(one) if each in found), None)
    if one.identity.kind == "sequence":  # an identity column that became an ordinary one is different, not missing
        return next((each for each in _owners(one) if each in found), None)
    if one.identity.kind == "owner":  # a sequence that belongs to a column has no owner of its own
        return next((each for each in _wholes(one) if each in found and each.kind == "sequence"), None)
    return None


def _only_inherits(one: Difference) -> bool:
    """Say whether two definitions differ in nothing but whether they are inherited."""
    sides = [[line for line in (text or "").split("\n") if line != "inherited"] for text in (one.expected, one.found)]
    return one.verdict == "different" and sides[0] == sides[1]


def _wholes(one: Difference) -> list[ObjectId]:
    """Name what an object may be part of."""
    kind, name = one.identity
    if kind in PARTS_OF_TABLES:
        return [ObjectId(whole, parent(name)) for whole in WHOLES]
    if kind == "sequence":
        return [*_owners(one), *(ObjectId("table", parent(each.name)) for each in _owners(one))]
    if kind == "index":
        tables = [ObjectId(whole, name) for name in TABLE_OF_INDEX.findall(_text(one)) for whole in WHOLES]
        return [*tables, *(ObjectId("index", name) for name in _said(one, "partition of "))]
    if kind == "constraint index":
        return [ObjectId("constraint", name) for name in _said(one, "of ")]
    if kind in ACCESS:
        return _subjects(name.rpartition(" to ")[0] if kind == "privileges" else name)
    return [ObjectId(NOTED_OF[kind], name)] if kind in NOTED_OF else []


def _subjects(subject: str) -> list[ObjectId]:
    """Name what an owner or a privilege is about: `function public.f()` may be a procedure."""
    words = 2 if subject.startswith(TWO_WORDS) else 1
    *first, name = subject.split(" ", words)
    kind = " ".join(first)
    alike = {"function": ROUTINES, "type": WHOLES}.get(kind, (kind,))
    column = [ObjectId("table", parent(name))] if kind == "column" else []
    return [*(ObjectId(each, name) for each in alike), *column]


def _owners(one: Difference) -> list[ObjectId]:
    return [ObjectId("column", name) for name in _said(one, "owned by ")]


def _said(one: Difference, words: str) -> list[str]:
    """Give what stands behind these words at the beginning of a line."""
    return [line.removeprefix(words) for line in _text(one).split("\n") if line.startswith(words)]


def _text(one: Difference) -> str:
    return (one.found if one.expected is None else one.expected) or ""


def _follows(one: Difference) -> bool:
    """Say whether columns are in another order only because there are more or fewer of them."""
    if one.identity.kind != "column order" or one.expected is None or one.found is None:
        return False
    before, after = one.expected.split(", "), one.found.split(", ")
    return [name for name in before if name in after] == [name for name in after if name in before]
