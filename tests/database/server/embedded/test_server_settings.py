"""Server settings: which need a reload or a restart, which are refused before anything changes, which are undone."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from infra.errors import RefusedError, ServerError, SettingsError
from infra.postgres.connection.connect import connect
from infra.server.embedded import cluster
from infra.server.embedded.directory import read_marker, write_marker
from infra.server.embedded.validation import find_problems, parameter_contexts

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.server.embedded.cluster import ClusterSpec, Running

    StartServer = Callable[[ClusterSpec], Running]
    Shared = tuple[ClusterSpec, Running]

pytestmark = pytest.mark.database

INVALID = "invalid value for parameter"
HIDE = "[not shown]"
UNITS = 'Valid units for this parameter are "B", "kB", "MB", "GB", and "TB".'


def shown(spec: ClusterSpec, running: Running, name: str) -> str:
    target = spec.target(running.port)
    with psycopg.connect(  # a session that has what the server gives it
        host=target.host, port=target.port, user=target.user, password=target.password, dbname=target.database
    ) as connection:
        row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert row
    return row[0]


def with_settings(spec: ClusterSpec, **settings: str) -> ClusterSpec:
    return replace(spec, settings=settings)


def test_applied_from_the_start(spec: ClusterSpec) -> None:
    """Settings given at creation are in force, whatever quotes, backslashes and white space they hold."""
    text = 'it\'s \\ 50% "x"\t\n#end '
    changed_spec = replace(
        spec, settings={"work_mem": "7MB", "max_connections": "17", "own.text": text, "DateStyle": "German"}
    )
    running = cluster.create(changed_spec)
    assert [shown(changed_spec, running, name) for name in ("work_mem", "max_connections")] == ["7MB", "17"]
    assert shown(changed_spec, running, "own.text") == text
    assert shown(changed_spec, running, "DateStyle") == "German, DMY"


def test_reload_where_it_is_enough(spec: ClusterSpec, start_server: StartServer) -> None:
    """A changed, a new and a removed setting take effect in the running server when PostgreSQL allows that."""
    first = with_settings(spec, work_mem="7MB", statement_timeout="1min")
    second = with_settings(spec, work_mem="8MB", log_min_duration_statement="5s")
    running = start_server(first)
    reasons = tuple(
        f"changed setting: {name} needs reload"
        for name in ("log_min_duration_statement", "statement_timeout", "work_mem")
    )
    step = cluster.plan(second)
    assert (step.verb, step.reasons) == ("reload", reasons)
    changed = cluster.ensure(second)
    assert (changed.action, changed.changed, changed.pid) == ("reloaded", reasons, running.pid)
    names = ("work_mem", "statement_timeout", "log_min_duration_statement")
    assert [shown(second, changed, name) for name in names] == ["8MB", "0", "5s"]
    assert (cluster.plan(second).verb, cluster.ensure(second).action) == ("keep", "unchanged")


def test_restart_where_it_is_needed(spec: ClusterSpec, start_server: StartServer) -> None:
    """A parameter that is read at the start needs a restart, which the plan and the result name."""
    running = start_server(spec)
    changed_spec = with_settings(spec, Max_Connections="33", work_mem="8MB")
    reasons = ("changed setting: max_connections needs restart", "changed setting: work_mem needs reload")
    assert (cluster.plan(changed_spec).verb, cluster.plan(changed_spec).reasons) == ("restart", reasons)
    changed = cluster.ensure(changed_spec)
    assert (changed.action, changed.changed, changed.port) == ("restarted", reasons, running.port)
    assert shown(changed_spec, changed, "max_connections") == "33"
    assert cluster.ensure(changed_spec).action == "unchanged"


def test_restart_for_an_extensions_parameter(spec: ClusterSpec, start_server: StartServer) -> None:
    """A parameter of a loaded library is changed too, although --describe-config does not list it."""
    first = with_settings(spec, shared_preload_libraries="pg_stat_statements")
    second = replace(first, settings={**first.settings, "pg_stat_statements.max": "777"})
    start_server(first)
    changed = cluster.ensure(second)
    assert (changed.action, changed.changed) == (
        "restarted",
        ("changed setting: pg_stat_statements.max needs restart",),
    )
    assert shown(second, changed, "pg_stat_statements.max") == "777"


def test_every_wrong_setting_at_once(spec: ClusterSpec, start_server: StartServer) -> None:
    """Unknown names, values, ranges, units, choices and libraries are refused with a line each; nothing is touched."""
    running = start_server(spec)
    wrong = {
        "max_conections": "5",
        "work_mem": "8XB",
        "shared_buffers": "100TB",
        "log_statement": "some",
        "jit": "perhaps",
        "max_connections": "0",
        "block_size": "4096",
        "TimeZone": "Mars/Olympus",
        "shared_preload_libraries": "pg_stat_statements, nolib",
        "listen_addresses": "*",
        "include": "/etc/passwd",
        "ssl_cert_file": "x",
        "bad name": "1",
        "fsync": "off",
        "FSYNC": "on",
    }
    with pytest.raises(SettingsError) as caught:
        cluster.ensure(replace(spec, settings=wrong))
    version = running.version
    assert str(caught.value).splitlines() == [
        f"server {spec.name}: 14 wrong settings; no server and no database was changed",
        '  FSYNC: "on"; is set twice, also as fsync',
        f'  TimeZone: "Mars/Olympus"; {INVALID} "TimeZone": "Mars/Olympus"',
        "  [not shown]: [not shown]; this is not the name of a server parameter",
        '  block_size: "4096"; parameter "block_size" cannot be changed',
        "  include: [not shown]; cannot be set: settings are written out here, not taken from other files",
        '  jit: "perhaps"; parameter "jit" requires a Boolean value',
        "  listen_addresses: [not shown]; cannot be set: the embedded server listens on 127.0.0.1 only",
        f'  log_statement: "some"; {INVALID} "log_statement": "some" (Available values: none, ddl, mod, all.)',
        f"  max_conections: {HIDE}; PostgreSQL {version} has no such parameter, perhaps max_connections is meant",
        '  max_connections: "0"; 0 is outside the valid range for parameter "max_connections" (1 .. 262143)',
        f'  shared_buffers: "100TB"; {INVALID} "shared_buffers": "100TB" (Value exceeds integer range.)',
        f'  shared_preload_libraries: "pg_stat_statements, nolib"; PostgreSQL {running.version} has no library nolib',
        f"  ssl_cert_file: {HIDE}; cannot be set: the server has a certificate of its own",
        f'  work_mem: "8XB"; {INVALID} "work_mem": "8XB" ({UNITS})',
    ]
    assert (cluster.ensure(spec).action, cluster.ensure(spec).pid) == ("unchanged", running.pid)


def test_wrong_settings_before_creation(spec: ClusterSpec) -> None:
    """On a machine without the server, wrong settings are found too, and nothing is made."""
    for act in (cluster.plan, cluster.create):
        with pytest.raises(SettingsError):
            act(with_settings(spec, work_mem="lots"))
    assert not spec.root.exists()


def test_settings_that_do_not_start_are_undone(spec: ClusterSpec, start_server: StartServer) -> None:
    """Settings that are valid each and impossible together give the server's message, and it runs as before."""
    running = start_server(with_settings(spec, work_mem="7MB"))
    changed_spec = with_settings(spec, archive_mode="on", wal_level="minimal", max_wal_senders="0", work_mem="8MB")
    with pytest.raises(ServerError) as caught:
        cluster.ensure(changed_spec)
    assert str(caught.value) == (
        f"{spec.layout.log}: the server did not start: "
        'FATAL:  WAL archival cannot be enabled when "wal_level" is "minimal"; '
        "it runs as before; correct the settings"
    )
    back = cluster.ensure(with_settings(spec, work_mem="7MB"))
    assert (back.action, back.port) == ("unchanged", running.port)
    assert shown(spec, back, "work_mem") == "7MB"


