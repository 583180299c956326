"""A stack in a container, on a real Docker engine: created, changed without loss, refused with a reason, destroyed."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from server_check import answers

from tests.program.docker_engine import IMAGE, NEXT_MINOR, PRETENDED_MAJOR, WITHOUT_PG_TRGM, docker, missing
from tests.program.homes import FAST, Docker
from tests.program.state import admin_password

if TYPE_CHECKING:
    from pathlib import Path

    from tests.program.project import Project

REASON = missing()
pytestmark = [pytest.mark.skipif(bool(REASON), reason=REASON), pytest.mark.full]
SSH = """\
#!/bin/sh
# Instead of a login: the program forwards a socket, and the plugin runs `docker system dial-stdio`.
case "$*" in *dial-stdio) exec docker --host {host} system dial-stdio;; esac
while [ "$1" != -- ]; do [ "$1" = -L ] && ln -s {socket} "${{2%%:*}}"; shift; done
echo ready
exec cat
"""


@pytest.fixture
def home(engine: str) -> Docker:
    """Choose the docker kind for every project here."""
    return Docker(engine)


@pytest.fixture
def boxed(bare: Project) -> Project:
    """Return a project with a container of its own, not yet created."""
    return bare


def name_of(project: Project) -> str:
    return str(project.settings["server"]["container"])


def remaining(project: Project) -> dict[str, list[str]]:
    """Return the containers, volumes and networks of a project that the engine has."""
    host, name = project.env["DOCKER_HOST"], name_of(project)
    kinds = {"container": ["ps", "-a"], "volume": ["volume", "ls"], "network": ["network", "ls"]}
    return {
        kind: docker(host, *command, "--quiet", "--filter", f"name={name}").split() for kind, command in kinds.items()
    }


def inspected(project: Project) -> dict[str, Any]:
    """Return what `docker inspect` says of the container."""
    return json.loads(docker(project.env["DOCKER_HOST"], "inspect", name_of(project)))[0]


def logs(project: Project) -> str:
    """Return what the container has said, on both streams."""
    command = ["docker", "--host", project.env["DOCKER_HOST"], "logs", name_of(project)]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True).stdout


def passwords_of(project: Project) -> set[str]:
    """Return every password in the state."""
    passwords: set[str] = set()
    for resource in project.exported()["deployment"]["resources"]:
        if resource["type"].endswith(":Passwords"):
            passwords |= set(json.loads(resource["outputs"]["passwords"]["plaintext"]).values())
    return passwords


def keep_a_row(project: Project) -> None:
    project.sql("SET ROLE app_db_owner; CREATE TABLE kept (a int); INSERT INTO kept VALUES (1)")


def is_kept(project: Project) -> bool:
    return project.admin("SELECT a FROM kept") == [(1,)]


def test_a_stack_lives_and_ends_in_a_container(boxed: Project) -> None:
    """A preview makes nothing; `up` is complete, and again nothing; `destroy` leaves no container, volume, network."""
    nothing: dict[str, list[str]] = {"container": [], "volume": [], "network": []}
    boxed.configure(databases=[{"name": "shop", "app": "shop_web"}])
    assert "postgres:SqlModule" in boxed.preview()
    assert remaining(boxed) == nothing
    boxed.up()
    tables = "SELECT count(*), array_agg(DISTINCT tableowner::text) FROM pg_tables WHERE schemaname = 'public'"
    assert boxed.sql(tables, database="shop") == [(7, ["shop_owner"])]
    assert boxed.sql("SELECT current_user::text, count(*) FROM shipping_methods", role="app", database="shop") == [
        ("shop_web", 3)
    ]
    assert boxed.admin("SHOW data_checksums", database="shop") == [("on",)]
    assert boxed.admin("SHOW password_encryption", database="shop") == [("scram-sha-256",)]
    assert boxed.admin("SELECT datcollate FROM pg_database WHERE datname = 'shop'", database="shop") == [("C.UTF-8",)]
    assert re.search(r"Resources:\n +\d+ unchanged\n", boxed.up())
    assert boxed.verb("refresh", "--expect-no-changes").status == 0
    boxed.edit("sql/02-init-customers.sql", "    full_name  varchar,\n", "    full_name  varchar(2000),\n")
    assert "rebuild 02-init-customers: its statements changed" in boxed.preview()
    boxed.up()
    boxed.destroy()
    assert remaining(boxed) == nothing


def test_the_container_is_private_healthy_and_labelled(boxed: Project) -> None:
    """It listens on 127.0.0.1, is healthy when `up` ends, has the wanted limits and labels, and tells no password."""
    boxed.serve(labels={"team": "data"}, memory="1GB", shm_size="128MB", alias="db", restart="always")
    boxed.up()
    assert re.search(r"Resources:\n +\d+ unchanged\n", boxed.up())
    description = inspected(boxed)
    assert description["State"]["Health"]["Status"] == "healthy"
    ((published,),) = description["NetworkSettings"]["Ports"].values()
    assert published == {"HostIp": "127.0.0.1", "HostPort": str(boxed.outputs()["port"])}
    assert description["Config"]["Labels"] == {
        "team": "data",
        "platform-postgres.stack": "test",
        "platform-postgres.lifecycle": "ephemeral",
    }
    assert description["HostConfig"]["Memory"] == 2**30
    assert description["HostConfig"]["ShmSize"] == 2**27
    assert description["HostConfig"]["RestartPolicy"]["Name"] == "always"
    assert "db" in description["NetworkSettings"]["Networks"][name_of(boxed)]["Aliases"]
    log = logs(boxed)
    assert "database system is ready to accept connections" in log
    assert "CREATE TABLE" not in log
    output = json.dumps(description) + log
    output += docker(boxed.env["DOCKER_HOST"], "top", name_of(boxed))
    assert not any(password in output for password in passwords_of(boxed))
    with pytest.raises(Exception, match="password authentication failed"):
        admin_with_the_initial_password(boxed)


def admin_with_the_initial_password(project: Project) -> None:
    """Log in with what the container's file holds."""
    import psycopg  # noqa: PLC0415 (one use)

    initial = json.loads(project.resource("initial-password")["outputs"]["passwords"]["plaintext"])["postgres"]
    psycopg.connect(
        host="127.0.0.1", port=project.outputs()["port"], user="postgres", password=initial, dbname="postgres"
    ).close()


