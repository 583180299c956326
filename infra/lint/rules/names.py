"""Rules on names: their length, capitals, and that constraints and indexes have one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from infra.errors import ModuleError
from infra.lint.rule import Violation, rule, statement_rule, violation
from infra.modules.statements import words
from infra.modules.tree import enum_value, node, nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.rule import LintProject
    from infra.lint.source_file import LocatedStatement, SourceFile
    from infra.modules.tree import Tree

_LONGEST = 63  # bytes, NAMEDATALEN - 1 (PostgreSQL manual, 4.1.1)
LONG_WORD = re.compile(r'[^\W\d][\w$]{20,}|"(?:[^"]|""){20,}"')  # 21 characters may have more than 63 bytes
WORD = re.compile(r'"(?:[^"]|"")*"|[^\W\d][\w$]*')
NAMING_STATEMENTS = (
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
_CONSTRAINT_NOUNS = {
    "CONSTR_PRIMARY": "primary key",
    "CONSTR_UNIQUE": "unique constraint",
    "CONSTR_CHECK": "check",
    "CONSTR_FOREIGN": "foreign key",
    "CONSTR_EXCLUSION": "exclusion",
}


@rule("M502", "A name that is too long")
def long_name(project: LintProject) -> Iterator[Violation]:
    """PostgreSQL cuts names after 63 bytes, and two that begin alike become one."""
    for file in project.files:
        for offset, name, statement in _long_names(file):
            kept = name.encode()[:_LONGEST].decode(errors="ignore")
            message = f"a name of {len(name.encode())} bytes, of which {_LONGEST} are kept: {kept}"
            remedy = f"choose a name of at most {_LONGEST} bytes"
            yield Violation(file.place(offset), message, remedy, statement)


def _long_names(file: SourceFile) -> Iterator[tuple[int, str, LocatedStatement]]:
    """Yield the long names of the text: in the trees, the parser has cut them already."""
    matches_by_statement: dict[LocatedStatement, list[re.Match[str]]] = {}
    for match in LONG_WORD.finditer(file.text):
        is_long = len(_unquoted(match[0]).encode()) > _LONGEST
        if is_long and (statement := file.statement_at(match.start())):
            matches_by_statement.setdefault(statement, []).append(match)
    for statement, matches in matches_by_statement.items():
        starts = _token_starts(statement.text)
        for match in matches:
            if match.start() - statement.start in starts:  # otherwise it is inside a string or a comment
                yield match.start(), _unquoted(match[0]), statement


def _token_starts(text: str) -> set[int]:
    try:
        return {word.start for word in words(text) if not word.is_comment}
    except ModuleError:
        return set()


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


@statement_rule("M503", "A name with capitals", *NAMING_STATEMENTS, severity="warning")
def capitals(statement: LocatedStatement) -> Iterator[Violation]:
    """A name in quotes with capitals must be quoted everywhere; one without quotes loses its capitals."""
    for name, location in _new_names(statement):
        if name != name.lower():
            message = f"{name} has capitals, so that it must be quoted everywhere"
            yield violation(statement, message, _lower_case_remedy(name), location=location)
        elif location > 0 and (match := WORD.match(statement.file.text, statement.character(location))):
            written = match[0]
            if written.lower() == name and not written.islower() and not written.isupper():
                message = f"{written} is not in quotes, so that its name is {name}"
                yield violation(statement, message, _lower_case_remedy(written), location=location)


def _lower_case_remedy(name: str) -> str:
    snake_case = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return f"name it {snake_case}"


def _new_names(statement: LocatedStatement) -> Iterator[tuple[str, int]]:
    """Yield the names that a statement writes for new objects, columns and constraints, with their locations."""
    for creation in statement.creations:
        is_generated = creation.may_exist and creation.object_type in {"sequence", "index"}
        if not is_generated:
            yield creation.name[1], creation.location
    for element in _new_elements(statement):
        if "Constraint" in element.DESCRIPTOR.name:
            yield element.conname, -1
        else:
            yield element.colname, element.location
            yield from ((constraint.conname, -1) for constraint in nodes(element.constraints, "constraint"))


def _new_elements(statement: LocatedStatement) -> Iterator[Tree]:
    """Yield the columns and constraints that a statement adds to a table."""
    if statement.kind == "create_stmt":
        elements = map(node, statement.tree.table_elts)
    elif statement.kind == "alter_table_stmt":
        adding = {"AT_AddColumn", "AT_AddConstraint"}
        commands = nodes(statement.tree.cmds, "alter_table_cmd")
        elements = (node(getattr(command, "def")) for command in commands if enum_value(command, "subtype") in adding)
    else:
        return
    yield from (element for kind, element in elements if kind in {"column_def", "constraint"})


@statement_rule(
    "M510",
    "A constraint or index without a name",
    "create_stmt",
    "alter_table_stmt",
    "index_stmt",
    severity="warning",
)
def unnamed_constraint(statement: LocatedStatement) -> Iterator[Violation]:
    """A name that is written can be found in errors and migrations; others are guesses."""
    if statement.kind == "index_stmt" and not statement.tree.idxname:
        yield violation(statement, "the index has no name", "name it")
    for element in _new_elements(statement):
        constraints = [element] if hasattr(element, "contype") else nodes(element.constraints, "constraint")
        for constraint in constraints:
            noun = _CONSTRAINT_NOUNS.get(enum_value(constraint, "contype"))
            if noun and not constraint.conname:
                message = f"the {noun} has no name"
                yield violation(statement, message, "write CONSTRAINT name before it", location=constraint.location)
