"""SQL by which a database gets what it lacks, from the definitions in which it differs from what modules make.

For a revision it completes what Alembic's autogenerate writes. In previews it is a draft, which a person has to check.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from infra.catalog.changes import belongs_to
from infra.catalog.definitions import column_of
from infra.catalog.identifiers import last, parent
from infra.errors import ModuleError
from infra.lazy_module import LazyModule
from infra.plan.folding import parts_of_tables, renamed_tables
from infra.plan.object_statements import needed_first, not_needed, policy_or_privilege
from infra.plan.table_statements import altered_rest, column_clauses, created_tables, dropped_tables, table_attributes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from infra.catalog.definitions import ColumnDefinition
    from infra.catalog.difference import Difference
    from infra.modules import safe_forms
else:  # it needs the parser, and most plans have no refusal
    safe_forms = LazyModule("infra.modules.safe_forms")

_COMMENT = "comment "
_ON_TABLES = {"constraint", "trigger"}
_COMMENTED = {"table", "column", "view", "index", "sequence", "schema", "domain"}
APART = "each statement in a transaction of its own, so that nobody waits for its lock for long"
_FIRST = ("trigger", "view", "constraint", "index", "materialized view", "function", "procedure")
"""The order in which objects go; they come in the reverse order."""


class SafeDraft(NamedTuple):
    """A draft as lines of SQL in safe forms, and how they are to be run, '' where that does not matter."""

    lines: list[str]
    note: str


def safe_draft(differences: Sequence[Difference]) -> SafeDraft:
    """Return what `draft_statements` does in safe forms, which stop no reader or writer for long."""
    lines: list[str] = []
    is_apart = False
    for statement in draft_statements(differences):
        form = _safe_form(statement)
        lines += [f"{part};" for part in form] or [statement]
        is_apart = is_apart or bool(form)
    return SafeDraft(lines, APART if is_apart else "")


def _safe_form(statement: str) -> list[str]:
    try:
        return [] if statement.startswith("--") else safe_forms.safe_form(statement)
    except ModuleError:  # a newer server's SQL, which the parser does not know
        return []


def draft_statements(differences: Sequence[Difference]) -> list[str]:
    """Return statements that make a database as expected, roughly: renames, columns, then whatever else is SQL.

    A new table is a comment that refers to its module. Of other kinds of objects nothing is returned.
    """
    renames = {found: expected for expected, found in renamed_tables(differences).items()}
    settled = {*parts_of_tables(differences)}
    remaining = [
        difference
        for difference in (
            _after_renames(difference, renames) for difference in differences if difference not in settled
        )
        if difference.expected != difference.found and difference.identity.name not in {*renames, *renames.values()}
    ]
    statements = [f"ALTER TABLE {old} RENAME TO {last(new)}" for old, new in renames.items()]
    statements += renamed_parts(differences, renames)
    others = [difference for difference in remaining if difference.identity.kind != "table" or difference.found]
    drops, creations = _completing(others)
    statements += drops
    statements += [statement for difference in remaining for statement in _table_or_column(difference)]
    statements += creations
    return [statement if statement.startswith("--") else f"{statement.rstrip(';')};" for statement in statements]


def _after_renames(difference: Difference, renames: Mapping[str, str]) -> Difference:
    """Return a difference as it is after tables were renamed: what refers to them follows."""
    found = difference.found
    for old, new in renames.items() if found else ():
        found = re.sub(rf"(?<![\w\"]){re.escape(old)}(?![\w\"])", lambda _, name=new: name, found or "")
    return replace(difference, found=found)


def renamed_parts(differences: Sequence[Difference], renames: Mapping[str, str]) -> Iterator[str]:
    """Yield the statements that rename the constraints and indexes of tables, which are renamed already."""
    for old, new in renames.items():
        for kind, rename in (
            ("constraint", f"ALTER TABLE {new} RENAME CONSTRAINT {{}} TO {{}}"),
            ("index", f"ALTER INDEX {parent(old)}.{{}} RENAME TO {{}}"),
        ):
            found = [difference for difference in differences if difference.identity.kind == kind]
            expected = {
                _without_name(difference.expected, new): last(difference.identity.name)
                for difference in found
                if difference.verdict == "missing"
            }
            for difference in found:
                name = last(difference.identity.name)
                other = expected.get(_without_name(difference.found, old), name)
                if difference.verdict == "extra" and other != name:
                    yield rename.format(name, other)


def _without_name(definition: str | None, table: str) -> str:
    """Return a definition without a table's name, also where it is in the name of a constraint or an index."""
    return re.sub(rf"(?<![a-zA-Z0-9]){re.escape(last(table))}(?![a-zA-Z0-9])", "", definition or "")


