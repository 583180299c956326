"""The process of a test run's databases: it starts the server, and answers the requests of the pytest plugin.

Requests are lines of standard input, answers are lines of JSON: `take` is answered with a clone, `drop NAME` is not
answered, `keep NAME` with the command that opens the clone. The server ends with the input; after the request `end`
those that were kept outlive it. The plugin is a process of its own, so that nothing of this one is in the tests': not
its imports, not its threads, not the variables of libpq that it removes.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.errors import InfraError
from infra.postgres.connection.connect import connect
from infra.program.connections import SCHEMES, ApplicationConnection
from infra.server.file_io import write_whole
from infra.server.scratch.private_server import private_server
from infra.server.scratch.scratch_server import find_psql, readable_driver_errors
from infra.server.scratch.server_directory import keep_server, remove_kept
from infra.testing.clone_pool import ClonePool
from infra.testing.programs import programs_of_version
from infra.testing.template import CLONED_DATABASE, create_template
from infra.testing.tested_schema import tested_schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.server.scratch.private_server import PrivateServer
    from infra.testing.template import CloneTemplate

MOST_BYTES = 1 << 30
"""How much the clones of all workers may hold that are not needed any more, and not yet dropped."""

_SIZE = "SELECT pg_catalog.pg_database_size(%s)"


def _serve(options: dict[str, Any], requests: Iterable[str]) -> None:
    """Answer requests until they end; raises InfraError, psycopg.Error."""
    schema = tested_schema(
        Path(options["root"]), modules=options["modules"], stack=options["stack"], extensions=options["extensions"]
    )
    with private_server(programs_of_version(options["version"])) as server, readable_driver_errors():
        template = create_template(server, schema)
        clones = ClonePool(server.admin, template, most_used=most_used(server, options["workers"]))
        try:
            kept = False
            for request in requests:
                verb, _, name = request.strip().partition(" ")
                if verb == "take":
                    _answer(_connections(template, clones.take()))
                elif verb == "drop":
                    clones.give_back(name)
                elif verb == "keep":
                    kept = True
                    _answer({"command": _psql_command(server, template, name)})
                elif verb == "end":
                    if kept:
                        keep_server(server.base)
                    return
        finally:
            clones.close()


def most_used(server: PrivateServer, workers: int) -> int:
    """Return how many clones of one worker may wait to be dropped."""
    with connect(server.admin) as connection:
        (size,) = connection.execute(_SIZE, (CLONED_DATABASE,)).fetchone() or (1,)
    return min(MOST_BYTES, shutil.disk_usage(server.base).free // 8) // workers // size


def _connections(template: CloneTemplate, name: str) -> dict[str, Any]:
    """Return a clone as the plugin gets it: its name, and the connection strings of each role."""
    urls: dict[str, dict[str, str]] = {}
    for role, login in template.logins.items():
        connection = ApplicationConnection(name, role, login.user, login.password, login.host, login.port)
        urls[role] = {ending.lower(): connection.uri(scheme) for ending, scheme in SCHEMES.items()}
    return {"name": name, "urls": urls}


def _psql_command(server: PrivateServer, template: CloneTemplate, name: str) -> str:
    """Write the password file, and return the command that opens a clone as its owner."""
    owner = template.logins["owner"]
    passwords = server.base / "pgpass"
    write_whole(passwords, f"*:*:*:{owner.user}:{owner.password}\n")
    psql = find_psql(server.distribution.bin) or "psql"
    command = shlex.join([str(psql), "-h", owner.host, "-p", str(owner.port), "-U", owner.user, name])
    return f"PGPASSFILE={shlex.quote(str(passwords))} {command}"


def _answer(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


def main() -> None:
    """Run for the options in the first line of the input."""
    os.setsid()  # what ends the test run's process group must not end this process
    options = json.loads(sys.stdin.readline())
    if options.get("remove_kept"):
        _answer({"removed": remove_kept()})
        return
    try:
        _serve(options, iter(sys.stdin.readline, ""))
    except InfraError as error:
        _answer({"error": str(error)})
    except Exception:  # noqa: BLE001 (it is reported where the tests are)
        _answer({"error": traceback.format_exc()})


if __name__ == "__main__":
    main()