def test_changed_settings_and_a_newer_minor_version_keep_the_data(boxed: Project) -> None:
    """The preview says restart and why; afterwards the new value holds, in a new container, and every row is there."""
    boxed.up()
    keep_a_row(boxed)
    first, address = inspected(boxed)["Id"], boxed.outputs()["port"]
    changed = {"work_mem": "9MB", "max_connections": 50, "shared_buffers": "64MB"}
    boxed.serve(settings={**FAST, **changed}, labels={"team": "data"})
    text = boxed.preview()
    assert "restart in a new container, the data stay: max_connections default -> 50, " in text
    assert "shared_buffers default -> 64MB, work_mem default -> 9MB; labels" in text
    assert re.search(r"docker:index/container:Container: \(replace\)", text)
    assert "volume:Volume" not in text
    boxed.up()
    for name, value in changed.items():
        assert boxed.admin(f"SHOW {name}") == [(str(value),)]
    assert is_kept(boxed)
    second = inspected(boxed)
    assert second["Config"]["Labels"]["team"] == "data"
    assert second["Id"] != first
    boxed.serve(memory="2GB")
    text = boxed.preview()
    assert "the data stay: memory none -> 2GB" in text
    assert re.search(r"docker:index/container:Container: \(replace\)", text)
    boxed.serve(image=NEXT_MINOR)
    assert f"image {IMAGE} -> {NEXT_MINOR}" in boxed.preview()
    boxed.up()
    assert inspected(boxed)["Image"] != second["Image"]
    assert is_kept(boxed)
    assert boxed.outputs()["port"] == address
    assert re.search(r"Resources:\n +\d+ unchanged\n", boxed.up())


def test_new_passwords_need_no_restart(boxed: Project) -> None:
    """A rotation sets every password, the administrator's too, in the container that runs."""
    boxed.up()
    before, container = passwords_of(boxed), inspected(boxed)["Id"]
    boxed.configure(password_rotation=1)
    boxed.up()
    assert len(before & passwords_of(boxed)) == 1  # the initial one, which opens nothing
    assert boxed.admin("SELECT 1") == boxed.sql("SELECT 1", role="app") == [(1,)]
    assert inspected(boxed)["Id"] == container


