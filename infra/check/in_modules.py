"""Where a module declares an object: the statement that makes it, and in it the column or the constraint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.catalog.identifiers import name_parts
from infra.errors import ModuleError
from infra.findings.finding import Place
from infra.modules.statements import parse, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.catalog.catalog import ObjectId
    from infra.modules.module import Module
    from infra.modules.statements import Statement

_TABLES = frozenset({"create_stmt", "create_foreign_table_stmt", "create_table_as_stmt"})
_OF_TABLES = _TABLES | {"alter_table_stmt", "rename_stmt"}

# What makes or changes an object of a kind, by the parser's names; a comment is looked for on its own.
DECLARED_BY: dict[str, frozenset[str]] = {
    "schema": frozenset({"create_schema_stmt"}),
    "extension": frozenset({"create_extension_stmt", "alter_extension_stmt"}),
    "extension version": frozenset({"create_extension_stmt", "alter_extension_stmt"}),
    "enum": frozenset({"create_enum_stmt", "alter_enum_stmt"}),
    "domain": frozenset({"create_domain_stmt", "alter_domain_stmt"}),
    "range": frozenset({"create_range_stmt"}),
    "composite type": frozenset({"composite_type_stmt", "alter_table_stmt"}),
    "function": frozenset({"create_function_stmt", "alter_function_stmt"}),
    "procedure": frozenset({"create_function_stmt", "alter_function_stmt"}),
    "aggregate": frozenset({"define_stmt"}),
    "sequence": frozenset({"create_seq_stmt", "alter_seq_stmt"}),
    "table": _OF_TABLES,
    "column": _OF_TABLES | {"composite_type_stmt"},
    "column order": _OF_TABLES,
    "constraint": _OF_TABLES,
    "index": frozenset({"index_stmt"}),
    "statistics": frozenset({"create_stats_stmt"}),
    "view": frozenset({"view_stmt"}),
    "materialized view": frozenset({"create_table_as_stmt"}),
    "rule": frozenset({"rule_stmt"}),
    "trigger": frozenset({"create_trig_stmt"}),
    "policy": frozenset({"create_policy_stmt", "alter_policy_stmt"}),
    "event trigger": frozenset({"create_event_trig_stmt"}),
    "owner": frozenset({"alter_owner_stmt", "alter_table_stmt"}),
    "privileges": frozenset({"grant_stmt", "alter_default_privileges_stmt"}),
}


def place_in(module: Module, identity: ObjectId, *, comment: bool = False) -> Place:
    """Give the place in a module that declares an object, or its comment; the module itself where none can be told."""
    try:
        statements = parse(module.text, module.path)
    except ModuleError as error:
        return Place(module.path, error.at.line if error.at else 0)
    wanted = _wanted(identity)
    found = _comment_on(statements, wanted) if comment else None
    offset = found.start if found else None
    if found is None:
        found = _best(statements, wanted, DECLARED_BY.get(identity.kind)) or _best(statements, wanted, None)
        offset = _offset(module, found, wanted[-1]) if found else None
    if offset is None:
        return Place(module.path)
    at = place_of(module.text, module.path, offset)
    return Place(at.path, at.line, at.column, "", at.text)


def extensions_of(modules: list[Module]) -> dict[str, Place]:
    """Give the extensions that modules create, each with its place."""
    found: dict[str, Place] = {}
    for module in modules:
        for one in parse(module.text, module.path):
            if one.kind == "create_extension_stmt":
                at = place_of(module.text, module.path, one.start)
                found.setdefault(one.tree.extname, Place(at.path, at.line, at.column, "", at.text))
    return found


def _wanted(identity: ObjectId) -> list[str]:
    """Give the names that a statement about an object must hold, the schema public left out, as they are unquoted."""
    name = identity.name
    if identity.kind in {"owner", "privileges"}:
        name = name.rpartition(" to ")[0] or name
        name = name.partition(" ")[2].removeprefix("view ")
    names = [_plain(part) for part in name_parts(name.partition("(")[0])]
    return [one for one in names if one != "public"] or names


def _plain(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part


def _best(statements: list[Statement], wanted: list[str], kinds: frozenset[str] | None) -> Statement | None:
    """Give the first statement of these kinds that holds all of the names, else the first that holds all but the last.

    What has no name in a statement, as an unnamed constraint, belongs to the table that the other names are about.
    """
    fitting = [(one, _words(one.tree)) for one in statements if kinds is None or one.kind in kinds]
    for names in (wanted, wanted[:-1]):
        for one, words in fitting:
            if names and words.issuperset(names):
                return one
    return None


def _comment_on(statements: list[Statement], wanted: list[str]) -> Statement | None:
    """Give the COMMENT on exactly these names."""
    for one in statements:
        if one.kind == "comment_stmt" and _words(one.tree) - {one.tree.comment, "public"} == frozenset(wanted):
            return one
    return None


def _words(message: Any) -> frozenset[str]:  # noqa: ANN401 (a parse tree)
    return frozenset(word for _, found in _messages(message) for word in found)


def _messages(message: Any) -> Iterator[tuple[Any, list[str]]]:  # noqa: ANN401 (a parse tree)
    """Walk a parse tree: every message in it, with the texts that it holds itself."""
    texts: list[str] = []
    inner: list[Any] = []
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        if field.type == field.TYPE_MESSAGE:
            inner += values
        elif field.type == field.TYPE_STRING:
            texts += values
    yield message, texts
    for one in inner:
        yield from _messages(one)


def _offset(module: Module, statement: Statement, name: str) -> int:
    """Give where a column or constraint of this name begins in a statement, else the statement, in characters."""
    for message, _ in _messages(statement.tree):
        if name in {getattr(message, "colname", ""), getattr(message, "conname", "")} and message.location > 0:
            return len(module.text.encode()[: message.location].decode())
    return statement.start
