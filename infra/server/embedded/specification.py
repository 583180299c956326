"""The specification of a server (ClusterSpec), a running server (Running), and the default place of its files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping  # noqa: TC003 - a field's type
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from infra.errors import ServerError
from infra.postgres.connection.target import ADMIN_USER, MAINTENANCE_DATABASE, REQUIRE_SCRAM, Target
from infra.server.embedded.directory import Layout
from infra.server.embedded.distribution import Distribution  # noqa: TC001 - a field's type
from infra.server.ports import HOST

APPLICATION = "platform-postgres"
LOWEST_PORT, HIGHEST_PORT = 1024, 65_535
LONGEST_IDENTIFIER = 63
SHELL_SPECIAL = "\"'$`\\\n"  # pg_ctl hands its command line to a shell between double quotes

CONNECTION_OPTIONS = {"sslmode": "disable", "gssencmode": "disable", **REQUIRE_SCRAM}

Action = Literal["created", "adopted", "started", "restarted", "reloaded", "unchanged"]


def default_root() -> Path:
    """Return the directory of all servers: below /var/lib for root, below XDG_STATE_HOME for any other user."""
    if os.geteuid() == 0:
        return Path("/var/lib", APPLICATION)
    state = os.environ.get("XDG_STATE_HOME", "")
    return (Path(state) if os.path.isabs(state) else Path.home() / ".local" / "state") / APPLICATION  # noqa: PTH117


@dataclass(frozen=True)
class ClusterSpec:
    """The specification of one server.

    `name` is its directory below `root`; `owner` is a text that names its stack and project: no other owner may adopt
    or remove it. `port` 0: choose a free one and keep it. `run_as` and `bin_dir`: see service_account() and locate().
    `settings` maps a server parameter to its value as in postgresql.conf, without quotes. `ctype` "" means C.UTF-8, or
    the platform's replacement for it. Fixed at creation: run_as, admin_user, encoding, locale and ctype.
    """

    name: str
    owner: str
    admin_password: str = field(repr=False)
    root: Path = field(default_factory=default_root)
    bin_dir: Path | None = None
    port: int = 0
    run_as: str = ""
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    admin_user: str = ADMIN_USER
    encoding: str = "UTF8"
    locale: str = "C"
    ctype: str = ""

    @property
    def layout(self) -> Layout:
        """Return the paths of its files, with symbolic links resolved, as the kernel names working directories."""
        return Layout(self.root.resolve() / self.name)

    def target(self, port: int) -> Target:
        """Return the admin's connection to the maintenance database."""
        return Target(HOST, port, MAINTENANCE_DATABASE, self.admin_user, self.admin_password, CONNECTION_OPTIONS)


@dataclass(frozen=True)
class Running:
    """A server that runs and has accepted the admin's password; `changed` has the reasons for `action`."""

    host: str
    port: int
    pid: int
    version: str
    data_directory: Path
    log_file: Path
    system_identifier: str
    distribution: Distribution
    action: Action = "unchanged"
    changed: tuple[str, ...] = ()


def refuse_invalid(spec: ClusterSpec) -> None:
    """Raise ServerError for a specification that is invalid on every machine; only the values are checked."""
    path = str(spec.layout.base)
    rules = (
        (
            re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}", spec.name)
            and spec.name != "dist"
            and not spec.name.endswith(".lock"),
            f"name {spec.name!r}",
            "letters, digits, '.', '_' and '-' are allowed, 120 at most, and not 'dist' or '*.lock'",
        ),
        (
            spec.root.is_absolute() and not set(path) & set(SHELL_SPECIAL),
            f"data root {str(spec.root)!r}",
            "an absolute path without quotes, '$', '`' and '\\' is required",
        ),
        (
            spec.port == 0 or LOWEST_PORT <= spec.port <= HIGHEST_PORT,
            f"port {spec.port}",
            f"0 (choose one) or {LOWEST_PORT} to {HIGHEST_PORT} is required",
        ),
        (
            re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", spec.admin_user)
            and not spec.admin_user.startswith("pg_")
            and len(spec.admin_user) <= LONGEST_IDENTIFIER,
            f"admin user {spec.admin_user!r}",
            "letters, digits and '_' are allowed, 63 at most, and not 'pg_' in front",
        ),
        (
            spec.admin_password and not set(spec.admin_password) & set("\0\r\n"),
            "admin password",
            "it must not be empty, and must not contain NUL or a line break",
        ),
        (spec.owner, "owner", "it must not be empty"),
    )
    for is_valid, place, required in rules:
        if not is_valid:
            raise ServerError("cannot be used", place=place, remedy=required)
