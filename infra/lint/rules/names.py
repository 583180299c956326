"""Rules on names: their length, capitals, and that constraints and indexes have one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from infra.errors import ModuleError
from infra.lint.rule import Hit, at, rule, rule_on
from infra.lint.tree import enum, node, nodes
from infra.modules.statements import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.rule import LintProject
    from infra.lint.source import Located, SourceFile
    from infra.lint.tree import Tree

_LONGEST = 63  # bytes, NAMEDATALEN - 1 (PostgreSQL manual, 4.1.1)
PERHAPS_LONG = re.compile(r'[^\W\d][\w$]{20,}|"(?:[^"]|""){20,}"')
WORD = re.compile(r'"(?:[^"]|"")*"|[^\W\d][\w$]*')
GIVING_NAMES = (
    "create_stmt",
    "create_foreign_table_stmt",
    "create_table_as_stmt",
    "alter_table_stmt",
    "index_stmt",
    "view_stmt",
    "create_seq_stmt",
    "create_enum_stmt",
    "composite_type_stmt",
    "create_domain_stmt",
    "create_function_stmt",
    "create_schema_stmt",
)
_NAMED = {
    "CONSTR_PRIMARY": "primary key",
    "CONSTR_UNIQUE": "unique constraint",
    "CONSTR_CHECK": "check",
    "CONSTR_FOREIGN": "foreign key",
    "CONSTR_EXCLUSION": "exclusion",
}


@rule("M502", "A name that is too long")
def too_long(project: LintProject) -> Iterator[Hit]:
    """PostgreSQL cuts names after 63 bytes, and two that begin alike become one."""
    for file in project.files:
        for offset, name, located in _long_words(file):
            kept = name.encode()[:_LONGEST].decode(errors="ignore")
            what = f"a name of {len(name.encode())} bytes, of which {_LONGEST} are kept: {kept}"
            yield Hit(file.place(offset), what, f"choose a name of at most {_LONGEST} bytes", located)


def _long_words(file: SourceFile) -> Iterator[tuple[int, str, Located]]:
    """Give the long names as written: the parser has cut them already. What is in strings and comments is none."""
    by_statement: dict[Located, list[re.Match[str]]] = {}
    for one in PERHAPS_LONG.finditer(file.text):
        if len(_bare(one[0]).encode()) > _LONGEST and (located := file.statement_at(one.start())):
            by_statement.setdefault(located, []).append(one)
    for located, found in by_statement.items():
        starts = _starts_of_words(located.text)
        for one in found:
            if one.start() - located.start in starts:
                yield one.start(), _bare(one[0]), located


def _starts_of_words(text: str) -> set[int]:
    try:
        return {word.start for word in words(text) if not word.is_comment}
    except ModuleError:
        return set()


def _bare(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


@rule_on("M503", "A name with capitals", *GIVING_NAMES, severity="warning")
def capitals(located: Located) -> Iterator[Hit]:
    """A name in quotes with capitals must be quoted everywhere; one without quotes loses its capitals."""
    for name, location in _names_given(located):
        if name != name.lower():
            yield at(
                located, f"{name} has capitals, so that it must be quoted everywhere", _lower(name), location=location
            )
        elif location > 0 and (written := WORD.match(located.file.text, located.character(location))):
            as_written = written[0]
            if as_written.lower() == name and not as_written.islower() and not as_written.isupper():
                what = f"{as_written} is not in quotes, so that its name is {name}"
                yield at(located, what, _lower(as_written), location=location)


def _lower(name: str) -> str:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return f"name it {snake}"


def _names_given(located: Located) -> Iterator[tuple[str, int]]:
    """Give the names that a statement gives: to what it makes, to columns and to constraints."""
    for one in located.makes:
        if not one.tolerant or one.what not in {"sequence", "index"}:
            yield one.name[1], one.location
    for member in _members(located):
        if "Constraint" in member.DESCRIPTOR.name:
            yield member.conname, -1
        else:
            yield member.colname, member.location
            yield from ((one.conname, -1) for one in nodes(member.constraints, "constraint"))


def _members(located: Located) -> Iterator[Tree]:
    """Give the columns and constraints that a statement adds to a table."""
    if located.kind == "create_stmt":
        members = map(node, located.tree.table_elts)
    elif located.kind == "alter_table_stmt":
        adding = {"AT_AddColumn", "AT_AddConstraint"}
        commands = (one.alter_table_cmd for one in located.tree.cmds)
        members = (node(getattr(one, "def")) for one in commands if enum(one, "subtype") in adding)
    else:
        return
    yield from (member for kind, member in members if kind in {"column_def", "constraint"})


@rule_on(
    "M510",
    "A constraint or index without a name",
    "create_stmt",
    "alter_table_stmt",
    "index_stmt",
    severity="warning",
)
def unnamed(located: Located) -> Iterator[Hit]:
    """A name that is written can be found in errors and migrations; others are guesses."""
    remedy = "write CONSTRAINT name before it"
    if located.kind == "index_stmt" and not located.tree.idxname:
        yield at(located, "the index has no name", "name it")
    for member in _members(located):
        constraints = [member] if hasattr(member, "contype") else list(nodes(member.constraints, "constraint"))
        for one in constraints:
            what = _NAMED.get(enum(one, "contype"))
            if what and not one.conname:
                yield at(located, f"the {what} has no name", remedy, location=one.location)
