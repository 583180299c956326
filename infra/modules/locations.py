"""Where each object is created in the SQL modules: the statement, or the column or constraint inside a statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.modules.statements import Statement, parse, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from infra.errors import SourcePlace
    from infra.modules.module import Module

ObjectKey = tuple[str, tuple[str, ...]]
"""A kind as the catalog names it, and the parts of the qualified name without quotes."""

SCHEMA = "public"  # the schema of what modules create without naming a schema

_WITH_ELEMENTS = {"create_stmt", "create_foreign_table_stmt", "composite_type_stmt", "alter_table_stmt"}

# By the parser's name of a statement: the kind of object that it creates, and the fields with its name.
_TYPES = {"create_enum_stmt": ("enum", "type_name"), "create_domain_stmt": ("domain", "domainname")}
_RELATIONS = {"view_stmt": ("view", "view"), "create_seq_stmt": ("sequence", "sequence")}
_PARTS_OF_TABLES = {
    "create_trig_stmt": ("trigger", "relation", "trigname"),
    "create_policy_stmt": ("policy", "table", "policy_name"),
    "rule_stmt": ("rule", "relation", "rulename"),
}


def locations_of(modules: Iterable[Module]) -> dict[ObjectKey, SourcePlace]:
    """Return the place of each object that modules create by name; an object that is created again has the last place.

    Raises ModuleError for text that is not SQL.
    """
    locations: dict[ObjectKey, SourcePlace] = {}
    for module in modules:
        raw = module.text.encode()
        for statement in parse(module.text, module.path):
            for key, offset in _objects(statement):
                start = statement.start if offset is None else len(raw[:offset].decode())
                locations[key] = place_of(module.text, module.path, start)
    return locations


def _objects(statement: Statement) -> Iterator[tuple[ObjectKey, int | None]]:
    """Yield the objects that a statement creates, each with its offset in bytes, or None for the statement's own."""
    kind, tree = statement.kind, statement.tree
    if kind in _WITH_ELEMENTS:
        yield from _with_elements(kind, tree)
    elif kind == "index_stmt" and tree.idxname:
        yield ("index", (_relation(tree.relation)[0], tree.idxname)), None
    elif kind == "create_extension_stmt":
        yield ("extension", (tree.extname,)), None
    elif kind in _TYPES:
        object_kind, field = _TYPES[kind]
        yield (object_kind, _qualified([part.string.sval for part in getattr(tree, field)])), None
    elif kind in _RELATIONS:
        object_kind, field = _RELATIONS[kind]
        yield (object_kind, _relation(getattr(tree, field))), None
    elif kind in _PARTS_OF_TABLES:
        object_kind, table_field, name_field = _PARTS_OF_TABLES[kind]
        yield (object_kind, (*_relation(getattr(tree, table_field)), getattr(tree, name_field))), None


def _with_elements(kind: str, tree: Any) -> Iterator[tuple[ObjectKey, int | None]]:  # noqa: ANN401 (a parse tree)
    """Yield a table or composite type, if the statement creates it, and the columns and constraints declared in it."""
    if kind == "alter_table_stmt":
        relation = _relation(tree.relation)
        elements = [getattr(command.alter_table_cmd, "def") for command in tree.cmds]
    elif kind == "composite_type_stmt":
        relation, elements = _relation(tree.typevar), tree.coldeflist
        yield ("composite type", relation), None
    else:
        table = tree.base_stmt if kind == "create_foreign_table_stmt" else tree
        relation, elements = _relation(table.relation), table.table_elts
        yield ("table", relation), None
    for element in elements:
        yield from _element(element, relation)


def _element(
    element: Any,  # noqa: ANN401 (a parse tree)
    table: tuple[str, ...],
) -> Iterator[tuple[ObjectKey, int | None]]:
    """Yield the column and the named constraints that an element of a table declares."""
    kind = element.WhichOneof("node")
    if kind == "column_def":
        if element.column_def.colname:  # ALTER COLUMN … TYPE has a definition without a name, and creates nothing
            yield ("column", (*table, element.column_def.colname)), element.column_def.location
        for constraint in element.column_def.constraints:
            yield from _element(constraint, table)
    elif kind == "constraint" and element.constraint.conname:
        yield ("constraint", (*table, element.constraint.conname)), element.constraint.location


def _relation(relation: Any) -> tuple[str, str]:  # noqa: ANN401 (a parse tree)
    return relation.schemaname or SCHEMA, relation.relname


def _qualified(names: list[str]) -> tuple[str, ...]:
    return (SCHEMA, *names) if len(names) == 1 else tuple(names)
