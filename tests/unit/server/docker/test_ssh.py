"""Engines at ssh:// addresses: how `ssh` is started, and its messages."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.errors import ServerError
from infra.server.docker.ssh import forward_socket

ROOT = Path(__file__).parents[4]


def install_ssh(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Replace `ssh` by a shell script."""
    program = folder / "ssh"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    forward_socket.cache_clear()


def test_the_socket_is_forwarded_once_and_without_questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """User and port are those of the address; what a profile writes is skipped, and a second engine logs in no more."""
    install_ssh(tmp_path, monkeypatch, f'echo "$*" >>{tmp_path}/arguments; echo Welcome; echo ready; exec cat')
    socket = forward_socket("ssh://me@box:2222")
    assert forward_socket("ssh://me@box:2222") == socket
    (line,) = (tmp_path / "arguments").read_text().splitlines()
    assert f"-L {socket}:/var/run/docker.sock " in line
    assert "-o BatchMode=yes " in line
    assert line.endswith("-l me -p 2222 -- box echo ready && exec cat")
    assert Path(socket).parent.stat().st_mode & 0o777 == 0o700


def test_another_socket_of_the_machine_is_the_path_of_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rootless engine has its socket elsewhere."""
    install_ssh(tmp_path, monkeypatch, f'echo "$*" >{tmp_path}/arguments; echo ready; exec cat')
    socket = forward_socket("ssh://box/run/user/1000/docker.sock")
    assert f"-L {socket}:/run/user/1000/docker.sock " in (tmp_path / "arguments").read_text()


def test_a_login_that_fails_is_one_sentence_with_the_message_of_ssh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the attempt is left, and the next one is made again."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    install_ssh(tmp_path, monkeypatch, 'echo "me@box: Permission denied (publickey)." >&2; exit 255')
    expected = r"^Docker at ssh://me@box: cannot be reached: me@box: Permission denied \(publickey\)\.; make sure that"
    for _ in range(2):
        with pytest.raises(ServerError, match=expected):
            forward_socket("ssh://me@box")
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_missing_ssh_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program is named."""
    monkeypatch.setenv("PATH", str(tmp_path))
    forward_socket.cache_clear()
    with pytest.raises(ServerError, match="Docker at ssh://box: cannot be reached: ssh is not installed"):
        forward_socket("ssh://box")


def test_nothing_is_left_of_a_process_that_was_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ssh` ends with the process that needs it, as Pulumi ends the host of the providers, and the folder goes."""
    install_ssh(tmp_path, monkeypatch, "echo ready; exec cat")
    program = (
        "from infra.server.docker.ssh import forward_socket; print(forward_socket('ssh://box'), flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        folder = Path(process.stdout.readline().strip()).parent
        assert folder.exists()
        process.kill()
    deadline = time.monotonic() + 10
    while folder.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
