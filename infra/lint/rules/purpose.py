"""The rule of single purpose: a module of tables has tables and what belongs to them, one of indexes only indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.lint.rule import Violation, rule, violation
from infra.modules.tree import enum_value, nodes, qualified_name, strings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.rule import LintProject
    from infra.lint.source_file import LocatedStatement, SourceFile

# Purposes by the parser's names for the kinds of statements; a kind that is not listed may stand in any module.
PURPOSES_OF_STATEMENTS: dict[str, frozenset[str]] = {
    "extensions": frozenset({"create_extension_stmt", "alter_extension_stmt"}),
    "schemas": frozenset({"create_schema_stmt"}),
    "types": frozenset(
        {"create_enum_stmt", "composite_type_stmt", "create_domain_stmt", "create_range_stmt", "define_stmt"}
    ),
    "functions": frozenset({"create_function_stmt", "alter_function_stmt"}),
    "tables": frozenset(
        {
            "create_stmt",
            "create_seq_stmt",
            "alter_seq_stmt",
            "create_trig_stmt",
            "create_policy_stmt",
            "create_stats_stmt",
        }
    ),
    "rows": frozenset({"insert_stmt", "update_stmt", "delete_stmt", "copy_stmt", "merge_stmt"}),
    "indexes": frozenset({"index_stmt"}),
    "views": frozenset({"view_stmt", "create_table_as_stmt", "refresh_mat_view_stmt", "rule_stmt"}),
}
ALLOWED_WITH_TABLES = frozenset({"tables", "types", "functions", "rows", "constraints", "views"})
CONSTRAINT_COMMANDS = frozenset(
    {"AT_AddConstraint", "AT_ValidateConstraint", "AT_AlterConstraint", "AT_DropConstraint"}
)
PURPOSE_NOUNS = {"rows": "first rows"}
PURPOSES_OF_COMMENTS = {
    "OBJECT_EXTENSION": "extensions",
    "OBJECT_SCHEMA": "schemas",
    "OBJECT_TYPE": "types",
    "OBJECT_DOMAIN": "types",
    "OBJECT_FUNCTION": "functions",
    "OBJECT_INDEX": "indexes",
    "OBJECT_TABCONSTRAINT": "constraints",
    "OBJECT_VIEW": "views",
    "OBJECT_MATVIEW": "views",
}


@rule("M107", "More than one purpose", "warning")
def single_purpose(project: LintProject) -> Iterator[Violation]:
    """A module has one purpose, so that everybody knows where to look and what it needs."""
    for file in project.files:
        if file.number is None:
            continue
        purpose = project.settings.purpose(file.number, file.title)
        if purpose == "anything":
            continue
        created = _created_relations(file)
        for statement in file.statements:
            other = _purpose(statement)
            if other not in {"", purpose} and not _belongs(statement, other, purpose, created):
                message = f"is about {_noun(other)}, in a module of {_noun(purpose)}"
                yield violation(statement, message, _remedy(project, other))


def _belongs(statement: LocatedStatement, purpose: str, module_purpose: str, created: set[str]) -> bool:
    """Return whether a statement of another purpose belongs to the objects that its module creates."""
    if module_purpose == "extensions":
        return purpose == "schemas"  # an extension may need one
    if module_purpose != "tables" or purpose not in ALLOWED_WITH_TABLES:
        return False
    return purpose not in {"rows", "constraints"} or _table(statement) in created


def _table(statement: LocatedStatement) -> str:
    """Return the table of a statement about rows or constraints."""
    if statement.kind == "comment_stmt":  # COMMENT ON CONSTRAINT: schema, table and constraint are parts of one name
        return qualified_name(strings(statement.tree.object.list.items)[:-1])[1]
    return statement.tree.relation.relname


def _purpose(statement: LocatedStatement) -> str:
    """Return the purpose of a statement, "" if it may stand in any module."""
    kind, tree = statement.kind, statement.tree
    if kind == "alter_table_stmt":
        commands = {enum_value(command, "subtype") for command in nodes(tree.cmds, "alter_table_cmd")}
        return "constraints" if commands <= CONSTRAINT_COMMANDS else "tables"
    if kind == "comment_stmt":
        return PURPOSES_OF_COMMENTS.get(enum_value(tree, "objtype"), "tables")
    return next((purpose for purpose, kinds in PURPOSES_OF_STATEMENTS.items() if kind in kinds), "")


def _noun(purpose: str) -> str:
    return PURPOSE_NOUNS.get(purpose, purpose)


def _remedy(project: LintProject, purpose: str) -> str:
    for (first, last), module_purpose in project.settings.purposes.items():
        if module_purpose == purpose:
            numbers = f"{first:02}" if first == last else f"{first:02} to {last:02}"
            return f"move it to {numbers}, where {_noun(purpose)} are"
    return "move it to a module of its own purpose, or set `purposes` in lint.yaml"


def _created_relations(file: SourceFile) -> set[str]:
    return {
        creation.name[1]
        for statement in file.statements
        for creation in statement.creations
        if creation.kind == "relation"
    }
