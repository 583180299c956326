"""Rules on safety: what reaches beyond the database, loses data, opens a door, or breaks the module's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.lint.rule import Hit, at, rule, rule_on
from infra.lint.tree import constant, dotted, enum, inside, name_in, node, nodes, options, relation_name, strings
from infra.modules.directive import runs_by_statement
from infra.modules.restrictions import restriction_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.rule import LintProject
    from infra.lint.source import Located

_WITH_QUERIES = ("select_stmt", "insert_stmt", "update_stmt", "delete_stmt", "create_table_as_stmt", "explain_stmt")
OF_ROLES = (
    "create_role_stmt",
    "alter_role_stmt",
    "drop_role_stmt",
    "grant_role_stmt",
    "reassign_owned_stmt",
    "drop_owned_stmt",
    "variable_set_stmt",
)
BEYOND = ("alter_system_stmt", "alter_database_set_stmt", "alter_database_stmt", "alter_role_set_stmt", "select_stmt")
DROPPING = ("drop_stmt", "dropdb_stmt", "drop_table_space_stmt", "drop_subscription_stmt", "alter_table_stmt")
ELSEWHERE = frozenset({"transaction_stmt", "alter_system_stmt", "copy_stmt", "variable_set_stmt"})  # other rules' kinds
CALLS = frozenset({"pg_reload_conf", "pg_rotate_logfile", "pg_terminate_backend", "pg_cancel_backend", "pg_promote"})
DECLARED = "declare it in the stack's settings"
ROLE_VARIABLES = frozenset({"role", "session_authorization"})
HARMLESS = frozenset({"search_path"})  # read by the module's own statements: that is what it is for


@rule_on("M401", "Settings beyond the module", *BEYOND)
def lasting_settings(located: Located) -> Iterator[Hit]:
    """A module changes nothing that other databases, or roles, share."""
    kind, tree = located.kind, located.tree
    if kind == "alter_system_stmt":
        name = tree.setstmt.name or "everything"
        yield at(
            located, f"ALTER SYSTEM changes {name} for the whole server", "set it in `server.settings` of the stack"
        )
    elif kind in {"alter_database_set_stmt", "alter_database_stmt"}:
        yield at(located, f"ALTER DATABASE {tree.dbname} is no part of a schema", DECLARED)
    elif kind == "alter_role_set_stmt":
        yield at(located, "ALTER ROLE … SET changes a role of the whole server", DECLARED)
    else:
        for one in inside(tree):
            if one.DESCRIPTOR.name == "FuncCall" and (name := name_in(strings(one.funcname))[1]) in CALLS:
                yield at(located, f"{name} acts on the whole server", "remove it", location=one.location)


@rule_on("M402", "Roles and passwords", *OF_ROLES)
def roles(located: Located) -> Iterator[Hit]:
    """Roles belong to the server and are declared in the stack; a password in a module is known to all who read it."""
    kind, tree = located.kind, located.tree
    if kind == "variable_set_stmt":
        if tree.name.lower() in ROLE_VARIABLES:
            yield at(located, "changes the role", "remove it: a module runs as the owner role of its database")
        return
    password = kind in {"create_role_stmt", "alter_role_stmt"} and options(tree.options).get("password")
    what = "sets a role's password" if password else "changes roles, which belong to the whole server"
    yield at(located, what, DECLARED)


@rule_on("M403", "COPY", "copy_stmt")
def copy(located: Located) -> Iterator[Hit]:
    """COPY runs a program or reads a file on the server, or needs a client that sends the rows."""
    tree = located.tree
    if tree.is_program:
        yield at(located, f"COPY … PROGRAM runs {tree.filename.split(' ')[0]} on the server", "write INSERT statements")
    elif tree.filename:
        yield at(located, "COPY reads or writes a file of the server", "write INSERT statements")
    else:
        yield at(located, "COPY through the client works with few clients only", "write INSERT statements")


@rule_on("M404", "GRANT to PUBLIC", "grant_stmt", "alter_default_privileges_stmt")
def public(located: Located) -> Iterator[Hit]:
    """What PUBLIC may do, every role may do, also those that are made later."""
    tree = located.tree.action if located.kind == "alter_default_privileges_stmt" else located.tree
    if tree.is_grant and any(enum(one, "roletype") == "ROLESPEC_PUBLIC" for one in nodes(tree.grantees, "role_spec")):
        yield at(located, "grants to PUBLIC, which is every role", "name the role that needs it")


@rule_on("M405", "DROP", *DROPPING)
def drop(located: Located) -> Iterator[Hit]:
    """A module only adds: on a fresh database there is nothing to drop, on another one there are data."""
    remedy = "remove it: what a module no longer makes is dropped where that is allowed"
    if located.kind != "alter_table_stmt":
        what = enum(located.tree, "remove_type").removeprefix("OBJECT_") if located.kind == "drop_stmt" else ""
        yield at(located, f"DROP {what}".strip() + " in a module that makes a schema", remedy)
        return
    for command in nodes(located.tree.cmds, "alter_table_cmd"):
        what = {"AT_DropColumn": "COLUMN", "AT_DropConstraint": "CONSTRAINT"}.get(enum(command, "subtype"))
        if what:
            yield at(located, f"DROP {what} {command.name} in a module that makes a schema", remedy)


@rule_on("M406", "TRUNCATE", "truncate_stmt")
def truncate(located: Located) -> Iterator[Hit]:
    """TRUNCATE empties tables whatever is in them."""
    names = ", ".join(dotted(relation_name(one)) for one in nodes(located.tree.relations, "range_var"))
    yield at(located, f"TRUNCATE empties {names}", "remove it: new tables are empty")


@rule_on("M407", "DELETE or UPDATE without WHERE", *_WITH_QUERIES)
def everything(located: Located) -> Iterator[Hit]:
    """Without a condition, every row is meant."""
    found = [located.tree] if located.kind in {"update_stmt", "delete_stmt"} else []
    if located.kind != "insert_stmt" or located.tree.HasField("with_clause"):
        found = [one for one in inside(located.tree) if one.DESCRIPTOR.name in {"UpdateStmt", "DeleteStmt"}]
    for one in found:
        if not one.HasField("where_clause"):
            what = "UPDATE" if one.DESCRIPTOR.name == "UpdateStmt" else "DELETE"
            name = dotted(relation_name(one.relation))
            location = one.relation.location if one is not located.tree else -1
            yield at(located, f"{what} without WHERE means every row of {name}", "say which rows", location=location)


@rule("M408", "SECURITY DEFINER without search_path")
def definer(project: LintProject) -> Iterator[Hit]:
    """A function with its owner's rights finds what its caller's search_path names, unless it sets its own."""
    later = {
        name_in(strings(one.tree.func.objname))
        for one in project.statements("alter_function_stmt")
        if any(_sets_path(action.arg) for action in nodes(one.tree.actions, "def_elem"))
    }
    for located in project.statements("create_function_stmt"):
        tree = located.tree
        given = list(nodes(tree.options, "def_elem"))
        as_owner = any(one.defname == "security" and one.arg.boolean.boolval for one in given)
        name = name_in(strings(tree.funcname))
        if as_owner and not any(_sets_path(one.arg) for one in given) and name not in later:
            what = f"{dotted(name)} runs with its owner's rights and its caller's search_path"
            yield at(located, what, "add SET search_path = pg_catalog, public, or SECURITY INVOKER")


def _sets_path(wrapped: object) -> bool:
    kind, statement = node(wrapped)
    return kind == "variable_set_stmt" and statement.name.lower() == "search_path"


@rule("M410", "What cannot run in a transaction")
def outside(project: LintProject) -> Iterator[Hit]:
    """A module is one transaction; what cannot run in one needs a module that says so in its first lines."""
    for file in project.files:
        by_statement = runs_by_statement(file.text)
        for located in file.statements:
            found = None if located.kind in ELSEWHERE else restriction_for(located, by_statement=by_statement)
            if found:
                yield at(located, found.what, found.remedy)


@rule_on("M411", "Transaction control", "transaction_stmt")
def transaction(located: Located) -> Iterator[Hit]:
    """A module is one transaction already; a COMMIT in it would leave half of it behind when it fails."""
    yield at(located, "controls the transaction", "remove it: a module is one transaction already")


@rule_on("M413", "Settings of the session", "variable_set_stmt", "select_stmt", severity="warning")
def session(located: Located) -> Iterator[Hit]:
    """SET ends with the session, so that it has no lasting effect, and the later statements of the module feel it."""
    tree = located.tree
    if located.kind == "select_stmt":
        for one in tree.target_list:
            call = one.res_target.val.func_call
            if name_in(strings(call.funcname))[1] == "set_config" and call.args:
                setting = constant(call.args[0]) or "a setting"
                if setting not in HARMLESS:
                    yield at(located, f"{setting} is set for this session only", "set it in the stack's settings")
        return
    plain = enum(tree, "kind") in {"VAR_SET_VALUE", "VAR_SET_CURRENT", "VAR_SET_DEFAULT"}
    if plain and not tree.is_local and tree.name.lower() not in ROLE_VARIABLES | HARMLESS:
        remedy = "write SET LOCAL where this module needs it, else set it in the stack's settings"
        yield at(located, f"{tree.name} is set for this session only", remedy)
