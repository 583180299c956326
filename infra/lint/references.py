"""What a statement refers to: relations, types, functions, operator classes, access methods and schemas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.errors import ModuleError
from infra.lint.tree import constant, enum, name_in, node, nodes, options, parts, relation_name, strings
from infra.modules.statements import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.lint.tree import Name, Tree

OF_SEQUENCES = frozenset({"nextval", "setval", "currval"})
MADE_HERE = {  # the field that has the name of what the statement makes, which is no reference
    "create_stmt": "relation",
    "view_stmt": "view",
    "create_seq_stmt": "sequence",
    "composite_type_stmt": "typevar",
}
MAY_MISS = frozenset({"drop_stmt", "alter_table_stmt", "rename_stmt"})
NOTHING_ELSE = frozenset({"create_schema_stmt", "comment_stmt", "drop_stmt", "create_foreign_table_stmt"})
LEFT_ALONE = frozenset({"define_stmt", "do_stmt", "variable_set_stmt", "create_range_stmt"})
COMMENTED = frozenset(
    {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_INDEX", "OBJECT_FOREIGN_TABLE"}
)
_WITH_QUERIES = frozenset({"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})
WITHOUT_NAMES = frozenset({"a_const", "string", "integer", "float", "boolean", "column_ref"})  # of what is referred to
ON_RELATIONS = frozenset({"OBJECT_COLUMN", "OBJECT_TABCONSTRAINT", "OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE"})


@dataclass(frozen=True)
class NameReference:
    """A name that must be there when the statement runs; `location` is the parser's, -1 where it gives none."""

    kind: str  # relation, type, function, opclass, method or schema
    name: Name
    location: int = -1


def references(kind: str, tree: Tree) -> Iterator[NameReference]:
    """Give what a statement refers to, but for what it makes itself and what may be missing."""
    if kind in LEFT_ALONE or (kind in MAY_MISS and tree.missing_ok):
        return
    special = _STATEMENTS.get(kind)
    if special:
        yield from special(tree)
    if kind in NOTHING_ELSE:
        return
    for part in parts(tree, without=MADE_HERE.get(kind, "")):
        yield from _collect(part, frozenset())


def _collect(tree: Tree, tables_here: frozenset[str]) -> Iterator[NameReference]:
    """Walk through a tree; names of WITH queries are no tables where they are seen."""
    message = type(tree).__name__
    if message == "Node":  # almost every second message; looked into here, since a step into it costs as much as it
        kind = tree.WhichOneof("node")
        if kind is None or kind in WITHOUT_NAMES:
            return
        tree = getattr(tree, kind)
        message = type(tree).__name__
    special = _SPECIAL.get(message)
    if special:
        yield from special(tree, tables_here)
        return
    with_clause = tree.with_clause if message in _WITH_QUERIES else None
    if with_clause is not None and with_clause.ctes:
        names = [one.ctename for one in nodes(with_clause.ctes, "common_table_expr")]
        for number, one in enumerate(with_clause.ctes):
            seen = names if with_clause.recursive else names[:number]
            yield from _collect(one, tables_here.union(seen))
        tables_here = tables_here.union(names)
        for part in parts(tree):
            if type(part).__name__ != "WithClause":
                yield from _collect(part, tables_here)
        return
    for part in parts(tree):
        yield from _collect(part, tables_here)


def _relation(tree: Tree, tables_here: frozenset[str]) -> Iterator[NameReference]:
    if tree.relname and (tree.schemaname or tree.relname not in tables_here):
        yield NameReference("relation", relation_name(tree), tree.location)


def _type(tree: Tree, tables_here: frozenset[str]) -> Iterator[NameReference]:
    names = strings(tree.names)
    if not names:
        return
    if tree.pct_type:
        yield NameReference("relation", name_in(names[:-1]), tree.location)
    else:
        yield NameReference("type", name_in(names), tree.location)
    del tables_here


def _call(tree: Tree, tables_here: frozenset[str]) -> Iterator[NameReference]:
    name = name_in(strings(tree.funcname))
    yield NameReference("function", name, tree.location)
    if name[1] in OF_SEQUENCES and tree.args and (sequence := _constant_here(tree.args[0])):
        yield NameReference("relation", written(sequence), tree.location)
        return
    for part in parts(tree):
        yield from _collect(part, tables_here)


def _constant_here(wrapped: Tree) -> str | None:
    """Give a constant, but not one with a cast to regclass, which is a reference of its own."""
    return None if wrapped.HasField("type_cast") and _is_regclass(wrapped.type_cast) else constant(wrapped)


def _is_regclass(cast: Tree) -> bool:
    return name_in(strings(cast.type_name.names))[1] == "regclass"


def _cast(tree: Tree, tables_here: frozenset[str]) -> Iterator[NameReference]:
    if _is_regclass(tree) and (name := constant(tree.arg)):
        if not name.isdigit():
            yield NameReference("relation", written(name), tree.location)
        return
    for part in parts(tree):
        yield from _collect(part, tables_here)


