"""Which objects a statement makes, takes away or gives another name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.lint.builtins import PSEUDO_TYPES
from infra.lint.generated_names import OF_CONSTRAINT, columns_of_index, excluded, name_of_index
from infra.lint.tree import enum, name_in, node, nodes, options, relation_name, strings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from infra.lint.tree import Name, Tree

RELATIONS = frozenset(
    {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_INDEX", "OBJECT_FOREIGN_TABLE"}
)
DROPPED = {
    "OBJECT_TYPE": "type",
    "OBJECT_DOMAIN": "type",
    "OBJECT_FUNCTION": "function",
    "OBJECT_PROCEDURE": "function",
    "OBJECT_AGGREGATE": "function",
    "OBJECT_SCHEMA": "schema",
    "OBJECT_EXTENSION": "extension",
}

# What the text of a DO block seems to make; its words are not looked at further.
IN_A_BLOCK = re.compile(
    r"\bCREATE\s+(?:UNLOGGED\s+|TEMP(?:ORARY)?\s+|OR\s+REPLACE\s+|UNIQUE\s+|MATERIALIZED\s+)*"
    r"(?P<what>TABLE|TYPE|DOMAIN|FUNCTION|PROCEDURE|SEQUENCE|VIEW|INDEX|SCHEMA|EXTENSION)\s+(?:IF\s+NOT\s+EXISTS\s+)?"
    r'(?P<name>"[^"]+"(?:\."[^"]+")?|[A-Za-z_][\w$]*(?:\.[A-Za-z_][\w$]*)?)',
    re.IGNORECASE,
)
KIND_IN_A_BLOCK = {
    "TYPE": "type",
    "DOMAIN": "type",
    "FUNCTION": "function",
    "PROCEDURE": "function",
    "SCHEMA": "schema",
    "EXTENSION": "extension",
}


@dataclass(frozen=True)
class Creation:
    """An object that a statement makes; `tolerant` where it may be there already."""

    kind: str  # relation, type, function, schema or extension
    name: Name
    what: str  # as people call it
    location: int = -1
    tolerant: bool = False


def creations(kind: str, tree: Tree) -> Iterator[Creation]:
    """Give what a statement makes."""
    make = _MAKERS.get(kind)
    return make(tree) if make else iter(())


def _relation(relation: Tree, what: str, *, tolerant: bool = False) -> Creation:
    return Creation("relation", relation_name(relation), what, relation.location, tolerant)


def _table(tree: Tree) -> Iterator[Creation]:
    yield _relation(tree.relation, "table", tolerant=tree.if_not_exists)
    yield from _sequences(tree)
    for column in nodes(tree.table_elts, "column_def"):
        yield from _of_constraints(tree.relation, column.constraints, [column.colname])
    yield from _of_constraints(tree.relation, tree.table_elts, [])


def _altered(tree: Tree) -> Iterator[Creation]:
    for command in nodes(tree.cmds, "alter_table_cmd"):
        definition = getattr(command, "def")
        if definition.HasField("column_def"):
            yield from _of_constraints(
                tree.relation, definition.column_def.constraints, [definition.column_def.colname]
            )
        elif enum(command, "subtype") == "AT_AddConstraint":
            yield from _of_constraints(tree.relation, [definition], [])


def _of_constraints(table: Tree, wrapped: Iterable[Tree], columns: list[str]) -> Iterator[Creation]:
    """Give the indexes of keys, by their own names or those that PostgreSQL chooses."""
    for one in nodes(wrapped, "constraint"):
        ending = OF_CONSTRAINT.get(enum(one, "contype"))
        if ending and not one.indexname:
            names = excluded(one) or strings(one.keys) or columns
            chosen = name_of_index(table.relname, () if ending == "pkey" else names, ending)
            yield Creation("relation", (table.schemaname, one.conname or chosen), "index", one.location, tolerant=True)


def _table_as(tree: Tree) -> Iterator[Creation]:
    what = "materialized view" if enum(tree, "objtype") == "OBJECT_MATVIEW" else "table"
    yield _relation(tree.into.rel, what, tolerant=tree.if_not_exists)


def _select_into(tree: Tree) -> Iterator[Creation]:
    if tree.HasField("into_clause"):
        yield _relation(tree.into_clause.rel, "table")


def _index(tree: Tree) -> Iterator[Creation]:
    name = tree.idxname or name_of_index(tree.relation.relname, columns_of_index(tree.index_params), "idx")
    tolerant = tree.if_not_exists or not tree.idxname
    yield Creation("relation", (tree.relation.schemaname, name), "index", -1, tolerant)


def _composite(tree: Tree) -> Iterator[Creation]:
    yield Creation("type", relation_name(tree.typevar), "type", tree.typevar.location)


def _function(tree: Tree) -> Iterator[Creation]:
    what = "procedure" if tree.is_procedure else "function"
    yield Creation("function", name_in(strings(tree.funcname)), what, -1, tolerant=True)  # the arguments may differ


def _schema(tree: Tree) -> Iterator[Creation]:
    yield Creation("schema", ("", tree.schemaname or tree.authrole.rolename), "schema", -1, tree.if_not_exists)


def _extension(tree: Tree) -> Iterator[Creation]:
    yield Creation("extension", ("", tree.extname), "extension", -1, tree.if_not_exists)


def _sequences(tree: Tree) -> Iterator[Creation]:
    """Give the sequences that come with serial and identity columns, by the names that PostgreSQL chooses."""
    schema, table = relation_name(tree.relation)
    for column in nodes(tree.table_elts, "column_def"):
        serial = any(name in PSEUDO_TYPES for name in strings(column.type_name.names))
        identity = any(enum(one, "contype") == "CONSTR_IDENTITY" for one in nodes(column.constraints, "constraint"))
        if serial or identity:
            yield Creation(
                "relation", (schema, f"{table}_{column.colname}_seq"), "sequence", column.location, tolerant=True
            )


def _of_a_range(tree: Tree) -> Iterator[Creation]:
    """Give a range type with its constructor, and its multirange."""
    schema, name = name_in(strings(tree.type_name))
    yield Creation("type", (schema, name), "type")
    yield Creation("function", (schema, name), "function", -1, tolerant=True)
    multirange = name.replace("range", "multirange", 1) if "range" in name else f"{name}_multirange"
    given = options(tree.params).get("multirange_type_name")
    if given is not None and given.HasField("type_name"):
        multirange = name_in(strings(given.type_name.names))[1]
    for kind in ("type", "function"):
        yield Creation(kind, (schema, multirange), kind, -1, tolerant=True)


def _defined(tree: Tree) -> Iterator[Creation]:
    what = enum(tree, "kind")
    if what == "OBJECT_AGGREGATE":
        yield Creation("function", name_in(strings(tree.defnames)), "aggregate", -1, tolerant=True)
    elif what == "OBJECT_TYPE":
        yield Creation("type", name_in(strings(tree.defnames)), "type", -1, tolerant=True)


def _in_a_block(tree: Tree) -> Iterator[Creation]:
    body = options(tree.args).get("as")
    for found in IN_A_BLOCK.finditer(body.string.sval if body is not None else ""):
        names = [part.strip('"') if part.startswith('"') else part.lower() for part in found["name"].split(".")]
        kind = KIND_IN_A_BLOCK.get(found["what"].upper(), "relation")
        yield Creation(kind, name_in(names), found["what"].lower(), -1, tolerant=True)


_MAKERS: dict[str, Callable[[Tree], Iterator[Creation]]] = {
    "create_stmt": _table,
    "alter_table_stmt": _altered,
    "create_foreign_table_stmt": lambda tree: _table(tree.base_stmt),
    "create_table_as_stmt": _table_as,
    "select_stmt": _select_into,
    "create_seq_stmt": lambda tree: iter([_relation(tree.sequence, "sequence", tolerant=tree.if_not_exists)]),
    "view_stmt": lambda tree: iter([_relation(tree.view, "view", tolerant=tree.replace)]),
    "index_stmt": _index,
    "composite_type_stmt": _composite,
    "create_enum_stmt": lambda tree: iter([Creation("type", name_in(strings(tree.type_name)), "type")]),
    "create_domain_stmt": lambda tree: iter([Creation("type", name_in(strings(tree.domainname)), "domain")]),
    "create_range_stmt": _of_a_range,
    "create_function_stmt": _function,
    "define_stmt": _defined,
    "create_schema_stmt": _schema,
    "create_extension_stmt": _extension,
    "do_stmt": _in_a_block,
}


def removals(kind: str, tree: Tree) -> Iterator[tuple[str, Name]]:
    """Give what a statement takes away, by kind and name."""
    if kind != "drop_stmt":
        return
    what = enum(tree, "remove_type")
    for one in tree.objects:
        form, named = node(one)
        if form == "list":
            names = strings(named.items)
        elif form == "type_name":
            names = strings(named.names)
        elif form == "object_with_args":
            names = strings(named.objname)
        else:
            names = [named.sval] if form == "string" else []
        if names and (what in RELATIONS or what in DROPPED):
            yield DROPPED.get(what, "relation"), name_in(names)


def renaming(kind: str, tree: Tree) -> tuple[str, Name, Name] | None:
    """Give kind, old and new name where a statement renames an object or moves it to another schema."""
    if kind not in {"rename_stmt", "alter_object_schema_stmt"}:
        return None
    what = enum(tree, "rename_type" if kind == "rename_stmt" else "object_type")
    if what in RELATIONS:
        kind_of, old = "relation", relation_name(tree.relation)
    elif what in DROPPED and tree.HasField("object"):
        form, named = node(tree.object)
        names = {"list": "items", "type_name": "names", "object_with_args": "objname"}.get(form)
        kind_of, old = DROPPED[what], name_in(strings(getattr(named, names)) if names else [getattr(named, "sval", "")])
    elif what == "OBJECT_SCHEMA":
        kind_of, old = "schema", ("", tree.subname)
    else:
        return None
    new = (old[0], tree.newname) if kind == "rename_stmt" else (tree.newschema, old[1])
    return kind_of, old, new