def test_a_stopped_container_is_started_and_a_removed_one_is_made_again(boxed: Project) -> None:
    """A preview reports a stopped or paused container; a removed one is an error, and is made again with its data.

    Where the volume is gone too, one `up` makes a new server whole.
    """
    boxed.up()
    keep_a_row(boxed)
    host, name = boxed.env["DOCKER_HOST"], name_of(boxed)
    docker(host, "stop", name)
    assert "start: the container is exited; its data are kept" in boxed.preview()
    boxed.up()
    assert is_kept(boxed)
    docker(host, "pause", name)
    assert not answers(boxed.outputs())
    assert "start: the container is paused; its data are kept" in boxed.preview()
    boxed.up()
    assert is_kept(boxed)
    docker(host, "rm", "--force", name)
    assert f"container {name}: is gone, though this stack made it; `make refresh`, then `make up`" in boxed.refused(
        "preview"
    )
    boxed.verb("refresh")
    boxed.up()
    assert is_kept(boxed)
    docker(host, "rm", "--force", name)
    docker(host, "volume", "rm", name)
    boxed.verb("refresh")
    boxed.up()
    assert boxed.sql("SELECT count(*) FROM shipping_methods", role="app") == [(3,)]
    assert boxed.verb("preview", "--expect-no-changes").status == 0


REFUSALS = [
    (
        {"docker_host": "unix:///nowhere/docker.sock"},
        r"Docker at unix:///nowhere/docker.sock: does not answer: No such",
    ),
    (
        {"image": "platform-postgres-test/none:1"},
        r"image platform-postgres-test/none:1: is not on the engine, and cannot be",
    ),
    ({"image": WITHOUT_PG_TRGM}, r"extension pg_trgm is not offered by this PostgreSQL \(.*15-small\), which has"),
    (
        {"settings": {"work_men": "8MB"}},
        r"work_men: \[not shown\]; PostgreSQL 15\.\d+ has no such parameter, perhaps work_mem",
    ),
    ({"settings": {"work_mem": "1kB"}}, r'work_mem: "1kB"; 1 kB is outside the valid range'),
    ({"settings": {"port": "1"}}, r"port: \[not shown\]; cannot be set: it is 5432 in the container"),
    ({"settings": {"shared_preload_libraries": "timescaledb"}}, r"has no library timescaledb"),
    ({"memory": "24MB"}, r"server: PostgreSQL does not start with these settings within 24MB: "),
]


@pytest.mark.parametrize(("wrong", "sentence"), REFUSALS)
def test_what_could_not_work_is_a_sentence_at_preview(boxed: Project, wrong: dict[str, Any], sentence: str) -> None:
    """Nothing is made, and the message says what to do."""
    boxed.serve(**wrong)
    assert re.search(sentence, boxed.refused("preview"))
    boxed.refused("up")
    boxed.serve(docker_host=None)
    assert remaining(boxed) == {"container": [], "volume": [], "network": []}


def test_a_taken_port_is_a_sentence_at_preview(boxed: Project) -> None:
    """The port is named; nothing is made."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        boxed.serve(port=port)
        assert f"port {port} on 127.0.0.1 is already in use" in boxed.refused("preview")
    assert remaining(boxed) == {"container": [], "volume": [], "network": []}


def test_an_engine_is_reached_by_ssh(boxed: Project, engine: str, tmp_path: Path) -> None:
    """The program and the plugin use the same ssh:// address; the stack lives and ends on that engine."""
    ssh = tmp_path / "ssh"
    ssh.write_text(SSH.format(host=engine, socket=engine.removeprefix("unix://")))
    ssh.chmod(0o755)
    boxed.env["PATH"] = f"{tmp_path}:{boxed.env['PATH']}"
    boxed.serve(docker_host="ssh://me@localhost")
    boxed.up()
    assert boxed.admin("SELECT 1") == [(1,)]
    assert len(remaining(boxed)["container"]) == 1
    boxed.destroy()
    assert remaining(boxed) == {"container": [], "volume": [], "network": []}


