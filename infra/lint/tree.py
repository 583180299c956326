"""How to read the parser's trees: names, enumerations and the messages inside a message."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Tree = Any  # a protobuf message of the parser; its classes have no types that a checker could follow

Name = tuple[str, str]  # schema, or "" where none is written, and name


def enum(tree: Tree, field: str) -> str:
    """Give an enumeration's value by the parser's name for it, such as CONSTR_PRIMARY."""
    return _enum_name(tree.DESCRIPTOR, field, getattr(tree, field))


@cache
def _enum_name(descriptor: Any, field: str, value: int) -> str:  # noqa: ANN401 (protobuf's own)
    return str(descriptor.fields_by_name[field].enum_type.values_by_number[value].name)


def node(wrapped: Tree) -> tuple[str, Tree]:
    """Give what a Node wraps, and its kind, "" for nothing."""
    kind = wrapped.WhichOneof("node") or ""
    return kind, getattr(wrapped, kind) if kind else None


def nodes(wrapped: Iterable[Tree], kind: str) -> Iterator[Tree]:
    """Give the members of a list that are of this kind."""
    return (getattr(one, kind) for one in wrapped if one.HasField(kind))


def strings(wrapped: Iterable[Tree]) -> list[str]:
    """Give the texts of a list of names."""
    return [one.string.sval for one in wrapped if one.HasField("string")]


def name_in(parts: Sequence[str]) -> Name:
    """Split a name with dots into schema and name; a database before them is left out."""
    return (parts[-2] if len(parts) > 1 else "", parts[-1] if parts else "")


def relation_name(range_var: Tree) -> Name:
    """Give schema and name of a relation as written; temporary ones have a schema of their own."""
    if range_var.relpersistence == "t":
        return "pg_temp", range_var.relname
    return range_var.schemaname, range_var.relname


def options(wrapped: Iterable[Tree]) -> dict[str, Tree]:
    """Give the options of a statement by their names, each with its argument as a Node."""
    return {one.defname: one.arg for one in nodes(wrapped, "def_elem")}


def constant(wrapped: Tree) -> str | None:
    """Give the text of a string constant, also of one with a cast, else None."""
    kind, inner = node(wrapped)
    if kind == "type_cast":
        return constant(inner.arg)
    return str(inner.sval.sval) if kind == "a_const" and inner.HasField("sval") else None


def inside(tree: Tree) -> Iterator[Tree]:
    """Give a message and all messages in it, outer ones first."""
    waiting = [tree]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(reversed(list(parts(one))))


def parts(tree: Tree, *, without: str = "") -> Iterator[Tree]:
    """Give the messages directly inside a message, but for those of one field."""
    for field, value in tree.ListFields():
        if field.message_type is not None and field.name != without:
            if hasattr(value, "ListFields"):
                yield value
            else:
                yield from value


def dotted(name: Name) -> str:
    """Write a name for people."""
    schema, bare = name
    return f"{schema}.{bare}" if schema and schema not in {"public", "pg_temp"} else bare
