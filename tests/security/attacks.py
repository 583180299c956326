"""Attacks by SQL: what a module could try to do to the server, to its machine, and to what others have on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from infra.postgres.connection.connect import connect

if TYPE_CHECKING:
    from pathlib import Path

    from infra.postgres.connection.target import Target

VICTIM = "victim"
"""A role that no module has to do with."""


FUNCTIONS = """
CREATE FUNCTION rise() RETURNS text LANGUAGE plpgsql VOLATILE AS $$ BEGIN
    BEGIN RESET ROLE; EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN CREATE ROLE risen; EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN
        EXECUTE format('COPY (SELECT 1) TO PROGRAM ''touch /tmp/%s.risen''', current_database());
    EXCEPTION WHEN OTHERS THEN NULL; END;
    RETURN 'x';
END $$;
CREATE FUNCTION evil(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
    PERFORM public.rise(); RETURN $1;
END $$;
"""
"""The second one may be in an index, and PostgreSQL computes it as soon as it plans a query with constants."""


class Attack(NamedTuple):
    """A statement that needs more rights than a module has, and `{file}`, a path that it may write to."""

    name: str
    statement: str


ATTACKS = [
    Attack("superuser", "ALTER ROLE {me} SUPERUSER"),
    Attack("createrole", "ALTER ROLE {me} CREATEROLE BYPASSRLS"),
    Attack("another role's password", f"ALTER ROLE {VICTIM} PASSWORD 'known'"),
    Attack("another role's settings", f"ALTER ROLE {VICTIM} SET search_path = trap, pg_catalog"),
    Attack("settings of all roles", "ALTER ROLE ALL SET session_preload_libraries = 'trap'"),
    Attack("a role", "CREATE ROLE backdoor SUPERUSER LOGIN"),
    Attack("membership in a role", f"GRANT {VICTIM} TO {{me}}"),
    Attack("programs", "GRANT pg_execute_server_program TO {me}"),
    Attack("setting another session's role", f"SET SESSION AUTHORIZATION {VICTIM}"),
    Attack("running a program", "COPY (SELECT 'owned') TO PROGRAM 'cat > {file}'"),
    Attack("reading a program", "CREATE TEMP TABLE o (a text); COPY o FROM PROGRAM 'echo owned > {file}'"),
    Attack("writing a file", "COPY (SELECT 'owned') TO '{file}'"),
    Attack("reading a file", "SELECT pg_read_file('postgresql.conf')"),
    Attack("listing a directory", "SELECT pg_ls_dir('.')"),
    Attack("importing a file", "SELECT lo_import('/etc/passwd')"),
    Attack(
        "exporting to a file",
        "DO $$ DECLARE o oid := lo_from_bytea(0, 'x'); BEGIN PERFORM lo_export(o, '{file}'); END $$",
    ),
    Attack("the server's settings", "ALTER SYSTEM SET archive_command = 'touch {file}'"),
    Attack("reloading", "SELECT pg_reload_conf()"),
    Attack("settings of another database", "ALTER DATABASE postgres SET search_path = trap, pg_catalog"),
    Attack("another database's owner", "ALTER DATABASE postgres OWNER TO {me}"),
    Attack("a database", "CREATE DATABASE hidden"),
    Attack("a tablespace", "CREATE TABLESPACE hidden LOCATION '/tmp'"),
    Attack("an event trigger", "CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION event_function()"),
    Attack("machine code", "CREATE FUNCTION sys(cstring) RETURNS int LANGUAGE c AS 'libc.so.6', 'system'"),
    Attack("an internal function", "CREATE FUNCTION f(internal) RETURNS void LANGUAGE internal AS 'pg_rotate_logfile'"),
    Attack("loading a library", "LOAD '$libdir/auto_explain'"),
    Attack("an extension with access to other servers", "CREATE EXTENSION dblink"),
    Attack("an extension with access to files", "CREATE EXTENSION file_fdw"),
    Attack("a subscription", "CREATE SUBSCRIPTION s CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false)"),
    Attack("a replication slot", "SELECT pg_create_physical_replication_slot('kept')"),
    Attack("ending another session", "SELECT pg_terminate_backend({pid})"),
    Attack("the catalog", "UPDATE pg_authid SET rolsuper = true"),
    Attack("the catalog of another's function", "UPDATE pg_proc SET prosrc = 'pg_reload_conf' WHERE proname = 'now'"),
    Attack("triggers", "SET session_replication_role = replica"),
    Attack("passwords of others", "SELECT rolpassword FROM pg_authid"),
    Attack("the name of the server's file", "SHOW config_file"),
]

STATE = {
    "roles": "SELECT to_jsonb(r) FROM pg_authid r",
    "members": "SELECT roleid::regrole::text, member::regrole::text FROM pg_auth_members",
    "settings": "SELECT setdatabase, setrole::regrole::text, setconfig FROM pg_db_role_setting",
    "databases": "SELECT datname, datdba::regrole::text, datacl::text FROM pg_database",
    "tablespaces": "SELECT spcname FROM pg_tablespace",
    "subscriptions": "SELECT subname FROM pg_subscription",
    "slots": "SELECT slot_name FROM pg_replication_slots",
    "parameters": "SELECT name, setting FROM pg_settings WHERE source = 'configuration file'",
    "file": "SELECT pg_read_file('postgresql.auto.conf')",
    "shared dependencies": "SELECT dbid, classid, count(*) FROM pg_shdepend WHERE dbid < 10000 GROUP BY 1, 2",
}


def server_state(superuser: Target) -> dict[str, list[tuple[Any, ...]]]:
    """Return what belongs to a whole server and not to one of its databases."""
    with connect(superuser, autocommit=True) as connection:
        return {name: sorted(connection.execute(query.encode()).fetchall(), key=str) for name, query in STATE.items()}


def text_of(attack: Attack, *, me: str, file: Path, pid: int = 0) -> str:
    """Return the SQL of an attack by the role `me`."""
    return attack.statement.replace("{me}", me).replace("{file}", str(file)).replace("{pid}", str(pid))


def swallowed(statement: str) -> str:
    """Return a block that resets the role, runs a statement, and goes on whatever comes of it."""
    return (
        "DO $attack$ BEGIN PERFORM set_config('role', 'none', true);"
        f" EXECUTE $statement${statement}$statement$;"
        " EXCEPTION WHEN OTHERS THEN NULL; END $attack$;\n"
    )
