"""What a scratch database has in common with the database that it stands for: names, locale, extensions."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - a field's type
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.postgres.connection.pool import Connection

_LIKENESS = """
SELECT pg_catalog.to_jsonb(d) || pg_catalog.jsonb_build_object(
    'encoding', pg_catalog.pg_encoding_to_char(d.encoding),
    'major', pg_catalog.current_setting('server_version_num')::int / 10000,
    'roles', (SELECT pg_catalog.jsonb_agg(rolname ORDER BY rolname) FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_'),
    'tablespaces', (
        SELECT COALESCE(pg_catalog.jsonb_agg(spcname ORDER BY spcname), '[]')
        FROM pg_catalog.pg_tablespace WHERE spcname !~ '^pg_'
    ),
    'collations', (
        SELECT pg_catalog.jsonb_agg(DISTINCT collname)
        FROM pg_catalog.pg_collation
        WHERE collnamespace = 'pg_catalog'::pg_catalog.regnamespace AND collencoding IN (-1, d.encoding)
    ),
    'offered', (SELECT pg_catalog.jsonb_agg(name ORDER BY name) FROM pg_catalog.pg_available_extensions),
    'extensions', (
        SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(
            e.extname, n.nspname, e.extversion) ORDER BY e.oid), '[]')
        FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname <> 'plpgsql'
            AND (pg_catalog.pg_get_userbyid(e.extowner) <> %(owner)s OR e.extname = ANY (%(extensions)s))
    )
)
FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
"""
_PROVIDERS = {"c": "libc", "i": "icu", "b": "builtin"}
_PROVIDERS_SINCE, _ICU_RULES_SINCE = 15, 16


class ScratchExtension(NamedTuple):
    """An extension that is there before modules run; '' for the schema and the version that PostgreSQL chooses."""

    name: str
    schema: str = ""
    version: str = ""


@dataclass(frozen=True)
class Likeness:
    """What a scratch database is to have: names, roles, locale and extensions of the database that it stands for.

    `login` runs the modules as `owner`; `roles` are those of the whole server, `stack_roles` those of this database
    besides owner and login. `offered` are the extensions that its server offers, `extensions` those that are there
    before modules run, and `collations` the system's. `locale` has the options of CREATE DATABASE by their keywords.
    Without values it is like no database in particular.
    """

    database: str = "scratch"
    owner: str = "scratch_owner"
    login: str = "scratch_migrator"
    stack_roles: tuple[str, ...] = ("scratch_migrator", "scratch_app", "scratch_readonly")
    roles: tuple[str, ...] = ()
    tablespaces: tuple[str, ...] = ()
    collations: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    extensions: tuple[ScratchExtension, ...] = ()
    locale: Mapping[str, str] = field(default_factory=dict[str, str])
    major: int = 0


def read_likeness(
    connection: Connection, *, owner: str, login: str, stack_roles: Sequence[str] = (), extensions: Sequence[str] = ()
) -> Likeness:
    """Read what a scratch database is to have in common with the connected one, whose modules run as `owner`.

    An extension that the owner role does not own was there before the modules, as are those that the stack declares
    (`extensions`); modules make the others themselves, in the schema and the version that they name.
    """
    row = connection.execute(_LIKENESS, {"owner": owner, "extensions": list(extensions)}).fetchone()
    database: dict[str, Any] = row[0] if row else {}
    existing = [ScratchExtension(*extension) for extension in database["extensions"]]
    names = {extension.name for extension in existing}
    declared = [ScratchExtension(name) for name in extensions if name not in names]
    return Likeness(
        database=str(database["datname"]),
        owner=owner,
        login=login,
        stack_roles=tuple(stack_roles),
        roles=tuple(database["roles"]),
        tablespaces=tuple(database["tablespaces"]),
        collations=tuple(database["collations"]),
        offered=tuple(database["offered"]),
        extensions=(*existing, *declared),
        locale=locale_options(database),
        major=int(database["major"]),
    )


def shortcomings(connection: Connection, like: Likeness, text: str) -> list[str]:
    """Return what the connected server lacks, of what modules with this text can need in a database like `like`."""
    extensions = {str(row[0]) for row in connection.execute("SELECT name FROM pg_catalog.pg_available_extensions")}
    collations = {str(row[0]) for row in connection.execute("SELECT collname FROM pg_catalog.pg_collation")}
    needed = {extension.name for extension in like.extensions}
    return [
        *(f"extension {name}" for name in like.offered if name not in extensions and (name in needed or name in text)),
        *(f"collation {name}" for name in like.collations if name not in collations and name in text),
    ]


def locale_options(database: Mapping[str, Any]) -> dict[str, str]:
    """Return the options of CREATE DATABASE for the encoding and the locale of a row of pg_database.

    The columns are named as in PostgreSQL 17; before, `datlocale` was `daticulocale`, and before 15 there was none.
    """
    major, provider = int(database["major"]), str(database.get("datlocprovider", "c"))
    options = {
        "ENCODING": str(database["encoding"]),
        "LC_COLLATE": str(database["datcollate"]),
        "LC_CTYPE": str(database["datctype"]),
    }
    if major >= _PROVIDERS_SINCE:
        options["LOCALE_PROVIDER"] = _PROVIDERS.get(provider, provider)
    locale = database.get("datlocale") or database.get("daticulocale")
    if locale:
        options["BUILTIN_LOCALE" if provider == "b" else "ICU_LOCALE"] = str(locale)
    if major >= _ICU_RULES_SINCE and database.get("daticurules"):
        options["ICU_RULES"] = str(database["daticurules"])
    return options


def locale_clause(options: Mapping[str, str]) -> sql.Composable:
    """Return the options of CREATE DATABASE as SQL."""
    return sql.SQL(" ").join(
        sql.SQL("{} = {}").format(sql.SQL(keyword), sql.Literal(value))  # pyright: ignore[reportArgumentType] (ours)
        for keyword, value in options.items()
    )
