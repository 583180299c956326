"""Names that PostgreSQL generates for constraints and indexes without one (makeObjectName and FigureColname in it)."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from infra.modules.tree import enum_value, node, nodes, strings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.modules.tree import Tree

LONGEST_NAME = 63  # bytes of an identifier (PostgreSQL manual, 4.1.1)
CONSTRAINT_SUFFIXES = {"CONSTR_PRIMARY": "pkey", "CONSTR_UNIQUE": "key", "CONSTR_EXCLUSION": "excl"}
_EXPRESSION_NAMES = {"coalesce_expr": "coalesce", "case_expr": "case"}
_OPERAND_FIELDS = {"type_cast": "arg", "collate_clause": "arg"}


def generated_name(table: str, columns: Iterable[str], suffix: str) -> str:
    """Return the name of a constraint or an index; one that is too long is cut in the longer of its two parts."""
    parts = [table.encode(), "_".join(columns).encode()[:LONGEST_NAME]]
    lengths = [len(part) for part in parts]
    room = LONGEST_NAME - len(suffix.encode()) - (2 if parts[1] else 1)
    while sum(lengths) > room:
        lengths[0 if lengths[0] > lengths[1] else 1] -= 1
    cut = [part[:length].decode(errors="ignore") for part, length in zip(parts, lengths, strict=True)]
    return "_".join([*filter(None, cut), suffix])


def index_column_names(elements: Iterable[Tree]) -> list[str]:
    """Return the part of each column in the name, also of those of INCLUDE: for an expression its function's name."""
    return _distinct(
        element.name or _expression_name(element.expr) or "expr" for element in nodes(elements, "index_elem")
    )


def constraint_column_names(constraint: Tree) -> list[str]:
    """Return the part of each column in the name of a foreign key, or of the index of a key or an exclusion."""
    excluded = index_column_names(pair.items[0] for pair in nodes(constraint.exclusions, "list"))
    own = excluded or strings(constraint.keys) or strings(constraint.fk_attrs)
    return _distinct([*own, *strings(constraint.including)])


def _distinct(names: Iterable[str]) -> list[str]:
    """Return names of which none repeats: a second one gets the first free number (ChooseIndexColumnNames in it)."""
    distinct: list[str] = []
    for name in names:
        numbered = (f"{name}{number or ''}" for number in count())
        distinct.append(next(candidate for candidate in numbered if candidate not in distinct))
    return distinct


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
