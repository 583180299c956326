"""The configuration files of an embedded server: this program's own parameters and the stack's settings."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from infra.server.certificates import self_signed
from infra.server.file_io import read_untrusted, write_whole
from infra.server.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.server.embedded.account import Account
    from infra.server.embedded.directory import Layout

# Parameters that only this program sets, each with the reason (PostgreSQL manual, 19).
_RESERVED = {
    "listen_addresses": "the embedded server listens on 127.0.0.1 only",
    "port": "the port has a setting of its own",
    "data_directory": "it follows from the data root",
    "config_file": "it is written by this program",
    "hba_file": "it is written by this program",
    "ident_file": "it is written by this program",
    "external_pid_file": "the server is found by the pid file in its data directory",
    "password_encryption": "it is scram-sha-256",
    "db_user_namespace": "user names are meant as they are",
    "bonjour": "the embedded server is not announced on the network",
    "bonjour_name": "the embedded server is not announced on the network",
}
RESERVED_FAMILIES = {
    "include": "settings are written out here, not taken from other files",
    "unix_socket_": "the embedded server has no Unix sockets",
    "ssl": "the server has a certificate of its own",
    "krb_": "authentication is by password (scram-sha-256)",
    "gss_": "authentication is by password (scram-sha-256)",
}

_HBA = f"""\
# Written by platform-postgres: changes made here are lost. PostgreSQL manual, 20.1.
host  all          all  {HOST}/32  scram-sha-256
host  replication  all  {HOST}/32  scram-sha-256
"""


def reserved_reason(name: str) -> str:
    """Return the reason why a stack may not set a parameter; "" when it may."""
    name = name.lower()
    family = next((reason for start, reason in RESERVED_FAMILIES.items() if name.startswith(start)), "")
    return _RESERVED.get(name, family)


def quote_setting(value: str) -> str:
    """Return a value in single quotes, escaped for postgresql.conf (PostgreSQL manual, 19.1.2)."""
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return "'" + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + "'"


def render_settings(settings: Mapping[str, str]) -> str:
    """Return the settings as lines of postgresql.conf, sorted by name."""
    return "".join(f"{name} = {quote_setting(value)}\n" for name, value in sorted(settings.items()))


def default_settings(account: Account) -> dict[str, str]:
    """Return the parameters that are set unless the stack sets them.

    When an ordinary user logs out, systemd removes the POSIX shared memory of the user's processes (PostgreSQL manual,
    18.4.2, RemoveIPC); so the server of such a user keeps its dynamic shared memory in its data directory.
    """
    return {} if account.switch or sys.platform != "linux" else {"dynamic_shared_memory_type": "mmap"}


def render_configuration(layout: Layout, settings: Mapping[str, str], account: Account) -> str:
    """Return embedded.conf: initdb's postgresql.conf, this program's parameters, then the stack's settings."""
    defaults = render_settings(default_settings(account))
    return (
        "# Written by platform-postgres from the stack's settings: changes made here are lost.\n"
        f"include {quote_setting(str(layout.data / 'postgresql.conf'))}\n\n{defaults}\n{render_settings(settings)}"
    )


def command_line(layout: Layout, port: int) -> list[str]:
    """Return the server's arguments: parameters there override the configuration files and ALTER SYSTEM."""
    parameters = {
        "config_file": str(layout.settings),
        "hba_file": str(layout.hba),
        "listen_addresses": HOST,
        "port": str(port),
        "unix_socket_directories": "",
        "ssl": "on",
        "ssl_cert_file": str(layout.certificate),
        "ssl_key_file": str(layout.key),
        "password_encryption": "scram-sha-256",
    }
    return [word for name, value in parameters.items() for word in ("-c", f"{name}={value}")]


def is_written(layout: Layout, settings: Mapping[str, str], account: Account) -> bool:
    """Return whether the files have the content that write_configuration() would write."""
    return (
        read_untrusted(layout.settings) == render_configuration(layout, settings, account)
        and read_untrusted(layout.hba) == _HBA
        and _has_certificate(layout)
    )


def write_configuration(layout: Layout, settings: Mapping[str, str], account: Account) -> None:
    """Write embedded.conf, pg_hba.conf and a missing certificate so that the service account can read them.

    Clients are given the certificate itself, so that one that is there stays.
    """
    owner, mode = ((0, account.gid), 0o640) if account.switch else (None, 0o600)
    write_whole(layout.settings, render_configuration(layout, settings, account), mode=mode, owner=owner)
    write_whole(layout.hba, _HBA, mode=mode, owner=owner)
    if not _has_certificate(layout):
        certificate, key = self_signed([HOST])
        write_whole(layout.key, key, mode=mode, owner=owner)  # one of root's may be 0640 (PostgreSQL manual, 18.9.1)
        write_whole(layout.certificate, certificate, mode=mode, owner=owner)


def _has_certificate(layout: Layout) -> bool:
    return layout.certificate.is_file() and layout.key.is_file()
