"""No password is anywhere but where it has to be."""

from __future__ import annotations

import subprocess
import zlib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.program.homes import External

if TYPE_CHECKING:
    from tests.program.project import Project


pytestmark = pytest.mark.every_kind


EVERYTHING = {
    "log_statement": "all",
    "log_min_duration_statement": 0,
    "log_min_duration_sample": 0,
    "log_statement_sample_rate": 1,
    "log_transaction_sample_rate": 1,
    "log_min_error_statement": "debug5",
    "log_parameter_max_length": -1,
    "shared_preload_libraries": "auto_explain,pg_stat_statements",
    "auto_explain.log_min_duration": 0,
    "auto_explain.log_nested_statements": True,
}
"""Settings with which a server logs all that it is told."""
TEXTS = "SELECT query FROM pg_stat_statements"


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


@pytest.mark.full
def test_passwords_are_new_and_work_and_are_in_no_output_file_log_ledger_or_process(
    bare: Project, project: Project
) -> None:
    """Each password is generated, works until it is rotated, and is in nothing that a run prints, writes or starts."""
    logs = Path(bare.env["PULUMI_HOME"]) / "logs" if "PULUMI_HOME" in bare.env else Path.home() / ".pulumi/logs"
    old = set(logs.glob("*"))  # of none where a file keeps Pulumi from making logs
    bare.configure(roles={"reporting": {}})
    if not isinstance(bare.home, External):
        bare.serve(settings={**bare.settings["server"]["settings"], **EVERYTHING})
    printed = [bare.up(), bare.verb("refresh").text]
    admins = bare.home.admin_passwords(bare)
    secrets, before = passwords_of(bare), bare.outputs()["dsn"]["app_db"]
    bare.configure(password_rotation=1)
    printed += [bare.preview()]
    assert "warning: " not in printed[-1]
    printed += [bare.up(), bare.pulumi("stack", "output", "--stack", bare.stack)]
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
    log = b"".join(text for place, text in places.items() if place.endswith(("server.log", "server.log.1", "logs")))
    assert b"database system is ready to accept connections" in log
    if not isinstance(bare.home, External):
        assert b"CREATE TABLE" in log
        assert b"SCRAM-SHA-256$" not in log
        bare.admin("CREATE EXTENSION pg_stat_statements", database="postgres")
        texts = [row[0] for row in bare.admin(TEXTS, database="postgres")]
        assert any("CREATE TABLE" in text for text in texts)
        assert not [text for text in texts if "SCRAM-SHA-256$" in text]
        for database in ("postgres", "template1"):  # which are the administrators'
            for role in ("migrator", "app", "readonly", "reporting"):
                with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                    psycopg.connect(after[role], dbname=database)
    assert bare.resource("app_db_app")["inputs"]["password"]["plaintext"].startswith('"SCRAM-SHA-256$4096:')