def written(text: str) -> Name:
    """Read a name as PostgreSQL reads the text of a regclass: in quotes as it is, else in lower case."""
    return name_in([piece.strip('"') if piece.startswith('"') else piece.lower() for piece in text.split(".")])


def _index_element(tree: Tree, tables_here: frozenset[str]) -> Iterator[NameReference]:
    if tree.opclass:
        yield NameReference("opclass", name_in(strings(tree.opclass)))
    if tree.HasField("expr"):
        yield from _collect(tree.expr, tables_here)


def _function_with_arguments(tree: Tree, tables_here: frozenset[str]) -> Iterator[NameReference]:
    yield NameReference("function", name_in(strings(tree.objname)))
    del tables_here


def _nothing(tree: Tree, tables_here: frozenset[str]) -> Iterator[NameReference]:
    """Leave out options, whose words the parser reads as types, and what SELECT … INTO makes."""
    del tree, tables_here
    yield from ()


_SPECIAL: dict[str, Callable[[Tree, frozenset[str]], Iterator[NameReference]]] = {
    "RangeVar": _relation,
    "TypeName": _type,
    "FuncCall": _call,
    "TypeCast": _cast,
    "IndexElem": _index_element,
    "ObjectWithArgs": _function_with_arguments,
    "DefElem": _nothing,
    "IntoClause": _nothing,
    "RoleSpec": _nothing,
}


def _in_sql_body(tree: Tree) -> Iterator[NameReference]:
    """Look into a body in SQL that is a string: PostgreSQL checks it when the function is made."""
    given = options(tree.options)
    if "language" not in given or given["language"].string.sval.lower() != "sql" or "as" not in given:
        return
    for body in strings(given["as"].list.items):
        try:
            statements = parse(body, "")
        except ModuleError:
            return
        for one in statements:
            for found in references(one.kind, one.tree):
                yield NameReference(found.kind, found.name)


def _owner_of_sequence(tree: Tree) -> Iterator[NameReference]:
    owner = options(tree.options).get("owned_by")
    if owner is not None and owner.HasField("list"):
        names = strings(owner.list.items)
        if len(names) > 1:
            yield NameReference("relation", name_in(names[:-1]))


def _commented(tree: Tree) -> Iterator[NameReference]:
    what = enum(tree, "objtype")
    kind, named = node(tree.object)
    names = strings(named.items) if kind == "list" else []
    if what in COMMENTED:
        yield NameReference("relation", name_in(names))
    elif what in ON_RELATIONS and len(names) > 1:
        yield NameReference("relation", name_in(names[:-1]))
    elif what in {"OBJECT_TYPE", "OBJECT_DOMAIN"} and kind == "type_name":
        yield NameReference("type", name_in(strings(named.names)))
    elif what in {"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_AGGREGATE"}:
        yield NameReference("function", name_in(strings(named.objname)))
    elif what == "OBJECT_SCHEMA" and kind == "string":
        yield NameReference("schema", ("", named.sval))


def _dropped(tree: Tree) -> Iterator[NameReference]:
    what = enum(tree, "remove_type")
    for one in tree.objects:
        kind, named = node(one)
        if kind == "list" and what in COMMENTED:
            yield NameReference("relation", name_in(strings(named.items)))
        elif kind == "list" and what in ON_RELATIONS:
            yield NameReference("relation", name_in(strings(named.items)[:-1]))
        elif kind == "type_name":
            yield NameReference("type", name_in(strings(named.names)))
        elif kind == "object_with_args" and what in {"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE"}:
            yield NameReference("function", name_in(strings(named.objname)))


def _of_schema(tree: Tree) -> Iterator[NameReference]:
    for element in tree.schema_elts:
        yield from references(*node(element))


def _granted(tree: Tree) -> Iterator[NameReference]:
    if enum(tree, "objtype") == "OBJECT_SCHEMA":
        for name in strings(tree.objects):
            yield NameReference("schema", ("", name))


def _trigger(tree: Tree) -> Iterator[NameReference]:
    yield NameReference("function", name_in(strings(tree.funcname)))


def _method(tree: Tree) -> Iterator[NameReference]:
    if tree.access_method:
        yield NameReference("method", ("", tree.access_method))


_STATEMENTS: dict[str, Callable[[Tree], Iterator[NameReference]]] = {
    "create_schema_stmt": _of_schema,
    "comment_stmt": _commented,
    "drop_stmt": _dropped,
    "create_trig_stmt": _trigger,
    "create_event_trig_stmt": _trigger,
    "create_foreign_table_stmt": lambda tree: references("create_stmt", tree.base_stmt),
    "create_function_stmt": _in_sql_body,
    "create_seq_stmt": _owner_of_sequence,
    "alter_seq_stmt": _owner_of_sequence,
    "grant_stmt": _granted,
    "index_stmt": _method,
}
