"""Objects that a statement drops, renames or moves to another schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.modules.references import RELATION_TYPES
from infra.modules.tree import enum_value, node, qualified_name, relation_name, strings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.modules.tree import Name, Tree

_OTHER_KINDS = {
    "OBJECT_TYPE": "type",
    "OBJECT_DOMAIN": "type",
    "OBJECT_FUNCTION": "function",
    "OBJECT_PROCEDURE": "function",
    "OBJECT_AGGREGATE": "function",
    "OBJECT_SCHEMA": "schema",
    "OBJECT_EXTENSION": "extension",
}
_NAME_FIELDS = {"list": "items", "type_name": "names", "object_with_args": "objname"}


def dropped_objects(kind: str, tree: Tree) -> Iterator[tuple[str, Name]]:
    """Yield kind and name of each object that a statement drops."""
    if kind != "drop_stmt":
        return
    parser_type = enum_value(tree, "remove_type")
    for wrapper in tree.objects:
        parts = _name_parts(wrapper)
        if parts and (parser_type in RELATION_TYPES or parser_type in _OTHER_KINDS):
            yield _OTHER_KINDS.get(parser_type, "relation"), qualified_name(parts)


def renamed_object(kind: str, tree: Tree) -> tuple[str, Name, Name] | None:
    """Return kind, old and new name if a statement renames an object or moves it to another schema, else None."""
    if kind not in {"rename_stmt", "alter_object_schema_stmt"}:
        return None
    parser_type = enum_value(tree, "rename_type" if kind == "rename_stmt" else "object_type")
    if parser_type in RELATION_TYPES:
        object_kind, old = "relation", relation_name(tree.relation)
    elif parser_type in _OTHER_KINDS and tree.HasField("object"):
        object_kind, old = _OTHER_KINDS[parser_type], qualified_name(_name_parts(tree.object))
    elif parser_type == "OBJECT_SCHEMA":
        object_kind, old = "schema", ("", tree.subname)
    else:
        return None
    new = (old[0], tree.newname) if kind == "rename_stmt" else (tree.newschema, old[1])
    return object_kind, old, new


def _name_parts(wrapper: Tree) -> list[str]:
    """Return the parts of an object's name, which the parser stores in four forms."""
    form, content = node(wrapper)
    if form in _NAME_FIELDS:
        return strings(getattr(content, _NAME_FIELDS[form]))
    return [content.sval] if form == "string" else []
