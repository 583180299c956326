"""SQL for objects whose definitions are no SQL: schemas, types, sequences, policies, privileges.

A definition is made of lines, each a clause of the statement that creates the object, or nearly so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from infra.catalog.identifiers import last, parent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.catalog.difference import Difference

_LIMITS = {"minimum": "minvalue", "maximum": "maxvalue"}
_LABEL = re.compile(r"'((?:[^']|'')*)'")
ONLY_ADDED = "PostgreSQL adds values to an enum, and takes none out"


def needed_first(difference: Difference) -> list[str]:
    """Return the statements for what tables and columns may need: schemas, extensions, types and sequences."""
    kind, name = difference.identity
    if difference.expected is None:
        return []
    if kind == "enum" and difference.found is not None:
        return _values(name, _labels(difference.expected), _labels(difference.found))
    lines = _lines(difference.expected)
    if kind == "sequence":
        verb = "CREATE" if difference.found is None else "ALTER"
        is_same = _is_owned(difference.expected) or lines[:1] == _lines(difference.found)[:1]
        return [] if is_same else [f"{verb} SEQUENCE {name} {_clauses_of_sequence(lines[0])}"]
    statements = {
        "schema": f"CREATE SCHEMA {name}",
        "extension": f"CREATE EXTENSION {name} {' '.join(lines)}",
        "enum": f"CREATE TYPE {name} AS ENUM ({', '.join(_quoted(difference.expected))})",
        "domain": f"CREATE DOMAIN {name} {' '.join(line for line in lines if not line.startswith('comment '))}",
    }
    return [statements[kind]] if kind in statements and difference.found is None else []


def not_needed(difference: Difference) -> list[str]:
    """Return the statements that drop such objects, when tables and columns have gone."""
    kind, name = difference.identity
    if difference.expected is not None or kind not in {"schema", "extension", "enum", "domain", "sequence"}:
        return []
    return [] if _is_owned(difference.found) else [f"DROP {'TYPE' if kind == 'enum' else kind.upper()} {name}"]


def policy_or_privilege(difference: Difference) -> list[str]:
    """Return the statements for policies and privileges."""
    kind = difference.identity.kind
    if kind == "policy":
        return [*_policy(difference)]
    return [*_privileges(difference)] if kind == "privileges" else []


def values_that_stay(difference: Difference) -> str:
    """Return why an enum cannot become as expected, '' where it can, or is none."""
    if difference.identity.kind != "enum" or difference.verdict != "different":
        return ""
    expected, found = _labels(difference.expected), _labels(difference.found)
    more = [label for label in found if label not in expected]
    return f"enum {difference.identity.name} keeps {', '.join(more)}: {ONLY_ADDED}" if more else ""


def _values(name: str, expected: list[str], found: list[str]) -> list[str]:
    """Return the statements that add values to an enum at their places; none where others go or move."""
    if [label for label in expected if label in found] != found:
        return []
    statements: list[str] = []
    for position, label in enumerate(expected):
        if label not in found:
            following = next((other for other in expected[position:] if other in found), None)
            place = f" BEFORE '{following}'" if following else ""
            statements.append(f"ALTER TYPE {name} ADD VALUE '{label}'{place}")
    return statements


def _policy(difference: Difference) -> Iterator[str]:
    name = difference.identity.name
    subject = f"{last(name)} ON {parent(name)}"
    if difference.found is not None:
        yield f"DROP POLICY {subject}"
    if difference.expected is not None:
        text, sign, comment = difference.expected.partition("\ncomment ")
        yield f"CREATE POLICY {subject} AS {' '.join(text.splitlines())}"
        if sign:
            yield f"COMMENT ON POLICY {subject} IS {comment}"


def _privileges(difference: Difference) -> Iterator[str]:
    subject, _, grantee = difference.identity.name.rpartition(" to ")
    kind, _, name = subject.partition(" ")
    if kind in {"future", "materialized"}:
        return
    columns, place = "", f"{kind.upper()} {name}"
    if kind == "column":
        columns, place = f" ({last(name)})", f"TABLE {parent(name)}"
    if kind == "view":
        place = f"TABLE {name}"
    if difference.found is not None:
        yield f"REVOKE ALL{columns} ON {place} FROM {grantee}"
    for privilege in (difference.expected or "").split(", "):
        bare = privilege.removesuffix(" with grant option")
        if bare:
            yield f"GRANT {bare}{columns} ON {place} TO {grantee}{' WITH GRANT OPTION' * (bare != privilege)}"


def _is_owned(definition: str | None) -> bool:
    """Return whether a sequence belongs to a column, with which it comes and goes."""
    return any(line.startswith("owned by ") for line in _lines(definition))


def _clauses_of_sequence(line: str) -> str:
    return " ".join(_LIMITS.get(word, word) for word in line.split(" "))


def _labels(definition: str | None) -> list[str]:
    """Return the values of an enum, as they are between quotes."""
    text = (definition or "").partition("\ncomment ")[0]
    return _LABEL.findall(text)


def _quoted(definition: str) -> list[str]:
    return [f"'{label}'" for label in _labels(definition)]


def _lines(definition: str | None) -> list[str]:
    return (definition or "").splitlines()
