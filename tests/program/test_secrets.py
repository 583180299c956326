"""No password is anywhere but where it has to be."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from tests.program.project import Project


def passwords_of(project: Project) -> set[str]:
    """Give every password of the stack: the admin's and those of the login roles."""
    outputs = project.outputs()
    found = {str(urlsplit(dsn).password) for roles in outputs["dsn"].values() for dsn in roles.values()}
    found |= set(json.loads(project.resource("admin-password")["outputs"]["passwords"]["plaintext"]).values())
    assert len(found) == 7
    assert all(len(password) == 32 for password in found)
    return found


def text_of(path: Path) -> bytes:
    """Give a file's bytes, unpacked where it is a compressed log of Pulumi's."""
    raw = path.read_bytes()
    return gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw


def test_no_password_is_in_any_output_file_log_ledger_or_process(project: Project) -> None:
    """Every generated password is searched in all that a run prints, writes, logs and starts."""
    logs = Path(project.env["PULUMI_HOME"]) / "logs" if "PULUMI_HOME" in project.env else Path.home() / ".pulumi/logs"
    old = set(logs.iterdir()) if logs.exists() else set[Path]()
    printed = [project.preview(), project.up(), project.preview(), project.verb("refresh").text]
    project.configure(password_rotation=1)
    printed += [project.preview(), project.up(), project.pulumi("stack", "output", "--stack", project.stack)]
    printed.append(project.pulumi("stack", "export", "--stack", project.stack))
    secrets = passwords_of(project)
    env_file = project.folder / ".env.test"
    assert all(any(secret in text for secret in secrets) for text in [env_file.read_text()])
    places: dict[str, bytes] = {f"output {number}": text.encode() for number, text in enumerate(printed)}
    for folder in (project.folder, project.base):
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink() and path != env_file and ".venv" not in path.parts:
                places[str(path)] = text_of(path)
    places |= {str(path): text_of(path) for path in set(logs.iterdir()) - old}
    places["processes"] = subprocess.run(["ps", "axeww"], capture_output=True, check=True).stdout
    rows = project.sql("SELECT l::text FROM sqlmodule.ledger l UNION ALL SELECT e::text FROM sqlmodule.event e")
    places["ledger"] = str(rows).encode()
    found = {place for place, text in places.items() for secret in secrets if secret.encode() in text}
    assert found == set()


def test_the_server_knows_verifiers_only(standing: Project) -> None:
    """Passwords are stored as SCRAM-SHA-256 verifiers, and were sent as such."""
    log = (standing.base / "server.log").read_text()
    assert "CREATE ROLE" not in log or "SCRAM-SHA-256$" in log
    assert standing.resource("app_db_app")["inputs"]["password"]["plaintext"].startswith('"SCRAM-SHA-256$4096:')
