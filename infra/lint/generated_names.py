"""Names that PostgreSQL chooses for indexes and keys which have none (its sources: ChooseIndexName, FigureColname)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.lint.tree import enum, node, nodes, strings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.lint.tree import Tree

_LONGEST = 63  # bytes; counted in characters, which is the same for nearly every name
OF_CONSTRAINT = {"CONSTR_PRIMARY": "pkey", "CONSTR_UNIQUE": "key", "CONSTR_EXCLUSION": "excl"}
OF_EXPRESSION = {"coalesce_expr": "coalesce", "case_expr": "case"}
INSIDE = {"type_cast": "arg", "collate_clause": "arg"}


def name_of_index(table: str, columns: Iterable[str], ending: str) -> str:
    """Give the name of an index over these columns; what is too long is cut at the longer of its two parts."""
    parts = [table, "_".join(columns)[:_LONGEST]]
    room = _LONGEST - len(ending) - (2 if parts[1] else 1)
    while sum(map(len, parts)) > room:
        longer = 0 if len(parts[0]) > len(parts[1]) else 1
        parts[longer] = parts[longer][:-1]
    return "_".join([*filter(None, parts), ending])


def columns_of_index(elements: Iterable[Tree]) -> list[str]:
    """Give the columns' part of the name: of expressions their function's name, numbered where one comes again."""
    found: list[str] = []
    for one in nodes(elements, "index_elem"):
        name = one.name or _of_expression(one.expr) or "expr"
        again = sum(each.rstrip("0123456789") == name for each in found)
        found.append(f"{name}{again}" if name in found else name)
    return found


def excluded(constraint: Tree) -> list[str]:
    """Give the columns' part of the name of an exclusion's index."""
    return columns_of_index(one.items[0] for one in nodes(constraint.exclusions, "list"))


def _of_expression(wrapped: Tree) -> str:
    kind, tree = node(wrapped)
    if kind == "func_call":
        return strings(tree.funcname)[-1]
    if kind == "column_ref":
        return (strings(tree.fields) or [""])[-1]
    if kind == "min_max_expr":
        return "greatest" if enum(tree, "op") == "IS_GREATEST" else "least"
    if kind in INSIDE:
        inner = _of_expression(getattr(tree, INSIDE[kind]))
        return inner or (strings(tree.type_name.names)[-1] if kind == "type_cast" else "")
    return OF_EXPRESSION.get(kind, "")
