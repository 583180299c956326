"""A server in a container with TLS: clients verify the server, and connections without TLS are refused."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from infra.server.certificates import issue, moment
from tests.program.docker_engine import docker, missing
from tests.program.homes import Docker

if TYPE_CHECKING:
    from tests.program.project import Project

REASON = missing()
pytestmark = [pytest.mark.skipif(bool(REASON), reason=REASON), pytest.mark.full]
ENCRYPTED = "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@pytest.fixture
def home(engine: str) -> Docker:
    """Choose the docker kind for every project here."""
    return Docker(engine)


@pytest.fixture
def secure(bare: Project) -> Project:
    """Return a stack with TLS, brought up."""
    bare.serve(tls=True)
    bare.up()
    return bare


def root_of(project: Project) -> Path:
    """Return the file of the authority's certificate."""
    return Path(project.resource("certificate")["outputs"]["path"])


def conninfo(project: Project, **changed: str) -> str:
    """Return the application's way in, with other options."""
    options = {"PGSSLMODE": "sslmode", "PGSSLROOTCERT": "sslrootcert", "PGHOST": "host", "PGPORT": "port"}
    options |= {"PGUSER": "user", "PGPASSWORD": "password", "PGDATABASE": "dbname"}
    variables = project.outputs()["connections"]["app_db"]["app"]
    return make_conninfo("", **{options[name]: variables[name] for name in options if name in variables} | changed)


def test_clients_verify_the_server_and_are_refused_without_tls(secure: Project, tmp_path: Path) -> None:
    """Addresses say verify-full; plain connections and another authority are refused; the keys are nowhere else."""
    assert secure.sql(ENCRYPTED, role="app") == [(True, "TLSv1.3")]
    dsn = secure.outputs()["dsn"]["app_db"]["app"]
    assert f"?sslmode=verify-full&sslrootcert={root_of(secure)}" in dsn
    env = (secure.folder / ".env.test").read_text()
    assert f"PGSSLROOTCERT={root_of(secure)}\n" in env
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect(conninfo(secure, sslmode="disable"))
    other = tmp_path / "other.crt"
    other.write_text(issue(["127.0.0.1"], issued=moment()).authority)
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        psycopg.connect(conninfo(secure, sslrootcert=str(other)))
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        psycopg.connect(conninfo(secure, host="elsewhere.invalid", hostaddr="127.0.0.1"))
    assert secure.verb("preview", "--expect-no-changes").status == 0
    assert secure.verb("refresh", "--expect-no-changes").status == 0
    output = b"".join(secure.home.told(secure).values()) + secure.pulumi("stack", "export").encode()
    assert b"PRIVATE KEY" not in output
    assert stat.S_IMODE(root_of(secure).stat().st_mode) == 0o644
    in_container = ["exec", f"pp-{secure.mark}", "stat", "-c", "%U %a", "/run/postgres-tls/server.key"]
    assert docker(secure.env["DOCKER_HOST"], *in_container) == "postgres 600\n"
    root = root_of(secure)
    secure.destroy()
    assert not root.exists()


def test_a_certificate_is_renewed_in_time_and_a_lost_file_written_again(secure: Project) -> None:
    """When it is due a preview says so, and `up` renews it by the same authority; clients go on as they were."""
    authority, dsn = root_of(secure).read_text(), secure.outputs()["dsn"]
    before = secure.resource("certificate")["outputs"]["certificate"]
    root_of(secure).unlink()
    assert f"write {root_of(secure)}" in secure.preview()
    secure.up()
    assert secure.sql("SELECT 1", role="app") == [(1,)]
    assert secure.resource("certificate")["outputs"]["certificate"] == before
    exported = secure.folder / "exported.json"
    state = json.dumps(secure.exported())
    due = secure.resource("certificate")["outputs"]["issued"]
    exported.write_text(state.replace(due, "2025-12-01T00:00:00+00:00"))
    secure.pulumi("stack", "import", "--stack", secure.stack, "--file", str(exported))
    text = secure.preview()
    assert "renew: the certificate ends in some months: restart in a new container" in text
    secure.up()
    assert secure.resource("certificate")["outputs"]["certificate"] != before
    assert root_of(secure).read_text() == authority
    assert secure.outputs()["dsn"] == dsn
    assert secure.sql(ENCRYPTED, role="app") == [(True, "TLSv1.3")]
    assert secure.verb("preview", "--expect-no-changes").status == 0


def test_without_the_setting_only_this_program_uses_the_certificate(bare: Project) -> None:
    """Applications connect as they like, and the plugin by a certificate that does not end: no renewal restarts it."""
    bare.up()
    assert "sslmode" not in bare.outputs()["dsn"]["app_db"]["app"]
    certificate = bare.resource("certificate")["outputs"]
    provider = bare.resource("admin")["inputs"]
    assert (provider["sslmode"], provider["sslrootcert"]) == ("verify-full", certificate["path"])
    assert bare.sql(ENCRYPTED, role="app") == [(True, "TLSv1.3")]  # libpq's default is `prefer`
    psycopg.connect(conninfo(bare, sslmode="disable")).close()
    psycopg.connect(conninfo(bare, sslmode="verify-full", sslrootcert=certificate["path"])).close()
    exported = bare.folder / "exported.json"
    state = json.dumps(bare.exported()).replace(certificate["issued"], "2020-01-01T00:00:00+00:00")
    exported.write_text(state)
    bare.pulumi("stack", "import", "--stack", bare.stack, "--file", str(exported))
    assert bare.verb("preview", "--expect-no-changes").status == 0
    Path(certificate["path"]).unlink()
    assert f"write {certificate['path']}" in bare.preview()
    bare.up()
    assert bare.verb("refresh", "--expect-no-changes").status == 0


def test_tls_comes_and_goes_with_the_setting(bare: Project) -> None:
    """Switched on and off the data stay, and the addresses follow."""
    bare.up()
    bare.sql("INSERT INTO customers VALUES ('kept', 'x@y')")
    bare.serve(tls=True)
    bare.up()
    assert bare.sql("SELECT id FROM customers") == [("kept",)]
    assert "verify-full" in bare.outputs()["dsn"]["app_db"]["app"]
    bare.serve(tls=False)
    bare.up()
    assert bare.sql("SELECT id FROM customers") == [("kept",)]
    assert "verify-full" not in bare.outputs()["dsn"]["app_db"]["app"]
