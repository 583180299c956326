"""The rule on first rows: a second INSERT of them neither fails nor adds them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.lint.rule import Violation, rule, violation
from infra.modules.tree import children, descendants, enum_value, nodes, relation_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from infra.lint.rule import LintProject
    from infra.lint.source_file import LocatedStatement
    from infra.modules.tree import Tree


@rule("M511", "First rows that cannot be repeated", "warning")
def unrepeatable_insert(project: LintProject) -> Iterator[Violation]:
    """A second INSERT of the same rows adds nothing: it says ON CONFLICT, or leaves out what the table has already."""
    temporary = {name[1] for name in project.state.tables if name[0] == "pg_temp"}
    temporary |= {table.name[1] for table in project.state.dropped_tables if table.name[0] == "pg_temp"}
    for statement in project.statements("insert_stmt"):
        table = relation_name(statement.tree.relation)[1]
        if table not in temporary and not _is_repeatable(statement, table):
            remedy = "add ON CONFLICT (…) DO NOTHING, or select the rows WHERE NOT EXISTS"
            yield violation(statement, f"a second run inserts the rows of {table} again", remedy)


def _is_repeatable(statement: LocatedStatement, table: str) -> bool:
    tree = statement.tree
    if tree.HasField("on_conflict_clause"):
        return True
    queries = [query for clause in _with_clauses(tree) for query in nodes(clause.ctes, "common_table_expr")]
    names = {table}
    for query in queries:  # each sees those before it
        names |= {query.ctename} if _reads(query.ctequery, names) else set()
    return any(_leaves_out(part, names) for part in (tree.select_stmt, *(query.ctequery for query in queries)))


def _with_clauses(tree: Tree) -> list[Tree]:
    return [message for message in descendants(tree) if message.DESCRIPTOR.name == "WithClause"]


def _reads(tree: Tree, names: Collection[str]) -> bool:
    return any(message.DESCRIPTOR.name == "RangeVar" and message.relname in names for message in descendants(tree))


def _leaves_out(tree: Tree, names: Collection[str], *, negated: bool = False) -> bool:
    """Return whether a query leaves out rows that are in one of some tables.

    It says so by NOT EXISTS, NOT IN, EXCEPT or <> ALL, compares with what it counts there, or joins and keeps the rows
    without a partner. What only reads them adds the same rows again.
    """
    message = tree.DESCRIPTOR.name
    if message == "SubLink":
        kind = enum_value(tree, "sub_link_type")
        if negated or kind not in {"EXISTS_SUBLINK", "ANY_SUBLINK"}:
            return _reads(tree, names)
    elif message == "BoolExpr":
        negated ^= enum_value(tree, "boolop") == "NOT_EXPR"
    elif message == "SelectStmt" and (_excepts(tree, names) or _keeps_unmatched(tree, names)):
        return True
    return any(_leaves_out(child, names, negated=negated) for child in children(tree))


def _excepts(select: Tree, names: Collection[str]) -> bool:
    return enum_value(select, "op") == "SETOP_EXCEPT" and _reads(select.rarg, names)


def _keeps_unmatched(select: Tree, names: Collection[str]) -> bool:
    """Return whether a query has an outer join with one of some tables, and keeps rows where something IS NULL."""
    joins = [message for message in descendants(select) if message.DESCRIPTOR.name == "JoinExpr"]
    outer = [join for join in joins if enum_value(join, "jointype") != "JOIN_INNER" and _reads(join, names)]
    tests = [message for message in descendants(select.where_clause) if message.DESCRIPTOR.name == "NullTest"]
    return bool(outer) and any(enum_value(test, "nulltesttype") == "IS_NULL" for test in tests)
