"""Connection URIs that every driver reads back as they were meant, and an `.env` file that a shell reads."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from urllib.parse import unquote, urlsplit

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import make_url

from infra.program.connections import SCHEMES, ApplicationConnection, env_lines

APP = ApplicationConnection("shop", "app", "shop_app", "secret", "127.0.0.1", 5432)

# Every character that a URI, a shell or a dotenv reader might take for its own, and some of several bytes.
SPECIAL = [*"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ", "%40", "ä", "€", "😀", "a b", "//", "${HOME}", "$(id)", "'\\''"]


def connection(database: str, role: str = "app", **changed: str) -> ApplicationConnection:
    return replace(APP, **{"database": database, "role": role, "user": f"{database}_{role}", **changed})


def variables(*connections: ApplicationConnection) -> dict[str, str]:
    """Read the lines with `sh` in an empty environment, and return its variables."""
    program = f"{sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    script = f"set -eu; set -a\n{env_lines(connections)}set +a\n{program}"
    done = subprocess.run(["/bin/sh", "-c", script], env={}, check=True, capture_output=True, text=True)
    assert done.stderr == ""
    found: dict[str, str] = json.loads(done.stdout)
    return {name: value for name, value in found.items() if name not in {"PWD", "SHLVL", "_", "OLDPWD", "LC_CTYPE"}}


def test_uris() -> None:
    """A URI has scheme, user, password, host, port and database."""
    assert [APP.uri(scheme) for scheme in SCHEMES.values()] == [
        "postgresql://shop_app:secret@127.0.0.1:5432/shop",
        "postgresql+psycopg://shop_app:secret@127.0.0.1:5432/shop",
        "postgresql+asyncpg://shop_app:secret@127.0.0.1:5432/shop",
    ]


def test_every_special_character_is_percent_encoded() -> None:
    """In user, password and database only letters, digits and -._~ stand for themselves (RFC 3986, 2.3)."""
    special = "".join(SPECIAL)
    uri = connection(special, user=special, password=special).uri("postgresql")
    user, _, rest = uri.removeprefix("postgresql://").partition(":")
    password, _, rest = rest.partition("@")
    database = rest.removeprefix("127.0.0.1:5432/")
    assert user == password == database
    assert user.replace("%", "").replace("-", "").replace(".", "").replace("_", "").replace("~", "").isalnum()
    assert "%2540" in user
    assert "%C3%A4%E2%82%AC%F0%9F%98%80" in user


@pytest.mark.parametrize("special", SPECIAL)
def test_libpq_and_urllib_read_a_uri_back(special: str) -> None:
    """What psycopg, psql and a reader by the RFC take out of the URI is what went in."""
    given = connection(f"d{special}b", user=f"u{special}", password=f"{special}p")
    uri = given.uri(SCHEMES["DSN"])
    assert conninfo_to_dict(uri) == {
        "user": given.user,
        "password": given.password,
        "host": "127.0.0.1",
        "port": "5432",
        "dbname": given.database,
    }
    parts = urlsplit(uri)
    assert (unquote(parts.username or ""), unquote(parts.password or "")) == (given.user, given.password)
    assert (parts.hostname, parts.port, unquote(parts.path)) == ("127.0.0.1", 5432, f"/{given.database}")


@pytest.mark.parametrize("special", SPECIAL)
@pytest.mark.parametrize("ending", ["SQLALCHEMY_URL", "ASYNC_URL"])
def test_sqlalchemy_reads_a_uri_back(ending: str, special: str) -> None:
    """What SQLAlchemy takes out of its URL is what went in; it decodes user and password, and not the database.

    A question mark in a database's name, for which its URLs have no way, is refused among the settings.
    """
    given = connection(f"d{special.replace('?', '')}b", user=f"u{special}", password=f"{special}p")
    url = make_url(given.uri(SCHEMES[ending]))
    assert (url.username, url.password, url.database) == (given.user, given.password, given.database)
    assert (url.drivername, url.host, url.port, url.query) == (SCHEMES[ending], "127.0.0.1", 5432, {})


@pytest.mark.parametrize("host", ["localhost", "db.example.com", "::1", "fe80::1"])
def test_hosts(host: str) -> None:
    """A host is a name or an address; one with colons stands in brackets (RFC 3986, 3.2.2)."""
    given = replace(APP, host=host)
    assert conninfo_to_dict(given.uri(SCHEMES["DSN"]))["host"] == host
    assert urlsplit(given.uri(SCHEMES["DSN"])).hostname == host
    assert make_url(given.uri(SCHEMES["SQLALCHEMY_URL"])).host == host
    assert make_url(given.uri(SCHEMES["SQLALCHEMY_URL"])).port == 5432


def test_libpqs_variables_are_as_they_are() -> None:
    """Environment variables need no encoding."""
    assert replace(APP, password="a b%'").variables() == {
        "PGHOST": "127.0.0.1",
        "PGPORT": "5432",
        "PGDATABASE": "shop",
        "PGUSER": "shop_app",
        "PGPASSWORD": "a b%'",
    }


def test_a_connection_is_shown_without_its_password() -> None:
    """The password is not in what Python prints of a connection."""
    assert "secret" not in repr(APP)
    assert "shop_app" in repr(APP)


def test_the_lines() -> None:
    """The old stack's names for the first database's application role, its tests' URL, then every way into each."""
    shop, test = connection("shop"), connection("shop_test")
    readonly = connection("shop_test", "readonly")
    assert env_lines([connection("shop", "migrator"), shop, test, readonly]) == (
        "POSTGRES_HOST=127.0.0.1\n"
        "POSTGRES_PORT=5432\n"
        "POSTGRES_DB=shop\n"
        "APP_DB_USER=shop_app\n"
        "APP_DB_PASSWORD=secret\n"
        "DATABASE_URL=postgresql+asyncpg://shop_app:secret@127.0.0.1:5432/shop\n"
        "TEST_DATABASE_URL=postgresql+asyncpg://shop_test_app:secret@127.0.0.1:5432/shop_test\n"
        "SHOP_MIGRATOR_DSN=postgresql://shop_migrator:secret@127.0.0.1:5432/shop\n"
        "SHOP_MIGRATOR_SQLALCHEMY_URL=postgresql+psycopg://shop_migrator:secret@127.0.0.1:5432/shop\n"
        "SHOP_MIGRATOR_ASYNC_URL=postgresql+asyncpg://shop_migrator:secret@127.0.0.1:5432/shop\n"
        "SHOP_APP_DSN=postgresql://shop_app:secret@127.0.0.1:5432/shop\n"
        "SHOP_APP_SQLALCHEMY_URL=postgresql+psycopg://shop_app:secret@127.0.0.1:5432/shop\n"
        "SHOP_APP_ASYNC_URL=postgresql+asyncpg://shop_app:secret@127.0.0.1:5432/shop\n"
        "SHOP_TEST_APP_DSN=postgresql://shop_test_app:secret@127.0.0.1:5432/shop_test\n"
        "SHOP_TEST_APP_SQLALCHEMY_URL=postgresql+psycopg://shop_test_app:secret@127.0.0.1:5432/shop_test\n"
        "SHOP_TEST_APP_ASYNC_URL=postgresql+asyncpg://shop_test_app:secret@127.0.0.1:5432/shop_test\n"
        "SHOP_TEST_READONLY_DSN=postgresql://shop_test_readonly:secret@127.0.0.1:5432/shop_test\n"
        "SHOP_TEST_READONLY_SQLALCHEMY_URL=postgresql+psycopg://shop_test_readonly:secret@127.0.0.1:5432/shop_test\n"
        "SHOP_TEST_READONLY_ASYNC_URL=postgresql+asyncpg://shop_test_readonly:secret@127.0.0.1:5432/shop_test\n"
    )


