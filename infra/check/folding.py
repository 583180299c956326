"""Differences put together: what is part of something missing or extra is named with it, and not once more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.catalog.catalog import ACCESS, ObjectId
from infra.catalog.names import parent
from infra.catalog.owned import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from infra.catalog.difference import Difference

WHOLES = ("table", "view", "materialized view", "composite type", "enum", "domain", "range")
NAME = r'(?:"(?:[^"]|"")*"|[^\s."(]+)'
TABLE_OF_INDEX = re.compile(rf" ON (?:ONLY )?({NAME}\.{NAME})")
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
    """Give the difference that this one follows from: of the same verdict, and about what it belongs to."""
    for whole in _wholes(one):
        if whole in found and whole != one.identity and found[whole].verdict == one.verdict:
            return whole
    if one.identity.kind == "sequence":  # an identity column that became an ordinary one is different, not missing
        return next((each for each in _owners(one) if each in found), None)
    return None


def _wholes(one: Difference) -> list[ObjectId]:
    kind, name = one.identity
    if kind in PARTS:
        return [ObjectId(whole, parent(name)) for whole in WHOLES]
    if kind == "column order":
        return [ObjectId("table", name)]
    if kind == "extension version":
        return [ObjectId("extension", name)]
    if kind == "sequence":
        return [*_owners(one), *(ObjectId("table", parent(each.name)) for each in _owners(one))]
    if kind == "index":
        found = TABLE_OF_INDEX.search(_text(one))
        return [ObjectId(whole, found[1]) for whole in WHOLES] if found else []
    if kind in ACCESS:
        subject = name.rpartition(" to ")[0] if kind == "privileges" else name
        word, _, rest = subject.partition(" ")
        if subject.startswith("materialized view "):
            word, rest = "materialized view", subject.removeprefix("materialized view ")
        alike = {"function": ROUTINES, "type": WHOLES}.get(word, (word,))
        column = [ObjectId("table", parent(rest))] if word == "column" else []
        return [*(ObjectId(each, rest) for each in alike), *column]
    return []


def _owners(one: Difference) -> list[ObjectId]:
    return [ObjectId("column", name) for name in re.findall(r"^owned by (.*)$", _text(one), re.MULTILINE)]


def _text(one: Difference) -> str:
    return (one.found if one.expected is None else one.expected) or ""


def _follows(one: Difference) -> bool:
    """Say whether columns are in another order only because there are more or fewer of them."""
    if one.identity.kind != "column order" or one.expected is None or one.found is None:
        return False
    before, after = one.expected.split(", "), one.found.split(", ")
    return [name for name in before if name in after] == [name for name in after if name in before]
