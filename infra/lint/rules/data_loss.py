"""Rules on statements that lose data: DROP, TRUNCATE, and DELETE or UPDATE of every row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.lint.rule import Violation, statement_rule, violation
from infra.modules.tree import descendants, enum_value, nodes, readable_name, relation_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.source_file import LocatedStatement

DROP_STATEMENTS = ("drop_stmt", "dropdb_stmt", "drop_table_space_stmt", "drop_subscription_stmt", "alter_table_stmt")
STATEMENTS_WITH_QUERIES = (
    "select_stmt",
    "insert_stmt",
    "update_stmt",
    "delete_stmt",
    "create_table_as_stmt",
    "explain_stmt",
)


@statement_rule("M405", "DROP", *DROP_STATEMENTS)
def drop(statement: LocatedStatement) -> Iterator[Violation]:
    """A module only adds: on a fresh database there is nothing to drop, on another one there are data."""
    remedy = "remove it: what a module no longer creates is dropped where the settings allow it"
    tree = statement.tree
    if statement.kind == "alter_table_stmt":
        for command in nodes(tree.cmds, "alter_table_cmd"):
            noun = {"AT_DropColumn": "COLUMN", "AT_DropConstraint": "CONSTRAINT"}.get(enum_value(command, "subtype"))
            if noun:
                message = f"DROP {noun} {command.name} in a module that creates a schema"
                yield violation(statement, message, remedy)
    else:
        noun = enum_value(tree, "remove_type").removeprefix("OBJECT_") if statement.kind == "drop_stmt" else ""
        yield violation(statement, f"DROP {noun}".strip() + " in a module that creates a schema", remedy)


@statement_rule("M406", "TRUNCATE", "truncate_stmt")
def truncate(statement: LocatedStatement) -> Iterator[Violation]:
    """TRUNCATE empties tables whatever is in them."""
    relations = nodes(statement.tree.relations, "range_var")
    names = ", ".join(readable_name(relation_name(relation)) for relation in relations)
    yield violation(statement, f"TRUNCATE empties {names}", "remove it: new tables are empty")


@statement_rule("M407", "DELETE or UPDATE without WHERE", *STATEMENTS_WITH_QUERIES)
def missing_where(statement: LocatedStatement) -> Iterator[Violation]:
    """Without a condition, DELETE and UPDATE apply to every row."""
    if statement.kind == "insert_stmt" and not statement.tree.HasField("with_clause"):
        return  # there may be very many, and only WITH can contain the others
    for query in descendants(statement.tree):
        name = query.DESCRIPTOR.name
        if name in {"UpdateStmt", "DeleteStmt"} and not query.HasField("where_clause"):
            verb = "UPDATE" if name == "UpdateStmt" else "DELETE"
            message = f"{verb} without WHERE applies to every row of {readable_name(relation_name(query.relation))}"
            location = query.relation.location if query is not statement.tree else -1
            yield violation(statement, message, "add WHERE with the rows that are meant", location=location)
