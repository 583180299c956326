"""Rules on what affects the whole server or its files: settings, roles, COPY."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.lint.rule import Violation, statement_rule, violation
from infra.modules.tree import descendants, options, qualified_name, strings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.source_file import LocatedStatement

SETTING_STATEMENTS = (
    "alter_system_stmt",
    "alter_database_set_stmt",
    "alter_database_stmt",
    "alter_role_set_stmt",
    "select_stmt",
)
ROLE_STATEMENTS = (
    "create_role_stmt",
    "alter_role_stmt",
    "drop_role_stmt",
    "grant_role_stmt",
    "reassign_owned_stmt",
    "drop_owned_stmt",
    "variable_set_stmt",
)
SERVER_FUNCTIONS = frozenset(
    {"pg_reload_conf", "pg_rotate_logfile", "pg_terminate_backend", "pg_cancel_backend", "pg_promote"}
)
ROLE_VARIABLES = frozenset({"role", "session_authorization"})  # SET of these is SET ROLE and its like
_DECLARE = "declare it in the stack's settings"


@statement_rule("M401", "Settings beyond the module", *SETTING_STATEMENTS)
def lasting_setting(statement: LocatedStatement) -> Iterator[Violation]:
    """A module changes nothing that other databases, or roles, share."""
    kind, tree = statement.kind, statement.tree
    if kind == "alter_system_stmt":
        name = tree.setstmt.name or "everything"
        remedy = "set it in `server.settings` of the stack"
        yield violation(statement, f"ALTER SYSTEM changes {name} for the whole server", remedy)
    elif kind in {"alter_database_set_stmt", "alter_database_stmt"}:
        yield violation(statement, f"ALTER DATABASE {tree.dbname} is not part of a schema", _DECLARE)
    elif kind == "alter_role_set_stmt":
        yield violation(statement, "ALTER ROLE … SET changes a role of the whole server", _DECLARE)
    else:
        for call in descendants(tree):
            if call.DESCRIPTOR.name == "FuncCall":
                name = qualified_name(strings(call.funcname))[1]
                if name in SERVER_FUNCTIONS:
                    message = f"{name} acts on the whole server"
                    yield violation(statement, message, "remove it", location=call.location)


@statement_rule("M402", "Roles and passwords", *ROLE_STATEMENTS)
def role_or_password(statement: LocatedStatement) -> Iterator[Violation]:
    """Roles belong to the server and are declared in the stack; a password in a module is known to all who read it."""
    kind, tree = statement.kind, statement.tree
    if kind == "variable_set_stmt":
        if tree.name.lower() in ROLE_VARIABLES:
            remedy = "remove it: a module runs as the owner role of its database"
            yield violation(statement, "changes the role", remedy)
        return
    sets_password = kind in {"create_role_stmt", "alter_role_stmt"} and options(tree.options).get("password")
    message = "sets a role's password" if sets_password else "changes roles, which belong to the whole server"
    yield violation(statement, message, _DECLARE)


@statement_rule("M403", "COPY", "copy_stmt")
def copy(statement: LocatedStatement) -> Iterator[Violation]:
    """COPY runs a program or reads a file on the server, or needs a client that sends the rows."""
    tree = statement.tree
    if tree.is_program:
        message = f"COPY … PROGRAM runs {tree.filename.split(' ')[0]} on the server"
    elif tree.filename:
        message = "COPY reads or writes a file of the server"
    else:
        message = "COPY through the client works with few clients only"
    yield violation(statement, message, "write INSERT statements")