def test_what_would_lose_the_data_or_the_server_is_refused(boxed: Project) -> None:
    """Another major version, another volume, other arguments of initdb leave the running server as it is.

    So do a replacement of its volume, and settings with which PostgreSQL does not start, in the server's own words.
    """
    boxed.up()
    keep_a_row(boxed)
    container = inspected(boxed)["Id"]
    boxed.serve(image=PRETENDED_MAJOR)
    text = boxed.refused("preview")
    assert (
        f"image {PRETENDED_MAJOR}: holds PostgreSQL 16.4, and the data in volume {name_of(boxed)} are PostgreSQL 15"
        in text
    )
    assert "set server.upgrade to dump-restore" in text
    boxed.refused("up")
    boxed.serve(image=IMAGE, volume="pp-other", initdb_args="")
    text = boxed.refused("preview")
    assert "server.volume" in text
    assert "server.initdb_args" in text
    boxed.serve(volume=name_of(boxed), initdb_args="--encoding=UTF8 --locale=C.UTF-8")
    usual = boxed.settings["server"]["settings"]
    for wrong, words in (
        ({"shared_buffers": "900GB"}, "could not map anonymous shared memory"),
        ({"wal_level": "minimal", "max_wal_senders": "5"}, "WAL streaming"),
    ):
        boxed.serve(settings=usual | wrong)
        text = boxed.refused("preview")
        assert "PostgreSQL does not start with these settings" in text
        assert words in text
    boxed.serve(settings=usual)
    text = boxed.refused("up", "--replace", boxed.resource("data")["urn"])
    assert f"volume {name_of(boxed)}: is in use by container {name_of(boxed)}" in text
    boxed.up()
    assert inspected(boxed)["Id"] == container
    assert is_kept(boxed)


def test_a_retained_volume_is_adopted_and_never_taken_over_silently(boxed: Project) -> None:
    """With `retain` the volume stays; the next `up` refuses it until `adopt` is set, and then has every row.

    Nor is it taken over while any other container has it.
    """
    boxed.serve(retain=True)
    boxed.up()
    keep_a_row(boxed)
    boxed.destroy()
    assert remaining(boxed)["volume"] == [name_of(boxed)]
    assert "set server.adopt to true to take over its data" in boxed.refused("preview")
    boxed.serve(adopt=True)
    host, name, other = boxed.env["DOCKER_HOST"], name_of(boxed), f"{name_of(boxed)}-other"
    docker(host, "create", "--name", other, "-v", f"{name}:/data", IMAGE)
    text = boxed.refused("preview")
    assert f"volume {name}: is used by container {other}, which is created; two servers on the same data" in text
    docker(host, "rm", other)
    boxed.up()
    assert is_kept(boxed)
    boxed.serve(retain=False)
    boxed.up()
    boxed.destroy()
    assert remaining(boxed)["volume"] == []


def test_a_volume_of_another_program_is_taken_over_and_outlives_the_stack(boxed: Project, engine: str) -> None:
    """The volume of a Terraform container, its password unknown, gets the stack's databases too, and remains."""
    name = name_of(boxed)
    docker(engine, "network", "create", name)
    docker(
        engine,
        "run",
        "-d",
        "--name",
        name,
        "-v",
        f"{name}:/var/lib/postgresql/data",
        "-e",
        "POSTGRES_PASSWORD=x",
        "-e",
        "POSTGRES_INITDB_ARGS=--encoding=UTF-8 --locale=C.UTF-8",
        IMAGE,
    )
    assert f"container {name}: exists already, created from {IMAGE}" in boxed.refused("preview")
    until = "until psql -qU postgres -h 127.0.0.1 -c 'CREATE DATABASE kept_dev' 2>/dev/null; do sleep 0.2; done"
    docker(engine, "exec", "-e", "PGPASSWORD=x", name, "sh", "-c", until)
    docker(engine, "rm", "--force", name)
    boxed.serve(adopt=True)
    boxed.up()
    assert boxed.admin("SELECT 1", database="kept_dev") == [(1,)]
    assert admin_password(boxed.exported()) != "x"
    boxed.destroy()
    assert remaining(boxed)["container"] == []
    assert remaining(boxed)["volume"] == [name]
    assert len(remaining(boxed)["network"]) == 1
    docker(engine, "volume", "rm", name)
    docker(engine, "network", "rm", name)
