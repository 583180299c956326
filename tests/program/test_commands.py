"""The committed stack files, brought up as the README and docs/ show it, by `make` in a checkout of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.program.conftest import WITHOUT_DOCKER
from tests.program.docker_engine import IMAGE, docker
from tests.program.homes import SECRET, External
from tests.program.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.program.project import Project

NEEDED = (
    "Makefile",
    "__main__.py",
    "Pulumi*.yaml",
    "requirements*",
    "infra",
    "models",
    "sql",
    "migrations",
    "toolchain",
)
LINKED = (".venv", ".tools")
UNLIKE = re.compile("PULUMI_.*|STACK|DOCKER_HOST|ADMIN_PASSWORD|VIRTUAL_ENV")
TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
CREATED = sum(path.read_text(encoding="utf-8").count("\nCREATE TABLE ") for path in ROOT.glob("sql/*.sql"))
PROJECT = yaml.safe_load(ROOT.joinpath("Pulumi.yaml").read_text(encoding="utf-8"))["name"]


def databases_of(stack: str) -> list[str]:
    """Return the databases that a committed file names."""
    config = yaml.safe_load(ROOT.joinpath(f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]
    return config[f"{PROJECT}:databases"]


def copy_checkout(folder: Path, *, installed: bool = True) -> None:
    """Copy what a user's checkout has into a folder, with links to what `make` installs."""
    for pattern in NEEDED:
        for path in ROOT.glob(pattern):
            copy = shutil.copytree if path.is_dir() else shutil.copyfile
            copy(path, folder / path.name)
    for name in LINKED if installed else ():
        (folder / name).symlink_to(ROOT / name)


@contextmanager
def made(folder: Path, stack: str, *, port: int = 0, **variables: str) -> Generator[str]:
    """Run `make up STACK=…` in a checkout, yield its output, and run `make destroy STACK=…` afterwards.

    With `port` the stack's file names that one: the one change that its first lines ask for.
    """
    copy_checkout(folder)
    if port:
        file = folder / f"Pulumi.{stack}.yaml"
        file.write_text(file.read_text().replace("port=5432", f"port={port}"))
    environment = {name: value for name, value in os.environ.items() if not UNLIKE.fullmatch(name)} | variables

    def make(target: str) -> str:
        command = ["make", target, f"STACK={stack}"]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stderr

    try:
        yield make("up")
    finally:
        make("destroy")


@pytest.mark.full
@pytest.mark.skipif(bool(WITHOUT_DOCKER), reason=WITHOUT_DOCKER)
def test_the_committed_stack_in_a_container(engine: str, tmp_path: Path) -> None:
    """`make up STACK=docker` makes both databases, and `make destroy` leaves no container and no volume."""
    docker(engine, "tag", IMAGE, "postgres:17")  # no registry is asked for what is there
    name = f"{PROJECT}-docker"
    with made(tmp_path, "docker", DOCKER_HOST=engine) as text:
        assert "up: the stack docker is complete; `make outputs STACK=docker` shows its addresses and names" in text
        for database in databases_of("docker"):
            ask = ["exec", "--user", "postgres", name, "psql", "-AtXc", TABLES, database]
            assert docker(engine, *ask) == f"{CREATED}\n"
        assert (tmp_path / ".env.docker").exists()
    assert docker(engine, "ps", "--all", "--quiet", "--filter", f"name={name}") == ""
    assert docker(engine, "volume", "ls", "--quiet", "--filter", f"name={name}") == ""


@pytest.mark.full
def test_the_committed_stack_on_a_server_that_is_there(bare: Project, data_root: Path, tmp_path: Path) -> None:
    """`ADMIN_PASSWORD=… make up STACK=external`, with its address, makes the database, and destroy removes it."""
    home = External(data_root, "postgres")
    bare.home = home
    home.settle(bare)
    (database,) = databases_of("external")
    with made(tmp_path, "external", port=home.way(bare)["port"], ADMIN_PASSWORD=SECRET):
        assert bare.admin(TABLES, database=database) == [(CREATED,)]
    assert home.traces(bare) == []