def test_the_first_of_several_test_databases_is_the_tests() -> None:
    """TEST_DATABASE_URL is the first database's whose name ends in _test; without one there is no such line."""
    found = variables(connection("a"), connection("b_test"), connection("c_test"))
    assert found["TEST_DATABASE_URL"].endswith("/b_test")
    assert "TEST_DATABASE_URL" not in variables(connection("a"), connection("tests"))
    assert "TEST_DATABASE_URL" not in variables(connection("a"), connection("b_test", "readonly"))


@pytest.mark.parametrize(
    ("database", "prefix"),
    [("shop", "SHOP"), ("my-shop.2", "MY_SHOP_2"), ("größe", "GR_SSE"), ("2shops", "_2SHOPS"), ("_a_", "A"), ("€", "")],
)
def test_variables_are_named_after_the_database(database: str, prefix: str) -> None:
    """A name is capital letters, digits and underscores and begins with no digit, as a shell wants it."""
    found = variables(connection(database))
    assert found[f"{prefix}_APP_DSN"] == connection(database).uri("postgresql")


def test_databases_whose_names_differ_in_signs_alone_have_variables_of_their_own() -> None:
    """No database's variables replace another's: later ones get a number."""
    names = ["a-b", "a_b", "A.b", "a_b_2"]
    found = variables(*map(connection, names))
    assert [found[f"{prefix}_APP_DSN"].rpartition("/")[2] for prefix in ("A_B", "A_B_2", "A_B_3", "A_B_2_2")] == names


