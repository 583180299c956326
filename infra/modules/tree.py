"""Access to the parser's trees: names, enumerations and the messages inside a message."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Tree = Any  # a protobuf message of the parser; its classes have no types that a checker could use

Name = tuple[str, str]  # schema, or "" where none is written, and name


def enum_value(tree: Tree, field: str) -> str:
    """Return the value of an enumeration field by the parser's name for it, such as CONSTR_PRIMARY."""
    return _enum_name(tree.DESCRIPTOR, field, getattr(tree, field))


@cache
def _enum_name(descriptor: Any, field: str, value: int) -> str:  # noqa: ANN401 (protobuf's own)
    return str(descriptor.fields_by_name[field].enum_type.values_by_number[value].name)


def node(wrapper: Tree) -> tuple[str, Tree]:
    """Return kind and content of the parser's Node, a union of all messages; ("", None) for an empty one."""
    kind = wrapper.WhichOneof("node") or ""
    return kind, getattr(wrapper, kind) if kind else None


def nodes(wrappers: Iterable[Tree], kind: str) -> Iterator[Tree]:
    """Return the contents of the Nodes of this kind in a list."""
    return (getattr(wrapper, kind) for wrapper in wrappers if wrapper.HasField(kind))


def strings(wrappers: Iterable[Tree]) -> list[str]:
    """Return the texts of the String nodes in a list, as in a name with dots."""
    return [wrapper.string.sval for wrapper in wrappers if wrapper.HasField("string")]


def qualified_name(parts: Sequence[str]) -> Name:
    """Split the parts of a name into schema and name; a database in front of them is left out."""
    return (parts[-2] if len(parts) > 1 else "", parts[-1] if parts else "")


def relation_name(range_var: Tree) -> Name:
    """Return schema and name of a relation as written; temporary ones are in the schema pg_temp."""
    if range_var.relpersistence == "t":
        return "pg_temp", range_var.relname
    return range_var.schemaname, range_var.relname


def options(wrappers: Iterable[Tree]) -> dict[str, Tree]:
    """Return the options of a statement by their names, each with its argument as a Node."""
    return {option.defname: option.arg for option in nodes(wrappers, "def_elem")}


def constant(wrapper: Tree) -> str | None:
    """Return the text of a string constant, with or without a cast; None for anything else."""
    kind, content = node(wrapper)
    if kind == "type_cast":
        return constant(content.arg)
    return str(content.sval.sval) if kind == "a_const" and content.HasField("sval") else None


def descendants(tree: Tree) -> Iterator[Tree]:
    """Yield a message and all messages in it, outer ones first."""
    pending = [tree]
    while pending:
        message = pending.pop()
        yield message
        pending.extend(reversed(list(children(message))))


def children(tree: Tree, *, without: str = "") -> Iterator[Tree]:
    """Yield the messages directly inside a message, except those of the field `without`."""
    for field, value in tree.ListFields():
        if field.message_type is not None and field.name != without:
            if hasattr(value, "ListFields"):
                yield value
            else:
                yield from value


def readable_name(name: Name) -> str:
    """Return a name as messages show it: with its schema, unless that is public or pg_temp."""
    schema, bare = name
    return f"{schema}.{bare}" if schema and schema not in {"public", "pg_temp"} else bare
