"""References inside a parser's tree, found by a walk through all of its messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.modules.tree import children, constant, nodes, qualified_name, relation_name, strings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.modules.tree import Name, Tree

SEQUENCE_FUNCTIONS = frozenset({"nextval", "setval", "currval"})
_WITH_QUERIES = frozenset({"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})
_WITHOUT_REFERENCES = frozenset({"a_const", "string", "integer", "float", "boolean", "column_ref"})


@dataclass(frozen=True)
class NameReference:
    """A name that must exist when the statement runs; `location` is the parser's, -1 where it has none."""

    kind: str  # relation, type, function, opclass, method, schema, role or tablespace
    name: Name
    location: int = -1


def references_in(tree: Tree, query_names: frozenset[str] = frozenset()) -> Iterator[NameReference]:
    """Yield the references in a tree; `query_names` are the WITH queries in scope, which are no relations."""
    message = type(tree).__name__
    if message == "Node":  # unwrapped here and not by a call: almost every second message is one, and a call costs time
        kind = tree.WhichOneof("node")
        if kind is None or kind in _WITHOUT_REFERENCES:
            return
        tree = getattr(tree, kind)
        message = type(tree).__name__
    read = _READERS.get(message)
    if read:
        yield from read(tree, query_names)
    elif message in _WITH_QUERIES and tree.with_clause.ctes:
        yield from _in_with_query(tree, query_names)
    else:
        for child in children(tree):
            yield from references_in(child, query_names)


def _in_with_query(tree: Tree, query_names: frozenset[str]) -> Iterator[NameReference]:
    """Yield the references in a query with WITH: a WITH query sees the ones before it, with RECURSIVE all of them."""
    with_clause = tree.with_clause
    names = [query.ctename for query in nodes(with_clause.ctes, "common_table_expr")]
    for number, query in enumerate(with_clause.ctes):
        visible = names if with_clause.recursive else names[:number]
        yield from references_in(query, query_names.union(visible))
    for child in children(tree, without="with_clause"):
        yield from references_in(child, query_names.union(names))


def _relation(tree: Tree, query_names: frozenset[str]) -> Iterator[NameReference]:
    if tree.relname and (tree.schemaname or tree.relname not in query_names):
        yield NameReference("relation", relation_name(tree), tree.location)


def _type(tree: Tree, _query_names: frozenset[str]) -> Iterator[NameReference]:
    parts = strings(tree.names)
    if parts and tree.pct_type:  # table.column%TYPE
        yield NameReference("relation", qualified_name(parts[:-1]), tree.location)
    elif parts:
        yield NameReference("type", qualified_name(parts), tree.location)


def _call(tree: Tree, query_names: frozenset[str]) -> Iterator[NameReference]:
    name = qualified_name(strings(tree.funcname))
    yield NameReference("function", name, tree.location)
    if name[1] in SEQUENCE_FUNCTIONS and tree.args and (sequence := _sequence_argument(tree.args[0])):
        yield NameReference("relation", parse_regclass(sequence), tree.location)
        return
    for child in children(tree):
        yield from references_in(child, query_names)


def _sequence_argument(wrapper: Tree) -> str | None:
    """Return a constant, but not one with a cast to regclass, which is a reference of its own."""
    is_regclass = wrapper.HasField("type_cast") and _is_regclass_cast(wrapper.type_cast)
    return None if is_regclass else constant(wrapper)


def _is_regclass_cast(cast: Tree) -> bool:
    return qualified_name(strings(cast.type_name.names))[1] == "regclass"


def _cast(tree: Tree, query_names: frozenset[str]) -> Iterator[NameReference]:
    if _is_regclass_cast(tree) and (name := constant(tree.arg)):
        if not name.isdigit():  # digits are an OID
            yield NameReference("relation", parse_regclass(name), tree.location)
        return
    for child in children(tree):
        yield from references_in(child, query_names)


def parse_regclass(text: str) -> Name:
    """Parse a name in a string as regclass does: in lower case unless in quotes (PostgreSQL manual, 8.19)."""
    return qualified_name([part.strip('"') if part.startswith('"') else part.lower() for part in text.split(".")])


def _index_element(tree: Tree, query_names: frozenset[str]) -> Iterator[NameReference]:
    if tree.opclass:
        yield NameReference("opclass", qualified_name(strings(tree.opclass)))
    if tree.HasField("expr"):
        yield from references_in(tree.expr, query_names)


def _function_with_arguments(tree: Tree, _query_names: frozenset[str]) -> Iterator[NameReference]:
    yield NameReference("function", qualified_name(strings(tree.objname)))


def _none(_tree: Tree, _query_names: frozenset[str]) -> Iterator[NameReference]:
    yield from ()


_READERS: dict[str, Callable[[Tree, frozenset[str]], Iterator[NameReference]]] = {
    "RangeVar": _relation,
    "TypeName": _type,
    "FuncCall": _call,
    "TypeCast": _cast,
    "IndexElem": _index_element,
    "ObjectWithArgs": _function_with_arguments,
    "DefElem": _none,  # an option, whose words the parser reads as types
    "IntoClause": _none,  # what SELECT … INTO creates
    "RoleSpec": _none,
}
