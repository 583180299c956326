"""The server's configuration: what this program decides, what the stack's settings add, and the files they make."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from infra.server.file_io import read_untrusted, write_whole
from infra.server.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.server.embedded.account import Account
    from infra.server.embedded.directory import Layout

# Parameters that this program decides, and why a setting may not (PostgreSQL manual, 19).
_DECIDED = {
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
DECIDED_FAMILIES = {
    "include": "settings are written out here, not taken from other files",
    "unix_socket_": "the embedded server has no Unix sockets",
    "ssl": "on loopback there is no TLS; use the server kind docker or external",
    "krb_": "authentication is by password (scram-sha-256)",
    "gss_": "authentication is by password (scram-sha-256)",
}

_HBA = f"""\
# Written by platform-postgres: changes made here are lost. PostgreSQL manual, 20.1.
host  all          all  {HOST}/32  scram-sha-256
host  replication  all  {HOST}/32  scram-sha-256
"""


def decided(name: str) -> str:
    """Say why a parameter cannot be a setting; "" when it can."""
    name = name.lower()
    family = next((reason for start, reason in DECIDED_FAMILIES.items() if name.startswith(start)), "")
    return _DECIDED.get(name, family)


def quote_setting(value: str) -> str:
    """Give a value as postgresql.conf has it (PostgreSQL manual, 19.1.2): in quotes, these and backslashes escaped."""
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return "'" + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + "'"


def lines(settings: Mapping[str, str]) -> str:
    """Give the settings as lines of postgresql.conf, sorted by name."""
    return "".join(f"{name} = {quote_setting(value)}\n" for name, value in sorted(settings.items()))


def defaults(who: Account) -> dict[str, str]:
    """Give the parameters that are set unless the stack sets them.

    When an ordinary user logs out, systemd removes the shared memory of a server that runs on (PostgreSQL manual,
    18.4.2, RemoveIPC); so such a server keeps it in its data directory.
    """
    return {} if who.switch or sys.platform != "linux" else {"dynamic_shared_memory_type": "mmap"}


def rendered(layout: Layout, settings: Mapping[str, str], who: Account) -> str:
    """Give embedded.conf: initdb's own choices for this machine, this program's, then the stack's settings."""
    return (
        "# Written by platform-postgres from the stack's settings: changes made here are lost.\n"
        f"include {quote_setting(str(layout.data / 'postgresql.conf'))}\n\n{lines(defaults(who))}\n{lines(settings)}"
    )


def command_line(layout: Layout, port: int) -> list[str]:
    """Give the parameters set when the server starts, where neither a file nor ALTER SYSTEM can change them."""
    chosen = {
        "config_file": str(layout.settings),
        "hba_file": str(layout.hba),
        "listen_addresses": HOST,
        "port": str(port),
        "unix_socket_directories": "",
        "ssl": "off",
        "password_encryption": "scram-sha-256",
    }
    return [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]


def is_written(layout: Layout, settings: Mapping[str, str], who: Account) -> bool:
    """Say whether both files are as they should be."""
    return read_untrusted(layout.settings) == rendered(layout, settings, who) and read_untrusted(layout.hba) == _HBA


def write_configuration(layout: Layout, settings: Mapping[str, str], who: Account) -> None:
    """Write both files, for the service account to read."""
    owner, mode = ((0, who.gid), 0o640) if who.switch else (None, 0o600)
    write_whole(layout.settings, rendered(layout, settings, who), mode=mode, owner=owner)
    write_whole(layout.hba, _HBA, mode=mode, owner=owner)
