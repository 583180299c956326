"""Groups of differences: parts of an object that is missing or extra belong to its difference."""

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

_WITH_PARTS = ("table", "view", "materialized view", "composite type", "enum", "domain", "range")
_NAME = r'(?:"(?:[^"]|"")*"|[^\s."(]+)'
_TABLE_OF_INDEX = re.compile(rf" ON (?:ONLY )?({_NAME}\.{_NAME})")
_SUBJECTS_OF_NOTES = {"column order": "table", "extension version": "extension"}
_TWO_WORDS = ("materialized view ", "event trigger ")
_ROUTINES = ("function", "procedure", "aggregate")


@dataclass(frozen=True)
class Group:
    """One difference, and those that only follow from it, such as the columns of a missing table."""

    main: Difference
    parts: tuple[Difference, ...] = ()


def fold_parts(differences: Iterable[Difference]) -> list[Group]:
    """Return every difference in the group of the one that it follows from, in the order of the main differences."""
    by_identity = {difference.identity: difference for difference in differences}
    wholes = {identity: _whole_of(difference, by_identity) for identity, difference in by_identity.items()}
    parts: dict[ObjectId, list[Difference]] = {}
    for identity, difference in by_identity.items():
        whole = wholes[identity]
        while whole and wholes[whole]:
            whole = wholes[whole]
        if whole:
            parts.setdefault(whole, []).append(difference)
    mains = (difference for identity, difference in by_identity.items() if wholes[identity] is None)
    return [Group(main, tuple(parts.get(main.identity, ()))) for main in mains if not _follows_from_columns(main)]


def _whole_of(difference: Difference, others: Mapping[ObjectId, Difference]) -> ObjectId | None:
    """Return the object from whose difference this one follows, such as a table that is missing as well."""
    for whole in _wholes(difference) if difference.verdict != "different" else ():
        if whole in others and whole != difference.identity and others[whole].verdict == difference.verdict:
            return whole
    if difference.identity.kind in PARTS_OF_TABLES and _differs_in_inheritance_only(difference):
        return next((whole for whole in _wholes(difference) if whole in others), None)
    if difference.identity.kind == "sequence":  # of an identity column that became an ordinary one, or the reverse
        return next((column for column in _owning_columns(difference) if column in others), None)
    if difference.identity.kind == "owner":  # a sequence that belongs to a column has no owner of its own
        return next((whole for whole in _wholes(difference) if whole in others and whole.kind == "sequence"), None)
    return None


def _differs_in_inheritance_only(difference: Difference) -> bool:
    """Return whether two definitions differ only in whether the object is inherited, which follows from its table."""
    definitions = (difference.expected, difference.found)
    without_inheritance = [[line for line in (text or "").split("\n") if line != "inherited"] for text in definitions]
    return difference.verdict == "different" and without_inheritance[0] == without_inheritance[1]


def _wholes(difference: Difference) -> list[ObjectId]:
    """Return the objects that an object may be part of."""
    kind, name = difference.identity
    if kind in PARTS_OF_TABLES:
        return [ObjectId(whole, parent(name)) for whole in _WITH_PARTS]
    if kind == "sequence":
        columns = _owning_columns(difference)
        return [*columns, *(ObjectId("table", parent(column.name)) for column in columns)]
    if kind == "index":
        names = _TABLE_OF_INDEX.findall(_definition(difference))
        tables = [ObjectId(whole, table) for table in names for whole in _WITH_PARTS]
        return [*tables, *(ObjectId("index", index) for index in _lines_after("partition of ", difference))]
    if kind == "constraint index":
        return [ObjectId("constraint", constraint) for constraint in _lines_after("of ", difference)]
    if kind in ACCESS:
        return _subjects(name.rpartition(" to ")[0] if kind == "privileges" else name)
    return [ObjectId(_SUBJECTS_OF_NOTES[kind], name)] if kind in _SUBJECTS_OF_NOTES else []


def _subjects(subject: str) -> list[ObjectId]:
    """Return the objects that an owner or a privilege may be about: `function public.f()` may be a procedure."""
    *kind_words, name = subject.split(" ", 2 if subject.startswith(_TWO_WORDS) else 1)
    kind = " ".join(kind_words)
    kinds = {"function": _ROUTINES, "type": _WITH_PARTS}.get(kind, (kind,))
    column = [ObjectId("table", parent(name))] if kind == "column" else []
    return [*(ObjectId(possible, name) for possible in kinds), *column]


def _owning_columns(difference: Difference) -> list[ObjectId]:
    return [ObjectId("column", name) for name in _lines_after("owned by ", difference)]


def _lines_after(prefix: str, difference: Difference) -> list[str]:
    """Return the rest of each line of the definition that starts with a prefix."""
    return [line.removeprefix(prefix) for line in _definition(difference).split("\n") if line.startswith(prefix)]


def _definition(difference: Difference) -> str:
    return (difference.found if difference.expected is None else difference.expected) or ""


def _follows_from_columns(difference: Difference) -> bool:
    """Return whether an order of columns differs only because there are more or fewer columns."""
    if difference.identity.kind != "column order" or difference.expected is None or difference.found is None:
        return False
    before, after = difference.expected.split(", "), difference.found.split(", ")
    return [name for name in before if name in after] == [name for name in after if name in before]