@pytest.mark.parametrize("special", SPECIAL)
def test_a_shell_reads_the_lines_back(special: str) -> None:
    """`sh` takes every value out of the file as it went in, and runs nothing of it."""
    given = connection(f"d{special}b_test", user=f"u{special}", password=f"{special}p")
    found = variables(given)
    assert found["POSTGRES_DB"] == given.database
    assert found["APP_DB_USER"] == given.user
    assert found["APP_DB_PASSWORD"] == given.password
    assert found["DATABASE_URL"] == found["TEST_DATABASE_URL"] == given.uri("postgresql+asyncpg")


def test_a_value_that_needs_no_quotes_has_none() -> None:
    """Readers that know no quotes, such as `docker --env-file`, get generated passwords and plain names as they are."""
    assert "'" not in env_lines([connection("shop", password="aZ09_-.%+")])
    assert "\nAPP_DB_PASSWORD='a b'\n" in env_lines([connection("shop", password="a b")])
    assert "\nAPP_DB_PASSWORD='it'\\''s'\n" in env_lines([connection("shop", password="it's")])


SEVERAL = {"host": "a,b", "port": "1,2", "target_session_attrs": "read-write", "sslmode": "verify-full", "sslkey": "/k"}


def test_several_servers_are_in_every_uri_as_its_driver_takes_them() -> None:
    """Libpq takes a list of hosts; SQLAlchemy takes them as options; the administrator's own key is in none."""
    given = replace(connection("shop", user="u", password="p"), options=SEVERAL)
    assert given.dsn() == "postgresql://u:p@a:1,b:2/shop?sslmode=verify-full&target_session_attrs=read-write"
    assert conninfo_to_dict(given.dsn())["host"] == "a,b"
    url = make_url(given.uri("postgresql+psycopg"))
    assert url.query["host"] == ("a:1", "b:2")
    assert (url.query["sslmode"], url.database) == ("verify-full", "shop")
    url = make_url(given.uri("postgresql+asyncpg"))
    assert (url.query["ssl"], url.query["target_session_attrs"]) == ("verify-full", "read-write")
    assert "sslkey" not in "".join(given.variables())
    assert (given.variables()["PGHOST"], given.variables()["PGPORT"]) == ("a,b", "1,2")
    assert given.variables()["PGSSLMODE"] == "verify-full"


def test_one_port_is_every_hosts() -> None:
    """Libpq uses a single port for all hosts (PostgreSQL manual, 32.1.1.3), and so do the other drivers' URIs."""
    given = replace(connection("shop"), options={"host": "a,b", "port": "6432"})
    assert given.addresses() == [("a", "6432"), ("b", "6432")]


def test_a_directory_of_sockets_is_an_option_of_every_uri() -> None:
    """In a URI's place for the host its slashes would be the database's: all drivers take it as an option."""
    given = replace(connection("shop", user="u", password="p"), host="/run/my sockets", port=5433)
    assert given.dsn() == "postgresql://u:p@/shop?host=/run/my%20sockets&port=5433"
    keywords = conninfo_to_dict(given.dsn())
    assert (keywords["host"], keywords["port"], keywords["dbname"]) == ("/run/my sockets", "5433", "shop")
    for scheme, arguments in (("postgresql+psycopg", PGDialect_psycopg()), ("postgresql+asyncpg", PGDialect_asyncpg())):
        _, options = arguments.create_connect_args(make_url(given.uri(scheme)))  # pyright: ignore[reportUnknownMemberType]
        assert (options["host"], int(options["port"])) == ("/run/my sockets", 5433)
    several = replace(given, options={"host": "/run/a,b", "port": "1,2"})
    assert several.dsn() == "postgresql://u:p@/shop?host=/run/a,b&port=1,2"
    assert conninfo_to_dict(several.dsn())["host"] == "/run/a,b"
