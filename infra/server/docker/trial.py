"""A trial of a server's settings and limits: does PostgreSQL start with them in a container with data of its own? (3 s)

Each value may be valid, and the server not start with all of them, or not within the memory: only starting it tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.errors import ServerError
from infra.server.embedded import configuration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.server.docker.engine import Engine

_SECONDS = 60
_STARTED = "== started"
_SCRIPT = f"""
PATH="$(pg_config --bindir):$PATH" && export PATH
cat >/tmp/trial.sh <<'END'
initdb --no-sync --pgdata=/tmp/trial >/tmp/log 2>&1 || exit
printf '%s' "$CONFIGURATION" >>/tmp/trial/postgresql.conf
pg_ctl --pgdata=/tmp/trial --wait --timeout={_SECONDS} --log=/tmp/log \\
    --options='-c listen_addresses= -c unix_socket_directories=/tmp -c log_line_prefix=' start && echo '{_STARTED}'
END
su -m -s /bin/sh postgres -c 'sh /tmp/trial.sh' 2>&1
tail -n 5 /tmp/log
"""
"""`su -m` keeps the environment, in Debian's images and in Alpine's. The container is removed with the server."""


def refuse_what_does_not_start(
    engine: Engine, image: str, settings: Mapping[str, str], *, memory: str | None, shm_size: str
) -> None:
    """Raise ServerError, with the server's last words, where PostgreSQL does not start with these settings and limits.

    `memory` and `shm_size` are sizes as in the settings, such as 512MB.
    """
    limits = {"shm_size": shm_size, **({"mem_limit": memory} if memory else {})}
    output = engine.run(
        image, _SCRIPT, variables={"CONFIGURATION": configuration.render_settings(settings)}, limits=limits
    )
    if _STARTED in output.splitlines():
        return
    said = " / ".join(line.strip() for line in output.splitlines()[-4:] if line.strip())
    within = f" within {memory}" if memory else ""
    raise ServerError(
        f"PostgreSQL does not start with these settings{within}: {said or 'it was killed without a word'}",
        place="server",
        remedy="change server.settings or server.memory; the server was left as it was",
    )
