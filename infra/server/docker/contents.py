"""What is in two servers in containers that stand side by side for a moment: dumped, restored, counted, compared.

All of it is said to programs in the newer container; both servers listen on sockets in a volume that the two share.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.catalog.catalog import Catalog, catalog_of
from infra.catalog.difference import Difference, differences
from infra.errors import RefusedError, ServerError
from infra.postgres.ledger.relocation import MOVE, queries_as_json, reread

if TYPE_CHECKING:
    from infra.server.docker.engine import Engine

SHARED_VOLUME = "/upgrade"
"""Where the shared volume stands in both containers: sockets, and the dump that stays."""
OLD, NEW = "old", "new"
_NAMED = 5
AT_ONCE = 100
_SYSTEM = "n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'"

DATABASES = """
SELECT json_agg(json_build_array(datname, oid::int8, datallowconn) ORDER BY oid)
FROM pg_database WHERE datname <> 'template0'
"""
IDENTIFIER = "SELECT system_identifier::text FROM pg_control_system()"
HAS_LEDGER = "SELECT to_regclass('sqlmodule.identity') IS NOT NULL"
_ROLES = """
SELECT json_agg(json_build_array(rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication,
    rolbypassrls, rolconnlimit, rolpassword, ARRAY(
        SELECT roleid::regrole::text FROM pg_auth_members m WHERE m.member = a.oid ORDER BY 1)) ORDER BY rolname)
FROM pg_authid a WHERE rolname !~ '^pg_'
"""
OWNERS = """
SELECT json_agg(json_build_array(datname, pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype)
    ORDER BY datname) FROM pg_database
