"""Where the password of an external server's administrator comes from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import ServerError

if TYPE_CHECKING:
    from infra.settings.servers import ExternalSettings


def admin_password(server: ExternalSettings) -> str:
    """Return the administrator's password from where the settings name it, '' for nowhere; raises ServerError."""
    if server.password_variable:
        if server.password_variable not in os.environ:
            raise ServerError(
                "the variable that it names is not set in the environment",
                place="server.password_variable",
                remedy="export it where `pulumi` is started",
            )
        return os.environ[server.password_variable]
    if server.password_file:
        try:
            return Path(server.password_file).expanduser().read_text(encoding="utf-8").splitlines()[0]
        except (OSError, UnicodeDecodeError, IndexError):
            raise ServerError(
                "the file that it names cannot be read, or is empty",
                place="server.password_file",
                remedy="write the password into its first line, readable by you alone",
            ) from None
    return server.password or ""
