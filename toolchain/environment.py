"""The environment variables for `pulumi`: its binaries and plugins, and whether the user has a backend of their own."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import parts

FEWER_COLLECTIONS = {"GOGC": "400"}
"""The garbage of Go programs is collected a quarter as often: a run ends before its memory matters."""
COMPILED_FILES = {"PYTHONDONTWRITEBYTECODE": ""}
"""Container images set this variable; each run would compile infra/ twice, in the program and in the plugin host."""
FILES_OF_LIBPQ = {"PGPASSFILE", "PGSERVICEFILE", "PGSYSCONFDIR"}
"""Where files are that only a connection string asks for (infra/postgres/connection/libpq_environment.py)."""
NO_LOGS = """\
Pulumi writes a log of every run into a folder of this name, secrets included (encrypted), and has no option to turn it
off. The log costs a sixth of the engine's time and up to 500 MB. This file in place of the folder prevents it.
Beware of `-v=9 --logtostderr`, which shows what the log would contain: it prints all passwords in clear.
"""


def environment() -> dict[str, str]:
    """Return the variables for `pulumi` and the programs that it starts: those of this process, with changes.

    Variables of libpq are left out: the postgresql plugin would go where PGHOSTADDR says, and refuses some of them.
    """
    variables = FEWER_COLLECTIONS | parts.without_update_check() | COMPILED_FILES
    variables = {name: value for name, value in variables.items() if not is_of_libpq(name)}
    own = parts.own_home()
    path = [str(parts.VENV / "bin"), parts.path_without_tools()]
    if not parts.installed_pulumi():
        path.insert(1, str(parts.TOOLS / "bin"))
    if own.exists():
        if (parts.user_home() / "credentials.json").exists():
            variables.setdefault("PULUMI_CREDENTIALS_PATH", str(parts.user_home()))
        variables["PULUMI_HOME"] = str(own)
        variables["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
        _prevent_logs(own / "logs")
    variables["PATH"] = os.pathsep.join(path)
    variables["VIRTUAL_ENV"] = str(parts.VENV)
    return variables


def is_of_libpq(name: str) -> bool:
    """Return whether a variable says how clients of PostgreSQL connect (manual, 32.15), and no stack is to know."""
    return name.startswith("PG") and name not in FILES_OF_LIBPQ


def _prevent_logs(logs: Path) -> None:
    """Write a file where Pulumi would create its folder of logs; see NO_LOGS."""
    if logs.is_file():
        return
    shutil.rmtree(logs, ignore_errors=True)
    try:
        logs.write_text(NO_LOGS)
    except OSError:  # a running pulumi has created the folder again: the next run will replace it
        return


def has_own_backend() -> bool:
    """Return whether the user has chosen a backend for the state, by a variable or by `pulumi login`."""
    if os.environ.get("PULUMI_BACKEND_URL") or os.environ.get("PULUMI_ACCESS_TOKEN"):
        return True
    folder = Path(os.environ.get("PULUMI_CREDENTIALS_PATH") or parts.user_home())
    try:
        return bool(json.loads((folder / "credentials.json").read_text()).get("current"))
    except (OSError, ValueError, AttributeError):
        return False
