"""Where modules are run to be compared: on a private server like the stack's, else on the stack's own server."""

from __future__ import annotations

import atexit
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from infra.errors import InfraError
from infra.postgres.apply.likeness import shortcomings
from infra.postgres.apply.scratch import scratch_database, session_likeness
from infra.postgres.connection.connect import connect
from infra.server.embedded.distribution import locate
from infra.server.embedded.specification import default_root
from infra.server.scratch.private_server import PrivateServer, private_server

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from contextlib import AbstractContextManager

    from infra.postgres.apply.likeness import Likeness
    from infra.postgres.connection.scratch_target import ScratchTarget
    from infra.postgres.connection.session import Session

_servers: dict[PrivateSource, PrivateServer | str] = {}
"""The private servers of this process, which end with it, or why one did not start."""
_running = ExitStack()
atexit.register(_running.close)


@dataclass(frozen=True)
class PrivateSource:
    """Where a private server gets its programs: from a folder, else from the wheel, copied below the data root."""

    bin_dir: str = ""
    data_root: str = ""


def scratch_provider(source: Mapping[str, str]) -> Callable[[Session], AbstractContextManager[ScratchTarget]]:
    """Return a function that provides a scratch database for a session; `source` has the values of PrivateSource."""
    return partial(_provide, PrivateSource(**source))


@contextmanager
def _provide(source: PrivateSource, session: Session) -> Generator[ScratchTarget]:
    """Yield a scratch database on a private server or, with a message that says why, on the session's server."""
    like = session_likeness(session)
    text = "\n".join(module.text for module in session.read_modules())
    server = _private_server(source, like, text)
    if isinstance(server, PrivateServer):
        with server.database(like, seconds=session.statement_timeout) as scratch:
            yield scratch
    else:
        session.tell(f"modules are compared on the server itself, as a login without rights, because {server}")
        with scratch_database(session.admin, like, seconds=session.statement_timeout) as scratch:
            yield scratch


def _private_server(source: PrivateSource, like: Likeness, text: str) -> PrivateServer | str:
    """Return a private server that has what modules can need, which this process starts once; else why there is none.

    It is of the same major version: another one could run modules otherwise, and write definitions otherwise.
    """
    bin_dir = Path(source.bin_dir) if source.bin_dir else None
    try:
        major = locate(bin_dir).major
        if major != like.major:
            return f"there are no programs of PostgreSQL {like.major} for a private server, only of {major}"
        if source not in _servers:
            _servers[source] = _start(bin_dir, Path(source.data_root or default_root()))
        server = _servers[source]
        lacking = [] if isinstance(server, str) else _lacking(server, like, text)
    except (InfraError, psycopg.Error) as error:
        return f"there is no private server: {error}"
    return f"a private server has no {', no '.join(lacking)}" if lacking else server


def _lacking(server: PrivateServer, like: Likeness, text: str) -> list[str]:
    with connect(server.admin, autocommit=True) as connection:
        return shortcomings(connection, like, text)


def _start(bin_dir: Path | None, root: Path) -> PrivateServer | str:
    """Start a server for the rest of this process; return why it cannot be, so that it is not tried again."""
    try:
        return _running.enter_context(private_server(bin_dir, root))
    except (InfraError, OSError) as error:
        return f"no private server could be started: {error}"
