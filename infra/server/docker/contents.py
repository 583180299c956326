"""The contents of two servers in containers side by side: dumped from the older, restored in the newer, compared.

The administrator runs nothing of the databases' owners: it reads catalogs, and counts rows by COPY.
Every command runs in the newer container, with its programs: pg_dump has to be at least as new as the server that it
reads (PostgreSQL manual, pg_dump, Notes). Both servers listen on sockets in a volume that the two containers share.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.catalog.catalog import Catalog, catalog_of
from infra.catalog.difference import Difference, differences
from infra.errors import RefusedError, ServerError
from infra.postgres.connection.session_settings import SESSION_SETTINGS, startup_options
from infra.postgres.ledger.relocation import RELOCATE, catalog_queries_as_json, replace_definition
from infra.server.docker.restore_order import entries_of_database, restore_runs

if TYPE_CHECKING:
    from collections.abc import Generator

    from infra.server.docker.engine import Engine

SHARED_VOLUME = "/upgrade"
"""The mount point of the shared volume in both containers; it holds the sockets, and the dump, which is kept."""
OLD, NEW = "old", "new"
_NAMED = 5
_TABLES_PER_QUERY = 100
_ENTRIES_PER_VARIABLE = 8_000
_LOGIN = "platform_postgres_move"
_USER_SCHEMAS = "n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'"

_DATABASES = """
SELECT json_agg(json_build_array(datname, oid::int8, datallowconn) ORDER BY oid)
FROM pg_database WHERE datname <> 'template0'
"""
_IDENTIFIER = "SELECT system_identifier::text FROM pg_control_system()"
_LEDGERS_OWNER = """
SELECT json_build_array(rolname, rolsuper) FROM pg_class c JOIN pg_roles r ON r.oid = relowner
WHERE c.oid = to_regclass('sqlmodule.identity')
"""
_ROLE_NAMES = "SELECT json_agg(json_build_array(rolname, rolsuper)) FROM pg_roles"
_ROLES = """
SELECT json_agg(json_build_array(rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication,
    rolbypassrls, rolconnlimit, rolpassword, ARRAY(
        SELECT roleid::regrole::text FROM pg_auth_members m WHERE m.member = a.oid ORDER BY 1)) ORDER BY rolname)
FROM pg_authid a WHERE rolname !~ '^pg_'
"""
_OWNERS = """
SELECT json_agg(json_build_array(datname, pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype)
    ORDER BY datname) FROM pg_database
"""
_TABLES = f"""
SELECT coalesce(json_agg(json_build_array(c.oid::regclass::text, (
    SELECT coalesce(min(format('(%I)', attname)), '') FROM (
        SELECT attname FROM pg_attribute a
        WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        ORDER BY attlen < 0, attlen, attnum LIMIT 1) narrowest))), '[]')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND {_USER_SCHEMAS}
