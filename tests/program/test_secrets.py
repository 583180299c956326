"""No password is anywhere but where it has to be."""

from __future__ import annotations

import subprocess
import zlib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import pytest

if TYPE_CHECKING:
    from tests.program.project import Project


pytestmark = pytest.mark.every_kind


def passwords_of(project: Project) -> set[str]:
    """Return every password of the stack's login roles."""
    outputs = project.outputs()
    found = {str(urlsplit(str(dsn)).password) for roles in outputs["dsn"].values() for dsn in roles.values()}
    assert len(found) == len(outputs["roles"]["app_db"]) - 1  # the owner does not log in
    assert all(len(password) == 32 for password in found)
    return found


def text_of(path: Path) -> bytes:
    """Return a file's bytes, unpacked where it is a compressed log of Pulumi's, which may still be written."""
    raw = path.read_bytes()
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(raw) if raw.startswith(b"\x1f\x8b") else raw


def test_passwords_are_new_and_work_and_are_in_no_output_file_log_ledger_or_process(
    bare: Project, project: Project
) -> None:
    """Each password is generated, works until it is rotated, and is in nothing that a run prints, writes or starts."""
    logs = Path(bare.env["PULUMI_HOME"]) / "logs" if "PULUMI_HOME" in bare.env else Path.home() / ".pulumi/logs"
    old = set(logs.glob("*"))  # of none where a file keeps Pulumi from making logs
    bare.configure(roles={"reporting": {}})
    printed = [bare.up(), bare.verb("refresh").text]
    admins = bare.home.admin_passwords(bare)
    secrets, before = passwords_of(bare), bare.outputs()["dsn"]["app_db"]
    bare.configure(password_rotation=1)
    printed += [bare.preview(), bare.up(), bare.pulumi("stack", "output", "--stack", bare.stack)]
    printed.append(bare.pulumi("stack", "export", "--stack", bare.stack))
    after = bare.outputs()["dsn"]["app_db"]
    assert not passwords_of(bare) & (secrets | passwords_of(project))
    for role in ("migrator", "app", "readonly", "reporting"):
        psycopg.connect(after[role]).close()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(before[role])
    secrets |= passwords_of(bare) | admins | bare.home.admin_passwords(bare)
    env_file = bare.folder / ".env.test"
    assert any(secret in env_file.read_text() for secret in secrets)
    places: dict[str, bytes] = {f"output {number}": text.encode() for number, text in enumerate(printed)}
    for path in bare.folder.rglob("*"):
        if path.is_file() and path != env_file:
            places[str(path)] = text_of(path)
    places |= bare.home.told(bare)
    places |= {str(path): text_of(path) for path in set(logs.glob("*")) - old}
    places["processes"] = subprocess.run(["ps", "axeww"], capture_output=True, check=True).stdout
    rows = bare.sql("SELECT l::text FROM sqlmodule.ledger l UNION ALL SELECT e::text FROM sqlmodule.event e")
    places["ledger"] = str(rows).encode()
    found = {place for place, text in places.items() for secret in secrets if secret.encode() in text}
    assert found == set()
    (log,) = (text for place, text in places.items() if place.endswith(("server.log", "logs")))
    assert b"database system is ready to accept connections" in log
    assert bare.resource("app_db_app")["inputs"]["password"]["plaintext"].startswith('"SCRAM-SHA-256$4096:')
