"""The rule on first rows: a second INSERT of them neither fails nor adds them again."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from infra.errors import ModuleError
from infra.lint.rule import Violation, rule, violation
from infra.modules.references import sql_body
from infra.modules.statements import parse
from infra.modules.tree import children, descendants, enum_value, nodes, options, qualified_name, strings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from infra.lint.rule import LintProject
    from infra.modules.tree import Tree


@rule("M511", "First rows that cannot be repeated", "warning")
def unrepeatable_insert(project: LintProject) -> Iterator[Violation]:
    """A second INSERT of the same rows adds nothing: it says ON CONFLICT, or leaves out what the table has already."""
    temporary = {name[1] for name in project.state.tables if name[0] == "pg_temp"}
    temporary |= {table.name[1] for table in project.state.dropped_tables if table.name[0] == "pg_temp"}
    functions = _inserting_functions(project)
    for statement in project.statements(*_WITH_INSERTS, "do_stmt", "call_stmt"):
        tree = statement.tree
        tables = _added_by_body(tree) if statement.kind == "do_stmt" else _added_by(tree)
        remedy = "add ON CONFLICT (…) DO NOTHING, or select the rows WHERE NOT EXISTS"
        for table in dict.fromkeys(table for table in tables if table not in temporary):
            yield violation(statement, f"a second run inserts the rows of {table} again", remedy)
        for name in sorted(_called(tree) & functions.keys()) if functions else ():
            message = f"a second run of {name} inserts the rows of {', '.join(functions[name])} again"
            yield violation(statement, message, f"{remedy} in {name}")


_WITH_INSERTS = ("insert_stmt", "select_stmt", "update_stmt", "delete_stmt", "merge_stmt")
_DECIDES = re.compile(r"\b(IF|CASE|WHILE|EXCEPTION|EXIT|CONTINUE|RETURN)\b", re.IGNORECASE)
"""What makes a body in PL/pgSQL leave out statements; whether for the rows that are there already, is not read."""
_INSERT = re.compile(r"\b(?:WITH|INSERT\s+INTO)\b[^;]*", re.IGNORECASE)


def _inserting_functions(project: LintProject) -> dict[str, list[str]]:
    """Return the modules' functions that add rows at each call, with their tables."""
    functions: dict[str, list[str]] = {}
    for statement in project.statements("create_function_stmt"):
        body = sql_body(statement.tree)
        parts = [*(inner.tree for inner in body), statement.tree.sql_body]
        tables = [table for part in parts for table in _added_by(part)] or _added_by_body(statement.tree)
        if tables:
            functions[qualified_name(strings(statement.tree.funcname))[1]] = list(dict.fromkeys(tables))
    return functions


def _added_by(tree: Tree) -> list[str]:
    """Return the tables to which a statement, or a query WITH of it, adds the same rows each time."""
    inserts = [message for message in descendants(tree) if message.DESCRIPTOR.name == "InsertStmt"]
    queries = [query for clause in _with_clauses(tree) for query in nodes(clause.ctes, "common_table_expr")]
    return [insert.relation.relname for insert in inserts if not _is_repeatable(insert, queries)]


def _added_by_body(tree: Tree) -> list[str]:
    """Return the tables to which a body in PL/pgSQL adds the same rows each time, where it decides nothing."""
    found = options(tree.args if tree.DESCRIPTOR.name == "DoStmt" else tree.options)
    language = found["language"].string.sval.lower() if "language" in found else "plpgsql"
    if language != "plpgsql" or "as" not in found:
        return []
    body = found["as"].string.sval or "".join(strings(found["as"].list.items))
    if _DECIDES.search(body):
        return []
    tables: list[str] = []
    for match in _INSERT.finditer(body):
        with suppress(ModuleError):
            tables += [table for inner in parse(match[0], "") for table in _added_by(inner.tree)]
    return tables


def _called(tree: Tree) -> set[str]:
    calls = (message for message in descendants(tree) if message.DESCRIPTOR.name == "FuncCall")
    return {qualified_name(strings(call.funcname))[1] for call in calls}


def _is_repeatable(insert: Tree, queries: Sequence[Tree]) -> bool:
    """Return whether an INSERT adds nothing the second time; `queries` are those of WITH around it."""
    if insert.HasField("on_conflict_clause"):
        return True
    names = {insert.relation.relname}
    for query in queries:  # each sees those before it
        names |= {query.ctename} if _reads(query.ctequery, names) else set()
    return any(_leaves_out(part, names) for part in (insert.select_stmt, *(query.ctequery for query in queries)))


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