def test_settings_that_do_not_start_at_creation(spec: ClusterSpec) -> None:
    """At creation such settings leave nothing behind."""
    with pytest.raises(ServerError, match="WAL archival cannot be enabled"):
        cluster.create(with_settings(spec, archive_mode="on", wal_level="minimal", max_wal_senders="0"))
    assert not spec.root.exists()


def test_file_changed_by_hand(spec: ClusterSpec, start_server: StartServer) -> None:
    """A configuration file that was edited by hand is written again, and the server reads it."""
    running = start_server(with_settings(spec, work_mem="7MB"))
    changed_spec = with_settings(spec, work_mem="7MB")
    spec.layout.settings.write_text("work_mem = '1GB'\n")
    assert cluster.plan(changed_spec).reasons == ("its configuration files were changed by hand",)
    again = cluster.ensure(changed_spec)
    assert (again.action, again.pid) == ("reloaded", running.pid)
    assert shown(changed_spec, again, "work_mem") == "7MB"


def test_alter_system_cannot_open_the_server(spec: ClusterSpec, start_server: StartServer) -> None:
    """ALTER SYSTEM cannot change the parameters that only this program sets: address, port, sockets, pg_hba.conf."""
    running = start_server(spec)
    with connect(spec.target(running.port), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET listen_addresses = '*'")
        connection.execute("ALTER SYSTEM SET port = 1")
        connection.execute("ALTER SYSTEM SET hba_file = '/nowhere'")
        connection.execute("ALTER SYSTEM SET unix_socket_directories = '/tmp'")
    cluster.stop(spec.layout.base, owner=spec.owner)
    again = cluster.ensure(spec)
    assert again.port == running.port
    assert shown(spec, again, "listen_addresses") == "127.0.0.1"
    assert shown(spec, again, "unix_socket_directories") == ""


@pytest.mark.full
def test_clients_that_ask_for_it_know_the_server_by_its_certificate(
    spec: ClusterSpec, start_server: StartServer
) -> None:
    """By verify-full, and without TLS as well; removed files are made again, and clients are given the new one."""
    running = start_server(spec)
    file, key = Path(cluster.certificate_of(spec.layout.base)), spec.layout.key
    assert stat.S_IMODE(key.stat().st_mode) & 0o037 == 0
    known = {"sslmode": "verify-full", "sslrootcert": str(file)}
    encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"

    def asked(options: dict[str, str]) -> tuple[bool, ...] | None:
        target = spec.target(running.port)
        with connect(replace(target, options={**target.options, **options})) as connection:
            return connection.execute(encrypted).fetchone()

    assert (asked(known), asked({})) == ((True,), (False,))
    former = file.read_text()
    key.unlink()
    assert cluster.plan(spec).reasons == ("its configuration files were changed by hand",)
    assert cluster.ensure(spec).action == "reloaded"
    assert file.read_text() != former
    assert asked(known) == (True,)
    marker = read_marker(spec.layout.base)
    assert marker
    write_marker(spec.layout.base, replace(marker, tls=False))  # as an earlier version has left it
    assert cluster.plan(spec).reasons == ("it has no certificate",)
    assert cluster.ensure(spec).action == "restarted"
    assert cluster.plan(spec).verb == "keep"


def test_contexts_are_the_servers_own(shared: Shared) -> None:
    """The contexts of --describe-config are those of pg_settings."""
    spec, running = shared
    contexts = parameter_contexts(running.distribution)
    with connect(spec.target(running.port)) as connection:
        rows = connection.execute("SELECT lower(name), context, category FROM pg_settings").fetchall()
    live = {name: context for name, context, _ in rows}
    assert len(contexts) > 300
    assert {name: context for name, context in contexts.items() if live[name] != context} == {}
    unknown = {name: category for name, context, category in rows if context == "postmaster" and name not in contexts}
    assert unknown.pop("config_file")  # only this program sets it
    assert set(unknown.values()) == {"Developer Options"}


def test_developers_parameters_are_known(shared: Shared) -> None:
    """A parameter that --describe-config leaves out is accepted, and its value is validated."""
    _, running = shared
    assert find_problems(running.distribution, {"zero_damaged_pages": "on"}) == []
    assert len(find_problems(running.distribution, {"zero_damaged_pages": "maybe"})) == 1


def test_run_as_is_fixed(spec: ClusterSpec, start_server: StartServer) -> None:
    """The account that runs the server is decided at creation."""
    if os.geteuid() != 0:
        pytest.skip("only root chooses an account")
    start_server(spec)
    with pytest.raises(RefusedError, match="run_as was platform-postgres when this server was created"):
        cluster.ensure(replace(spec, run_as="nobody"))
