"""Objects that a statement creates, with the names that PostgreSQL generates where none is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.modules.generated_names import (
    CONSTRAINT_SUFFIXES,
    constraint_column_names,
    generated_name,
    index_column_names,
)
from infra.modules.tree import enum_value, nodes, options, qualified_name, relation_name, strings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from infra.modules.tree import Name, Tree

SERIAL_TYPES = {
    "serial": "int4",
    "serial4": "int4",
    "bigserial": "int8",
    "serial8": "int8",
    "smallserial": "int2",
    "serial2": "int2",
}
"""The serial types, which are no types but a notation for an integer with a sequence (PostgreSQL manual, 8.1.4)."""

# The CREATE statements in the text of a DO block, found by their words alone: the block is not parsed.
CREATE_IN_DO_BLOCK = re.compile(
    r"\bCREATE\s+(?:UNLOGGED\s+|TEMP(?:ORARY)?\s+|OR\s+REPLACE\s+|UNIQUE\s+|MATERIALIZED\s+)*"
    r"(?P<type>TABLE|TYPE|DOMAIN|FUNCTION|PROCEDURE|SEQUENCE|VIEW|INDEX|SCHEMA|EXTENSION)\s+(?:IF\s+NOT\s+EXISTS\s+)?"
    r'(?P<name>"[^"]+"(?:\."[^"]+")?|[A-Za-z_][\w$]*(?:\.[A-Za-z_][\w$]*)?)',
    re.IGNORECASE,
)
KINDS_IN_DO_BLOCK = {  # all others are relations
    "TYPE": "type",
    "DOMAIN": "type",
    "FUNCTION": "function",
    "PROCEDURE": "function",
    "SCHEMA": "schema",
    "EXTENSION": "extension",
}


@dataclass(frozen=True)
class Creation:
    """An object that a statement creates; `may_exist` where an object of its name is no error."""

    kind: str  # relation, type, function, schema or extension: objects of one kind share their names
    name: Name
    object_type: str  # as in CREATE: table, materialized view, domain
    location: int = -1
    may_exist: bool = False


def creations(kind: str, tree: Tree) -> Iterator[Creation]:
    """Return the objects that a statement creates."""
    read = _READERS.get(kind)
    return read(tree) if read else iter(())


def _relation(relation: Tree, object_type: str, *, may_exist: bool = False) -> Creation:
    return Creation("relation", relation_name(relation), object_type, relation.location, may_exist)


def _table(tree: Tree) -> Iterator[Creation]:
    yield _relation(tree.relation, "table", may_exist=tree.if_not_exists)
    yield from _sequences(tree)
    for column in nodes(tree.table_elts, "column_def"):
        yield from _constraint_indexes(tree.relation, column.constraints, [column.colname])
    yield from _constraint_indexes(tree.relation, tree.table_elts, [])


def _altered_table(tree: Tree) -> Iterator[Creation]:
    for command in nodes(tree.cmds, "alter_table_cmd"):
        definition = getattr(command, "def")
        if definition.HasField("column_def"):
            column = definition.column_def
            yield from _constraint_indexes(tree.relation, column.constraints, [column.colname])
        elif enum_value(command, "subtype") == "AT_AddConstraint":
            yield from _constraint_indexes(tree.relation, [definition], [])


def _constraint_indexes(table: Tree, wrappers: Iterable[Tree], columns: list[str]) -> Iterator[Creation]:
    """Yield the indexes of keys and exclusions, by their own names or those that PostgreSQL generates."""
    for constraint in nodes(wrappers, "constraint"):
        suffix = CONSTRAINT_SUFFIXES.get(enum_value(constraint, "contype"))
        if suffix and not constraint.indexname:  # with USING INDEX, the index exists already
            names = constraint_column_names(constraint) or columns
            generated = generated_name(table.relname, () if suffix == "pkey" else names, suffix)
            name = (table.schemaname, constraint.conname or generated)
            yield Creation("relation", name, "index", constraint.location, may_exist=True)


def _table_as(tree: Tree) -> Iterator[Creation]:
    object_type = "materialized view" if enum_value(tree, "objtype") == "OBJECT_MATVIEW" else "table"
    yield _relation(tree.into.rel, object_type, may_exist=tree.if_not_exists)


def _select_into(tree: Tree) -> Iterator[Creation]:
    if tree.HasField("into_clause"):
        yield _relation(tree.into_clause.rel, "table")


def _index(tree: Tree) -> Iterator[Creation]:
    columns = index_column_names([*tree.index_params, *tree.index_including_params])
    name = tree.idxname or generated_name(tree.relation.relname, columns, "idx")
    may_exist = tree.if_not_exists or not tree.idxname
    yield Creation("relation", (tree.relation.schemaname, name), "index", -1, may_exist)


def _composite_type(tree: Tree) -> Iterator[Creation]:
    yield Creation("type", relation_name(tree.typevar), "type", tree.typevar.location)


def _function(tree: Tree) -> Iterator[Creation]:
    object_type = "procedure" if tree.is_procedure else "function"
    name = qualified_name(strings(tree.funcname))
    yield Creation("function", name, object_type, -1, may_exist=True)  # functions of one name differ in their arguments


def _schema(tree: Tree) -> Iterator[Creation]:
    yield Creation("schema", ("", tree.schemaname or tree.authrole.rolename), "schema", -1, tree.if_not_exists)


def _extension(tree: Tree) -> Iterator[Creation]:
    yield Creation("extension", ("", tree.extname), "extension", -1, tree.if_not_exists)


def _sequences(tree: Tree) -> Iterator[Creation]:
    """Yield the sequences of serial and identity columns, by the names that PostgreSQL generates."""
    schema, table = relation_name(tree.relation)
    for column in nodes(tree.table_elts, "column_def"):
        is_serial = any(name in SERIAL_TYPES for name in strings(column.type_name.names))
        is_identity = any(
            enum_value(constraint, "contype") == "CONSTR_IDENTITY"
            for constraint in nodes(column.constraints, "constraint")
        )
        if is_serial or is_identity:
            name = (schema, f"{table}_{column.colname}_seq")
            yield Creation("relation", name, "sequence", column.location, may_exist=True)


def _range_type(tree: Tree) -> Iterator[Creation]:
    """Yield a range type and its multirange type, each with its constructor (PostgreSQL manual, CREATE TYPE)."""
    schema, name = qualified_name(strings(tree.type_name))
    yield Creation("type", (schema, name), "type")
    yield Creation("function", (schema, name), "function", -1, may_exist=True)
    multirange = name.replace("range", "multirange", 1) if "range" in name else f"{name}_multirange"
    option = options(tree.params).get("multirange_type_name")
    if option is not None and option.HasField("type_name"):
        multirange = qualified_name(strings(option.type_name.names))[1]
    for kind in ("type", "function"):
        yield Creation(kind, (schema, multirange), kind, -1, may_exist=True)


def _aggregate_or_type(tree: Tree) -> Iterator[Creation]:
    parser_type = enum_value(tree, "kind")
    if parser_type == "OBJECT_AGGREGATE":
        yield Creation("function", qualified_name(strings(tree.defnames)), "aggregate", -1, may_exist=True)
    elif parser_type == "OBJECT_TYPE":
        yield Creation("type", qualified_name(strings(tree.defnames)), "type", -1, may_exist=True)


def _do_block(tree: Tree) -> Iterator[Creation]:
    body = options(tree.args).get("as")
    for match in CREATE_IN_DO_BLOCK.finditer(body.string.sval if body is not None else ""):
        parts = [part.strip('"') if part.startswith('"') else part.lower() for part in match["name"].split(".")]
        kind = KINDS_IN_DO_BLOCK.get(match["type"].upper(), "relation")
        yield Creation(kind, qualified_name(parts), match["type"].lower(), -1, may_exist=True)


_READERS: dict[str, Callable[[Tree], Iterator[Creation]]] = {
    "create_stmt": _table,
    "alter_table_stmt": _altered_table,
    "create_foreign_table_stmt": lambda tree: _table(tree.base_stmt),
    "create_table_as_stmt": _table_as,
    "select_stmt": _select_into,
    "create_seq_stmt": lambda tree: iter([_relation(tree.sequence, "sequence", may_exist=tree.if_not_exists)]),
    "view_stmt": lambda tree: iter([_relation(tree.view, "view", may_exist=tree.replace)]),
    "index_stmt": _index,
    "composite_type_stmt": _composite_type,
    "create_enum_stmt": lambda tree: iter([Creation("type", qualified_name(strings(tree.type_name)), "type")]),
    "create_domain_stmt": lambda tree: iter([Creation("type", qualified_name(strings(tree.domainname)), "domain")]),
    "create_range_stmt": _range_type,
    "create_function_stmt": _function,
    "define_stmt": _aggregate_or_type,
    "create_schema_stmt": _schema,
    "create_extension_stmt": _extension,
    "do_stmt": _do_block,
}