def _table_or_column(difference: Difference) -> Iterator[str]:
    """Yield the statements for a table or a column; none for what is no column of a table of rows."""
    kind, name = difference.identity
    if kind == "table" and difference.verdict == "missing":
        yield f"-- CREATE TABLE {name}, with what belongs to it: as in its module"
    elif kind == "table" and difference.verdict == "extra":
        yield f"DROP TABLE {name}"
    elif kind == "column" and difference.expected is None:
        yield f"ALTER TABLE {parent(name)} DROP COLUMN {last(name)}"
    elif kind == "column":
        with suppress(ValueError):
            expected = column_of(name, difference.expected or "")
            alter = f"ALTER TABLE {parent(name)}"
            if difference.found is None:
                yield f"{alter} ADD COLUMN {last(name)} {column_clauses(expected)}"
                yield from altered_rest(f"{alter} ALTER COLUMN {last(name)}", expected, None)
            else:
                yield from _altered(f"{alter} ALTER COLUMN {last(name)}", expected, column_of(name, difference.found))


def _altered(alter: str, expected: ColumnDefinition, found: ColumnDefinition) -> Iterator[str]:
    if (expected.type, expected.collation) != (found.type, found.collation):
        yield f"{alter} TYPE {expected.type}" + (f" COLLATE {expected.collation}" if expected.collation else "")
    if expected.default != found.default:
        yield f"{alter} SET DEFAULT {expected.default}" if expected.default else f"{alter} DROP DEFAULT"
    if expected.nullable != found.nullable:
        yield f"{alter} {'DROP' if expected.nullable else 'SET'} NOT NULL"
    yield from altered_rest(alter, expected, found)


def leading_statements(differences: Sequence[Difference]) -> list[str]:
    """Return what comes before tables and columns: views and triggers that go or are replaced, and what is needed."""
    leading = [difference for difference in differences if difference.identity.kind in {"view", "trigger"}]
    gone = [statement for difference in leading for statement in _drop(difference)]
    return gone + [statement for difference in differences for statement in needed_first(difference)]


def completing_statements(differences: Sequence[Difference]) -> list[str]:
    """Return the statements that turn what was found into what is expected, as far as definitions are SQL.

    Of other kinds of objects nothing is returned: a comparison afterwards finds them again.
    """
    tables = {difference.identity.name: difference.verdict for difference in differences if _is_table(difference)}
    gone = {name for name, verdict in tables.items() if verdict == "extra"}
    left = [part for part in differences if not belongs_to(part.identity, part.found or "", gone)]
    drops, creations = _completing(left)
    columns = [part for part in left if part.identity.kind == "column" and parent(part.identity.name) not in tables]
    further = [statement for difference in left for statement in policy_or_privilege(difference)]
    return [
        *drops,
        *dropped_tables(differences),
        *created_tables(differences),
        *(text for difference in columns for text in _table_or_column(difference)),
        *creations,
        *(text for difference in left for text in table_attributes(difference)),
        *further,
        *(text for difference in left for text in not_needed(difference)),
    ]


def _is_table(difference: Difference) -> bool:
    """Return whether a difference is that of a whole table, which is new or gone."""
    return difference.identity.kind == "table" and difference.verdict != "different"


def _completing(differences: Iterable[Difference]) -> tuple[list[str], list[str]]:
    """Return the statements that drop, and then those that create; columns come between them."""
    known = [difference for difference in differences if difference.identity.kind in {*_FIRST, *_COMMENTED}]
    known.sort(key=lambda difference: _rank(difference.identity.kind))
    drops = [statement for difference in known for statement in _drop(difference)]
    return drops, [statement for difference in reversed(known) for statement in _create(difference)]


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
    elif kind in {"view", "materialized view", "index"} or difference.expected is None:
        yield f"DROP {kind.upper()} {name}"


def _create(difference: Difference) -> Iterator[str]:
    kind, name = difference.identity
    if difference.expected is None:
        return
    definition, comment = _split(difference.expected)
    if _is_replaced(difference):
        if kind == "constraint":
            yield f"ALTER TABLE {parent(name)} ADD CONSTRAINT {last(name)} {definition}"
        elif kind in {"view", "materialized view"}:
            yield f"CREATE {kind.upper()} {name} AS {definition.rstrip(';')}"
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
