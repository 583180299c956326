"""Where each object is declared in the SQL modules: the statement, and within CREATE TABLE the line of the column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.modules.statements import Statement, parse, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from infra.errors import SourcePlace
    from infra.modules.module import Module

ObjectKey = tuple[str, tuple[str, ...]]
"""A kind as the catalog names it, and the parts of a name without quotes."""

SCHEMA = "public"  # where modules make what they name without a schema

_NAMED = {"create_enum_stmt": ("enum", "type_name"), "create_domain_stmt": ("domain", "domainname")}
OF_RELATIONS = {"view_stmt": ("view", "view"), "create_seq_stmt": ("sequence", "sequence")}
_OF_TABLES = {
    "create_trig_stmt": ("trigger", "relation", "trigname"),
    "create_policy_stmt": ("policy", "table", "policy_name"),
    "rule_stmt": ("rule", "relation", "rulename"),
}


def locations_of(modules: Iterable[Module]) -> dict[ObjectKey, SourcePlace]:
    """Find where objects are declared; the last place counts. Raises ModuleError for text that is not SQL."""
    found: dict[ObjectKey, SourcePlace] = {}
    for module in modules:
        raw = module.text.encode()
        for statement in parse(module.text, module.path):
            for key, offset in _objects(statement):
                start = statement.start if offset is None else len(raw[:offset].decode())
                found[key] = place_of(module.text, module.path, start)
    return found


def _objects(statement: Statement) -> Iterator[tuple[ObjectKey, int | None]]:
    """Give what a statement declares, each with its offset in bytes, None for the statement's own."""
    kind, tree = statement.kind, statement.tree
    if kind == "create_stmt":
        table = _relation(tree.relation)
        yield ("table", table), None
        for element in tree.table_elts:
            yield from _part(element, table)
    elif kind == "alter_table_stmt":
        for command in tree.cmds:
            yield from _part(getattr(command.alter_table_cmd, "def"), _relation(tree.relation))
    elif kind == "index_stmt" and tree.idxname:
        yield ("index", (_relation(tree.relation)[0], tree.idxname)), None
    elif kind == "create_extension_stmt":
        yield ("extension", (tree.extname,)), None
    elif kind in _NAMED:
        what, field = _NAMED[kind]
        yield (what, _qualified([part.string.sval for part in getattr(tree, field)])), None
    elif kind in OF_RELATIONS:
        what, field = OF_RELATIONS[kind]
        yield (what, _relation(getattr(tree, field))), None
    elif kind in _OF_TABLES:
        what, table_field, name_field = _OF_TABLES[kind]
        yield (what, (*_relation(getattr(tree, table_field)), getattr(tree, name_field))), None


def _part(element: Any, table: tuple[str, ...]) -> Iterator[tuple[ObjectKey, int | None]]:  # noqa: ANN401 (a parse tree)
    """Give the column or constraint that an element of a table declares."""
    kind = element.WhichOneof("node")
    if kind == "column_def":
        yield ("column", (*table, element.column_def.colname)), element.column_def.location
        for constraint in element.column_def.constraints:
            yield from _part(constraint, table)
    elif kind == "constraint" and element.constraint.conname:
        yield ("constraint", (*table, element.constraint.conname)), element.constraint.location


def _relation(relation: Any) -> tuple[str, str]:  # noqa: ANN401 (a parse tree)
    return relation.schemaname or SCHEMA, relation.relname


def _qualified(names: list[str]) -> tuple[str, ...]:
    return (SCHEMA, *names) if len(names) == 1 else tuple(names)
