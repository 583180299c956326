"""SQL for what Alembic's autogenerate does not see, from the definitions in which two catalogs differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.catalog.identifiers import last, parent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from infra.catalog.difference import Difference

_COMMENT = "comment "
_ON_TABLES = {"constraint", "trigger"}
_COMMENTED = {"table", "column", "view", "index", "sequence", "schema"}
_FIRST = ("trigger", "view", "constraint", "index", "function", "procedure")
"""The order in which objects go; they come in the reverse order."""


def leading_statements(differences: Iterable[Difference]) -> list[str]:
    """Return the statements that drop the views and triggers which go or are replaced: they come first."""
    leading = [difference for difference in differences if difference.identity.kind in {"view", "trigger"}]
    return [statement for difference in leading for statement in _drop(difference)]


def completing_statements(differences: Iterable[Difference]) -> list[str]:
    """Return the statements that turn what was found into what is expected, as far as definitions are SQL.

    Of other kinds of objects nothing is returned: a comparison afterwards finds them again.
    """
    known = [difference for difference in differences if difference.identity.kind in {*_FIRST, *_COMMENTED}]
    known.sort(key=lambda difference: _rank(difference.identity.kind))
    drops = [statement for difference in known for statement in _drop(difference)]
    return [*drops, *(statement for difference in reversed(known) for statement in _create(difference))]


def _rank(kind: str) -> int:
    return _FIRST.index(kind) if kind in _FIRST else len(_FIRST)


def _is_replaced(difference: Difference) -> bool:
    """Return whether more than the comment differs, and the definition is SQL that creates the object."""
    before, after = _split(difference.found)[0], _split(difference.expected)[0]
    return difference.identity.kind in _FIRST and before != after


def _drop(difference: Difference) -> Iterator[str]:
    kind, name = difference.identity
    if difference.found is None or not _is_replaced(difference):
        return
    if kind == "constraint":
        yield f"ALTER TABLE {parent(name)} DROP CONSTRAINT {last(name)}"
    elif kind == "trigger":
        yield f"DROP TRIGGER {last(name)} ON {parent(name)}"
    elif kind in {"view", "index"} or difference.expected is None:
        yield f"DROP {kind.upper()} {name}"


def _create(difference: Difference) -> Iterator[str]:
    kind, name = difference.identity
    if difference.expected is None:
        return
    definition, comment = _split(difference.expected)
    if _is_replaced(difference):
        if kind == "constraint":
            yield f"ALTER TABLE {parent(name)} ADD CONSTRAINT {last(name)} {definition}"
        elif kind == "view":
            yield f"CREATE VIEW {name} AS {definition.rstrip(';')}"
        else:
            yield definition
    if comment != _split(difference.found)[1] or (comment and _is_replaced(difference)):
        subject = f"{last(name)} ON {parent(name)}" if kind in _ON_TABLES else name
        yield f"COMMENT ON {kind.upper()} {subject} IS {comment or 'NULL'}"


def _split(definition: str | None) -> tuple[str, str]:
    """Return a definition without its comment, and the comment as a literal, '' for none."""
    text, _, comment = f"\n{definition or ''}".rpartition(f"\n{_COMMENT}")
    if not comment.startswith(("'", "E'")):
        return definition or "", ""
    return text.lstrip("\n"), comment
