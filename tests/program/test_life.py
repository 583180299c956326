"""A stack's server through its life: preview on nothing, death, side by side, removal."""

from __future__ import annotations

import re
import shutil
import socket
from typing import TYPE_CHECKING

import pytest

from tests.program.homes import External
from tests.program.run_folder import new_checkout

if TYPE_CHECKING:
    from tests.program.project import Project


pytestmark = pytest.mark.every_kind


def is_open(port: int) -> bool:
    """Return whether anybody listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_preview_on_nothing_creates_nothing(bare: Project) -> None:
    """A preview before the first `up` shows every resource, and leaves no server, folder or file behind."""
    text = bare.preview()
    assert text.count("postgres:SqlModule") >= 8
    assert re.search(r"Resources:\n +\+ \d+ to create\n", text)
    assert bare.home.traces(bare) == []
    assert not (bare.folder / ".env.test").exists()


def test_destroy_leaves_no_process_port_folder_file_or_resource(project: Project) -> None:
    """After `destroy` nothing of the stack is on the machine, and a second `destroy` is harmless."""
    port = project.outputs()["port"]
    assert project.home.traces(project)
    project.destroy()
    assert project.home.traces(project) == []
    assert is_open(port) == isinstance(project.home, External)
    assert not (project.folder / ".env.test").exists()
    assert project.exported()["deployment"].get("resources") is None
    project.destroy()


@pytest.mark.full
def test_destroy_works_when_the_server_was_killed_before(project: Project) -> None:
    """`destroy` logs in nowhere: a dead server is removed as a living one is."""
    project.home.kill(project)
    project.destroy()
    assert project.home.traces(project) == []


@pytest.mark.full
def test_up_brings_a_killed_server_back_and_changes_nothing_else(project: Project) -> None:
    """After kill -9 of the postmaster a preview says so, and `up` starts the server; port, data and passwords stay."""
    before = project.outputs()
    project.sql("INSERT INTO customers VALUES ('kept', 'x@y')")
    project.home.kill(project)
    text = project.preview()
    assert re.search(r"Resources:\n +~ 1 to update\n +\d+ unchanged\n", text), text
    assert re.search("start: (it is not running|the container is exited)", text), text
    assert re.search(r"Resources:\n +~ 1 updated\n +\d+ unchanged\n", project.up())
    assert project.outputs() == before
    assert project.sql("SELECT id FROM customers") == [("kept",)]


@pytest.mark.full
def test_refresh_brings_a_killed_server_back(project: Project) -> None:
    """A refresh starts the server first, because everything else is read from it."""
    project.home.kill(project)
    done = project.verb("refresh")
    if done.status:  # roles are read at the same time as the server, in no order; once it runs all of them are found
        done = project.verb("refresh")
    assert done.status == 0, done.text
    assert project.admin("SELECT 1") == [(1,)]


@pytest.mark.full
def test_two_stacks_live_side_by_side(project: Project, other: Project) -> None:
    """Two checkouts of one project have servers and ports of their own, and one goes without the other."""
    assert project.outputs()["port"] != other.outputs()["port"]
    project.destroy()
    assert other.sql("SELECT count(*) FROM shipping_methods") == [(3,)]


@pytest.mark.full
def test_a_changed_server_setting_is_applied_and_the_preview_says_how(project: Project) -> None:
    """A setting that needs a restart restarts the server, and the preview has said so."""
    project.serve(settings={**project.settings["server"]["settings"], "max_connections": 42})
    assert "max_connections needs restart" in project.preview()
    project.up()
    assert project.sql("SHOW max_connections") == [("42",)]


@pytest.mark.full
def test_a_moved_checkout_keeps_its_server(project: Project) -> None:
    """The server's folder is chosen once: a checkout that moves still finds its data."""
    before = project.folder
    project.folder = new_checkout() / "moved"
    shutil.move(before, project.folder)
    try:
        text = project.up()
    finally:
        shutil.move(project.folder, before)
        project.folder.parent.rmdir()
        project.folder = before
    assert re.search(r"Resources:\n +\d+ unchanged\n", text), text
