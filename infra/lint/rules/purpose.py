"""The rule of single purpose: a module of tables has tables and what belongs to them, one of indexes only indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.lint.rule import Hit, at, rule
from infra.lint.tree import enum

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.rule import LintProject
    from infra.lint.source import Located, SourceFile

# Families of statements by the parser's names of their kinds.
FAMILIES: dict[str, frozenset[str]] = {
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
WITH_TABLES = frozenset({"tables", "types", "functions", "rows", "constraints", "views"})
CONSTRAINT_COMMANDS = frozenset(
    {"AT_AddConstraint", "AT_ValidateConstraint", "AT_AlterConstraint", "AT_DropConstraint"}
)
PLURAL = {"rows": "first rows"}
COMMENTS_ON = {
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
def purpose(project: LintProject) -> Iterator[Hit]:
    """A module has one purpose, so that everybody knows where to look and what it needs."""
    for file in project.files:
        if file.number is None:
            continue
        meant = project.settings.purpose(file.number, file.title)
        if meant == "anything":
            continue
        made = _tables_made(file)
        for located in file.statements:
            family = _family(located)
            if family in {"", meant} or _belongs(family, meant, located, made):
                continue
            what = f"is about {PLURAL.get(family, family)}, in a module of {PLURAL.get(meant, meant)}"
            yield at(located, what, _remedy(project, family))


def _belongs(family: str, meant: str, located: Located, made: set[str]) -> bool:
    """Say whether a statement belongs to the tables of its module: it makes, fills or constrains one of them."""
    if meant != "tables" or family not in WITH_TABLES:
        return meant == "extensions" and family == "schemas"
    if family in {"rows", "constraints"}:
        return located.tree.relation.relname in made
    return True


def _family(located: Located) -> str:
    """Give the family of a statement, "" where it may stand anywhere."""
    kind, tree = located.kind, located.tree
    if kind == "alter_table_stmt":
        commands = {enum(one.alter_table_cmd, "subtype") for one in tree.cmds}
        return "constraints" if commands <= CONSTRAINT_COMMANDS else "tables"
    if kind == "comment_stmt":
        return COMMENTS_ON.get(enum(tree, "objtype"), "tables")
    return next((family for family, kinds in FAMILIES.items() if kind in kinds), "")


def _remedy(project: LintProject, family: str) -> str:
    for (first, last), meant in project.settings.purposes.items():
        if meant == family:
            there = f"{first:02}" if first == last else f"{first:02} to {last:02}"
            return f"move it to {there}, where {PLURAL.get(family, family)} are"
    return "move it to a module of its own purpose, or set `purposes` in lint.yaml"


def _tables_made(file: SourceFile) -> set[str]:
    return {one.name[1] for each in file.statements for one in each.makes if one.kind == "relation"}
