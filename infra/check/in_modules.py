"""Where a module declares an object: the statement that creates it, or the one that changes it or its comment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.catalog.identifiers import name_parts, raw, unquoted
from infra.errors import ModuleError
from infra.findings.finding import Place
from infra.modules.locations import locations_of
from infra.modules.statements import parse, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.catalog.catalog import ObjectId
    from infra.modules.module import Module
    from infra.modules.statements import Statement

_TABLES = frozenset({"create_stmt", "create_foreign_table_stmt", "create_table_as_stmt"})
_OF_TABLES = _TABLES | {"alter_table_stmt", "rename_stmt"}

# The statements that create or change an object of a kind, by the parser's names; comments are looked up separately.
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
    """Return the place in a module that declares an object, or with `comment` its comment.

    It is where the module creates the object by its name; else the first statement that may change it; else the file.
    """
    try:
        statements = parse(module.text, module.path)
        created = locations_of([module]).get((identity.kind, raw(identity.name)))
    except ModuleError as error:
        return Place(module.path, error.at.line if error.at else 0)
    names = _names_of(identity)
    statement = _comment_on(statements, names) if comment else None
    if statement is None and created:
        return Place.at(created)
    if statement is None:
        statement = _first_with(names, statements, DECLARED_BY.get(identity.kind)) or _first_with(names, statements)
    return Place.at(place_of(module.text, module.path, statement.start)) if statement else Place(module.path)


def extensions_of(modules: list[Module]) -> dict[str, Place]:
    """Return the extensions that modules create, each with the first place."""
    extensions: dict[str, Place] = {}
    for module in modules:
        for statement in parse(module.text, module.path):
            if statement.kind == "create_extension_stmt":
                place = Place.at(place_of(module.text, module.path, statement.start))
                extensions.setdefault(statement.tree.extname, place)
    return extensions


def _names_of(identity: ObjectId) -> list[str]:
    """Return the names that a statement about an object contains, without quotes and without the schema public."""
    name = identity.name
    if identity.kind in {"owner", "privileges"}:
        name = name.rpartition(" to ")[0] or name
        name = name.partition(" ")[2].removeprefix("view ")
    names = [unquoted(part) for part in name_parts(name.partition("(")[0])]
    return [part for part in names if part != "public"] or names


def _first_with(names: list[str], statements: list[Statement], kinds: frozenset[str] | None = None) -> Statement | None:
    """Return the first statement (of these kinds) that contains all names, else the first with all but the last.

    An object whose name is not in the text, such as a constraint that PostgreSQL named, is declared with its table,
    which the other names are about.
    """
    candidates = [
        (statement, _strings(statement.tree)) for statement in statements if kinds is None or statement.kind in kinds
    ]
    for required in (names, names[:-1]):
        for statement, strings in candidates:
            if required and strings.issuperset(required):
                return statement
    return None


def _comment_on(statements: list[Statement], names: list[str]) -> Statement | None:
    """Return the COMMENT ON exactly these names."""
    for statement in statements:
        if statement.kind == "comment_stmt":
            strings = _strings(statement.tree) - {statement.tree.comment, "public"}
            if strings == frozenset(names):
                return statement
    return None


def _strings(tree: Any) -> frozenset[str]:  # noqa: ANN401 (a parse tree)
    return frozenset(_strings_in(tree))


def _strings_in(message: Any) -> Iterator[str]:  # noqa: ANN401 (a parse tree)
    """Yield all strings in a parse tree, which is a protobuf message that contains messages."""
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        if field.type == field.TYPE_STRING:
            yield from values
        elif field.type == field.TYPE_MESSAGE:
            for inner in values:
                yield from _strings_in(inner)