"""
_TABLES = f"""
SELECT coalesce(json_agg(c.oid::regclass::text ORDER BY 1), '[]') FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm') AND {_SYSTEM}
"""
SEQUENCES = "SELECT coalesce(json_agg(s ORDER BY schemaname, sequencename), '[]') FROM pg_sequences s"

VIEW = "BEGIN; SET LOCAL search_path = ''; SELECT to_json(pg_get_viewdef('{name}'::regclass)); COMMIT"
REREAD = """
BEGIN; SET LOCAL search_path = ''; CREATE TEMPORARY VIEW reread AS {query};
SELECT to_json(pg_get_viewdef('pg_temp.reread'::regclass)); ROLLBACK
"""

ASK = 'psql -X -A -t -q -v ON_ERROR_STOP=1 -h "$SHARED/$SIDE" -c "$QUERY"'
DUMP_ROLES = 'umask 077; pg_dumpall -h "$SHARED/old" --globals-only -f "$SHARED/dump/globals.sql"'
DUMP = 'umask 077; pg_dump -h "$SHARED/old" --format custom -f "$SHARED/dump/$FILE"'
RESTORE_ROLES = """
grep -vx "CREATE ROLE $PGUSER;" "$SHARED/dump/globals.sql" | psql -X -q -v ON_ERROR_STOP=1 -h "$SHARED/new" -d template1
"""
RESTORE = """
pg_restore -h "$SHARED/new" --exit-on-error --clean --if-exists --create -d "$OTHER" "$SHARED/dump/$FILE"
"""
ANALYZE = 'vacuumdb -h "$SHARED/new" --all --analyze-only --quiet'


@dataclass(frozen=True)
class DumpedDatabase:
    """One database of the older server, and the file that its dump has."""

    name: str
    oid: int

    @property
    def file(self) -> str:
        return f"{self.oid}-{re.sub('[^A-Za-z0-9_]', '_', self.name)[:60]}.dump"


@dataclass(frozen=True)
class Proof:
    """That all is equal: how many rows there are, and what the newer version writes in other words, by database."""

    rows: int
    rewritten: dict[str, list[Difference]]


@dataclass(frozen=True)
class ServerContents:
    """Both servers, asked by the programs of the container `inside`, as the administrator `user`."""

    engine: Engine
    inside: str
    user: str

    def databases(self) -> list[DumpedDatabase]:
        """Give the databases of the older server; raises RefusedError for one that nobody may enter."""
        rows = json.loads(self._ask(OLD, "template1", DATABASES))
        for name, _, enters in rows:
            if not enters:
                raise RefusedError("allows no connections, so it cannot be dumped", place=f"database {name}")
        return [DumpedDatabase(name, oid) for name, oid, _ in rows]

    def dump(self, databases: list[DumpedDatabase]) -> None:
        """Write the roles, and every database into a file of its own, into the shared volume."""
        self._run("pg_dumpall", DUMP_ROLES)
        for one in databases:
            self._run(f"pg_dump of database {one.name}", DUMP, PGDATABASE=one.name, FILE=one.file)

    def restore(self, databases: list[DumpedDatabase]) -> None:
        """Make roles and databases in the newer server, with fresh statistics."""
        self._run("restoring the roles", RESTORE_ROLES)
        for one in databases:
            other = "postgres" if one.name == "template1" else "template1"
            self._run(f"pg_restore of database {one.name}", RESTORE, OTHER=other, FILE=one.file)
        self._run("vacuumdb", ANALYZE)

    def prove_equal(self, databases: list[DumpedDatabase]) -> Proof:
        """Compare roles, owners, catalogs, rows and sequences; raises RefusedError where anything differs."""
        for what, query in (("the roles", _ROLES), ("the databases", OWNERS)):
            if self._ask(OLD, "template1", query) != self._ask(NEW, "template1", query):
                raise RefusedError(f"{what} differ after the restore", place="dump-restore")
        rewritten = {one.name: self._prove_catalog(one) for one in databases}
        return Proof(sum(self._prove_rows(one) for one in databases), rewritten)

    def hand_over(self, databases: list[DumpedDatabase], proof: Proof) -> None:
        """Tell the ledgers which server and database they are in now; a ledger of somewhere else stays foreign."""
        before = self._ask(OLD, "template1", IDENTIFIER)
        for one in databases:
            if self._ask(NEW, one.name, HAS_LEDGER) == "t":
                self._ask(NEW, one.name, MOVE.format(system_identifier=int(before), database=one.oid))
                for each in proof.rewritten[one.name]:
                    self._ask(NEW, one.name, reread(each))

    def _prove_catalog(self, one: DumpedDatabase) -> list[Difference]:
        """Give the objects that the newer version writes in other words, all others being equal."""
        found = differences(self._catalog(OLD, one), self._catalog(NEW, one))
        wrong = [each for each in found if not self._is_same_view(one, each)]
        if wrong:
            named = ", ".join(f"{each.identity} is {each.verdict}" for each in wrong[:_NAMED])
            more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
            raise RefusedError(f"differs after the restore: {named}{more}", place=f"database {one.name}")
        return found

    def _is_same_view(self, one: DumpedDatabase, found: Difference) -> bool:
        """Say whether the newer server, told a view in the older one's words, says what it says of the restored one."""
        if not found.identity.kind.endswith("view") or found.expected is None or found.found is None:
            return False
        query = VIEW.format(name=found.identity.name.replace("'", "''"))
        before, after = (json.loads(self._ask(side, one.name, query)) for side in (OLD, NEW))
        same = json.loads(self._ask(NEW, one.name, REREAD.format(query=before.rstrip(" ;")))) == after
        return same and found.expected.removeprefix(before) == found.found.removeprefix(after)

    def _prove_rows(self, one: DumpedDatabase) -> int:
        rows, restored = self._rows(OLD, one), self._rows(NEW, one)
        wrong = [table for table, count in rows.items() if restored.get(table) != count]
        if wrong or self._ask(OLD, one.name, SEQUENCES) != self._ask(NEW, one.name, SEQUENCES):
            what = f"rows of {', '.join(wrong[:_NAMED])}" if wrong else "sequences"
            raise RefusedError(f"differs after the restore: {what}", place=f"database {one.name}")
        return sum(rows.values())

    def _catalog(self, side: str, one: DumpedDatabase) -> Catalog:
        """Read a catalog; an extension has the version that its server brings, so that alone may differ."""
        rows: list[tuple[str, str, str]] = [
            (kind, name, definition)
            for query in queries_as_json()
            for kind, name, definition in json.loads(self._ask(side, one.name, query))
            if kind != "extension version"
        ]
        return catalog_of(rows)

    def _rows(self, side: str, one: DumpedDatabase) -> dict[str, int]:
        tables: list[str] = json.loads(self._ask(side, one.name, _TABLES))
        counted: dict[str, int] = {}
        for start in range(0, len(tables), AT_ONCE):
            some = tables[start : start + AT_ONCE]
            counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in some)
            numbers: list[int] = json.loads(self._ask(side, one.name, f"SELECT json_build_array({counts})"))
            counted |= dict(zip(some, numbers, strict=True))
        return counted

    def _ask(self, side: str, database: str, query: str) -> str:
        return self._run(f"asking database {database}", ASK, SIDE=side, PGDATABASE=database, QUERY=query)

    def _run(self, what: str, script: str, **variables: str) -> str:
        given: dict[str, Any] = {
            "SHARED": SHARED_VOLUME,
            "PGUSER": self.user,
            "PGOPTIONS": "-c client_min_messages=error",
            **variables,
        }
        status, said = self.engine.execute(
            self.inside, f"set -e; {script}", user=self.user, variables=given, seconds=None
        )
        if status:
            raise ServerError(f"failed: {' / '.join(said.splitlines()[-3:])}", place=what)
        return said
