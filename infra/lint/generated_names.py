"""Names that PostgreSQL generates for indexes and keys without one (its sources: ChooseIndexName, FigureColname)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.modules.tree import enum_value, node, nodes, strings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.modules.tree import Tree

_LONGEST = 63  # bytes; counted in characters, which is the same for nearly every name
CONSTRAINT_SUFFIXES = {"CONSTR_PRIMARY": "pkey", "CONSTR_UNIQUE": "key", "CONSTR_EXCLUSION": "excl"}
_EXPRESSION_NAMES = {"coalesce_expr": "coalesce", "case_expr": "case"}
_OPERAND_FIELDS = {"type_cast": "arg", "collate_clause": "arg"}


def generated_index_name(table: str, columns: Iterable[str], suffix: str) -> str:
    """Return the name of an index on these columns; a name that is too long is cut in the longer of its two parts."""
    parts = [table, "_".join(columns)[:_LONGEST]]
    room = _LONGEST - len(suffix) - (2 if parts[1] else 1)
    while sum(map(len, parts)) > room:
        longer = 0 if len(parts[0]) > len(parts[1]) else 1
        parts[longer] = parts[longer][:-1]
    return "_".join([*filter(None, parts), suffix])


def index_column_names(elements: Iterable[Tree]) -> list[str]:
    """Return the part of each column in the name: the function's name for an expression, numbered if it repeats."""
    names: list[str] = []
    for element in nodes(elements, "index_elem"):
        name = element.name or _expression_name(element.expr) or "expr"
        repetitions = sum(other.rstrip("0123456789") == name for other in names)
        names.append(f"{name}{repetitions}" if name in names else name)
    return names


def exclusion_column_names(constraint: Tree) -> list[str]:
    """Return the part of each column in the name of an exclusion constraint's index."""
    return index_column_names(pair.items[0] for pair in nodes(constraint.exclusions, "list"))


def _expression_name(wrapper: Tree) -> str:
    kind, tree = node(wrapper)
    if kind == "func_call":
        return strings(tree.funcname)[-1]
    if kind == "column_ref":
        return (strings(tree.fields) or [""])[-1]
    if kind == "min_max_expr":
        return "greatest" if enum_value(tree, "op") == "IS_GREATEST" else "least"
    if kind in _OPERAND_FIELDS:
        operand = _expression_name(getattr(tree, _OPERAND_FIELDS[kind]))
        return operand or (strings(tree.type_name.names)[-1] if kind == "type_cast" else "")
    return _EXPRESSION_NAMES.get(kind, "")
