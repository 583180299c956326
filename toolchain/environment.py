"""The environment in which `pulumi` runs here: which binaries, which plugins, which state, which passphrase."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from pathlib import Path
from urllib.parse import quote

import parts

STATE = parts.ROOT / ".state"
PASSPHRASE = STATE / "passphrase"
QUICK = {"GOGC": "400"}
"""Collect garbage a quarter as often: Pulumi is over before its memory counts."""
COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
"""Container images set it; here each run would compile infra/ twice, in the program and in the providers' host."""
NO_LOGS = """\
Pulumi keeps a log of every run in a folder of this name, secrets included (encrypted), and has no switch for it. It
costs a sixth of the engine's time and up to 500 MB. This file in the folder's place turns it off; `-v 9 --logtostderr`
shows what the log would have held.
"""


def environment() -> dict[str, str]:
    """Give the variables for `pulumi` and for whatever it starts."""
    variables = QUICK | parts.quiet() | COMPILED
    own = parts.own_home()
    path = [str(parts.VENV / "bin"), parts.path_without_tools()]
    if not parts.installed_pulumi():
        path.insert(1, str(parts.TOOLS / "bin"))
    if own.exists():
        if (parts.user_home() / "credentials.json").exists():
            variables.setdefault("PULUMI_CREDENTIALS_PATH", str(parts.user_home()))
        variables["PULUMI_HOME"] = str(own)
        variables["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
        _keep_no_logs(own / "logs")
    variables["PATH"] = os.pathsep.join(path)
    variables["VIRTUAL_ENV"] = str(parts.VENV)
    if not has_own_backend():
        variables |= _local_state()
    return variables


def _keep_no_logs(logs: Path) -> None:
    """Put a file where Pulumi would make its folder of logs; see NO_LOGS."""
    if logs.is_file():
        return
    shutil.rmtree(logs, ignore_errors=True)
    try:
        logs.write_text(NO_LOGS)
    except OSError:  # a run that is under way made the folder again: the next one will do
        return


def has_own_backend() -> bool:
    """Say whether the user keeps the state somewhere already: by a variable, or by `pulumi login`."""
    if os.environ.get("PULUMI_BACKEND_URL") or os.environ.get("PULUMI_ACCESS_TOKEN"):
        return True
    folder = Path(os.environ.get("PULUMI_CREDENTIALS_PATH") or parts.user_home())
    try:
        return bool(json.loads((folder / "credentials.json").read_text()).get("current"))
    except (OSError, ValueError, AttributeError):
        return False


def file_backend(folder: Path) -> str:
    """Give the address of a state in a folder, written without a second file with the digest of each file.

    Nobody reads those, and Pulumi writes the whole state before and after each resource: they are a fifth of the time
    of a first `up` of 200 modules.
    """
    return f"file://{quote(str(folder))}?metadata=skip"


def _local_state() -> dict[str, str]:
    """Keep the state in .state/, with a random passphrase that only its owner can read."""
    backend = STATE / "backend"
    backend.mkdir(parents=True, exist_ok=True)
    STATE.chmod(0o700)
    if not PASSPHRASE.exists():
        new = PASSPHRASE.with_name("passphrase.new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
        new.replace(PASSPHRASE)
    variables = {"PULUMI_BACKEND_URL": file_backend(backend)}
    if not os.environ.get("PULUMI_CONFIG_PASSPHRASE") and not os.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        variables["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(PASSPHRASE)
    return variables