"""
"""Tables with their narrowest column; a materialized view has been computed from them."""
_SEQUENCES = "SELECT coalesce(json_agg(s ORDER BY schemaname, sequencename), '[]') FROM pg_sequences s"

_VIEW_DEFINITION = "BEGIN; SET LOCAL search_path = ''; SELECT to_json(pg_get_viewdef('{name}'::regclass)); COMMIT"
_RECREATED_DEFINITION = """
BEGIN; SET LOCAL search_path = ''; CREATE TEMPORARY VIEW reread AS {query};
SELECT to_json(pg_get_viewdef('pg_temp.reread'::regclass)); ROLLBACK
"""

_QUERY = 'psql -X -A -t -q -v ON_ERROR_STOP=1 -h "$SHARED/$SIDE" -c "$QUERY"'
_DUMP_ROLES = 'umask 077; pg_dumpall -h "$SHARED/old" --globals-only -f "$SHARED/dump/globals.sql"'
_DUMP = 'umask 077; pg_dump -h "$SHARED/old" --format custom -f "$SHARED/dump/$FILE"'
_RESTORE_ROLES = """
grep -vx "CREATE ROLE $PGUSER;" "$SHARED/dump/globals.sql" | psql -X -q -v ON_ERROR_STOP=1 -h "$SHARED/new" -d template1
"""
_LIST = 'pg_restore --list --create "$SHARED/dump/$FILE"'
_CHOOSE = 'printf "%s" "$NUMBERS" >>/tmp/entries'
_RESTORE = """
pg_restore -h "$SHARED/new" --exit-on-error -d "$PGDATABASE" --use-list=/tmp/entries $WAYS "$SHARED/dump/$FILE"
rm /tmp/entries
"""
_COUNT = 'printf "%s" "$QUERY" | psql -X -A -t -q -v ON_ERROR_STOP=1 -h "$SHARED/$SIDE"'
_ANALYZE = 'vacuumdb -h "$SHARED/new" --all --analyze-only --quiet'


@dataclass(frozen=True)
class DumpedDatabase:
    """A database of the older server."""

    name: str
    oid: int

    @property
    def file(self) -> str:
        """The name of the file of its dump."""
        return f"{self.oid}-{re.sub('[^A-Za-z0-9_]', '_', self.name)[:60]}.dump"


@dataclass(frozen=True)
class ContentsComparison:
    """The result of a comparison without faults: the count of all rows, and the definitions that the newer version
    writes in other words, by database.
    """

    rows: int
    rewritten: dict[str, list[Difference]]


@dataclass(frozen=True)
class ServerContents:
    """Both servers, reached from the container `container` as the administrator `user`."""

    engine: Engine
    container: str
    user: str

    def databases(self) -> list[DumpedDatabase]:
        """Return the databases of the older server; raise RefusedError for one that allows no connections."""
        rows = json.loads(self._query(OLD, "template1", _DATABASES))
        for name, _, allows_connections in rows:
            if not allows_connections:
                raise RefusedError("allows no connections, so it cannot be dumped", place=f"database {name}")
        return [DumpedDatabase(name, oid) for name, oid, _ in rows]

    def dump(self, databases: list[DumpedDatabase]) -> None:
        """Write the roles, and each database into a file of its own, into the shared volume."""
        self._run("pg_dumpall", _DUMP_ROLES)
        for database in databases:
            self._run(f"pg_dump of database {database.name}", _DUMP, PGDATABASE=database.name, FILE=database.file)

    def restore(self, databases: list[DumpedDatabase]) -> None:
        """Create roles and databases in the newer server, and collect statistics."""
        self._run("restoring the roles", _RESTORE_ROLES)
        roles = [(name, is_superuser) for name, is_superuser in json.loads(self._query(OLD, "template1", _ROLE_NAMES))]
        for database in databases:
            listed = self._run(f"the list of the dump of database {database.name}", _LIST, FILE=database.file)
            other = "postgres" if database.name == "template1" else "template1"
            ways = "--create --clean --if-exists"
            self._restore(database, entries_of_database(listed), PGDATABASE=other, WAYS=ways)
            for owner, entries in restore_runs(listed, roles):
                with self._acting_for(owner, database) as user:
                    self._restore(database, entries, PGDATABASE=database.name, WAYS="", PGUSER=user)
        self._run("vacuumdb", _ANALYZE)

    def compare(self, databases: list[DumpedDatabase]) -> ContentsComparison:
        """Compare roles, owners, catalogs, rows and sequences; raise RefusedError where anything differs."""
        for objects, query in (("the roles", _ROLES), ("the databases", _OWNERS)):
            if self._query(OLD, "template1", query) != self._query(NEW, "template1", query):
                raise RefusedError(f"{objects} differ after the restore", place="dump-restore")
        rewritten = {database.name: self._compare_catalog(database) for database in databases}
        return ContentsComparison(sum(self._compare_rows(database) for database in databases), rewritten)

    def relocate_ledgers(self, databases: list[DumpedDatabase], comparison: ContentsComparison) -> None:
        """Record in each ledger the newer server and database, unless it names another server than the older one."""
        before = self._query(OLD, "template1", _IDENTIFIER)
        for database in databases:
            found = self._query(NEW, database.name, _LEDGERS_OWNER)
            if found:
                owner, is_superuser = json.loads(found)
                relocate = RELOCATE.format(system_identifier=int(before), database=database.oid)
                with self._acting_for("" if is_superuser else owner, database) as user:
                    for statement in (relocate, *map(replace_definition, comparison.rewritten[database.name])):
                        self._query(NEW, database.name, statement, PGUSER=user)

    def _compare_catalog(self, database: DumpedDatabase) -> list[Difference]:
        """Return the views that the newer version writes in other words; all other objects are equal."""
        found = differences(self._catalog(OLD, database), self._catalog(NEW, database))
        wrong = [difference for difference in found if not self._is_same_view(database, difference)]
        if wrong:
            named = ", ".join(f"{difference.identity} is {difference.verdict}" for difference in wrong[:_NAMED])
            more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
            raise RefusedError(f"differs after the restore: {named}{more}", place=f"database {database.name}")
        return found

    def _is_same_view(self, database: DumpedDatabase, difference: Difference) -> bool:
        """Return whether the older server's definition of a view becomes, in the newer one, that of the restored view.

        Versions of PostgreSQL write the same query differently (pg_get_viewdef); so the newer server parses the older
        definition, and both are compared as it writes them.
        """
        expected, found = difference.expected, difference.found
        if not difference.identity.kind.endswith("view") or expected is None or found is None:
            return False
        query = _VIEW_DEFINITION.format(name=difference.identity.name.replace("'", "''"))
        before, after = (json.loads(self._query(side, database.name, query)) for side in (OLD, NEW))
        recreated = self._query(NEW, database.name, _RECREATED_DEFINITION.format(query=before.rstrip(" ;")))
        return json.loads(recreated) == after and expected.removeprefix(before) == found.removeprefix(after)

    def _compare_rows(self, database: DumpedDatabase) -> int:
        rows, restored = self._row_counts(OLD, database), self._row_counts(NEW, database)
        wrong = [table for table, count in rows.items() if restored.get(table) != count]
        if wrong or self._query(OLD, database.name, _SEQUENCES) != self._query(NEW, database.name, _SEQUENCES):
            objects = f"rows of {', '.join(wrong[:_NAMED])}" if wrong else "sequences"
            raise RefusedError(f"differs after the restore: {objects}", place=f"database {database.name}")
        return sum(rows.values())

    def _catalog(self, side: str, database: DumpedDatabase) -> Catalog:
        """Return a database's catalog without the versions of extensions, which each server brings along."""
        rows: list[tuple[str, str, str]] = [
            (kind, name, definition)
            for query in catalog_queries_as_json()
            for kind, name, definition in json.loads(self._query(side, database.name, query))
            if kind != "extension version"
        ]
        return catalog_of(rows)

    def _row_counts(self, side: str, database: DumpedDatabase) -> dict[str, int]:
        tables: list[tuple[str, str]] = json.loads(self._query(side, database.name, _TABLES))
        counts: dict[str, int] = {}
        for start in range(0, len(tables), _TABLES_PER_QUERY):
            batch = tables[start : start + _TABLES_PER_QUERY]
            script = "".join(f"\\o |wc -l\nCOPY {table} {column} TO STDOUT;\n\\o\n" for table, column in batch)
            found = self._run(
                f"counting rows of database {database.name}", _COUNT, SIDE=side, PGDATABASE=database.name, QUERY=script
            )
            counts |= {table: int(count) for (table, _), count in zip(batch, found.split(), strict=True)}
        return counts

    @contextmanager
    def _acting_for(self, owner: str, database: DumpedDatabase) -> Generator[str]:
        """Yield a login in the newer server that belongs to a role alone; for '' the administrator.

        What the role's functions do as this login ends with it.
        """
        login, inside = _quoted(_LOGIN), _quoted(database.name)
        if not owner:
            yield self.user
            return
        self._query(NEW, "template1", f"CREATE ROLE {login} LOGIN IN ROLE {_quoted(owner)}")
        self._query(NEW, "template1", f"GRANT CONNECT ON DATABASE {inside} TO {login}")
        yield _LOGIN
        self._query(NEW, database.name, f"DROP OWNED BY {login}")
        self._query(NEW, "template1", f"DROP ROLE {login}")

    def _restore(self, database: DumpedDatabase, entries: list[str], **variables: str) -> None:
        """Restore entries of a dump; a variable of a container's process is at most 128 KB long."""
        action = f"pg_restore of database {database.name}"
        for start in range(0, len(entries), _ENTRIES_PER_VARIABLE):
            part = entries[start : start + _ENTRIES_PER_VARIABLE]
            self._run(action, _CHOOSE, NUMBERS="".join(f"{number};\n" for number in part))
        self._run(action, _RESTORE, FILE=database.file, **variables)

    def _query(self, side: str, database: str, query: str, **variables: str) -> str:
        action = f"a query in database {database}"
        return self._run(action, _QUERY, SIDE=side, PGDATABASE=database, QUERY=query, **variables)

    def _run(self, action: str, script: str, **variables: str) -> str:
        environment = {
            "SHARED": SHARED_VOLUME,
            "PGUSER": self.user,
            "PGOPTIONS": startup_options({**SESSION_SETTINGS, "client_min_messages": "error"}),
            **variables,
        }
        status, output = self.engine.execute(
            self.container, f"set -e; {script}", user=self.user, variables=environment, seconds=None
        )
        if status:
            raise ServerError(f"failed: {' / '.join(output.splitlines()[-3:])}", place=action)
        return output


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
