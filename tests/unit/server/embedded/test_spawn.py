"""Tests for child processes: started without a fork, without the caller's privileges and files, and with a timeout."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.errors import ServerError
from infra.server.embedded import spawn
from infra.server.embedded.account import Account
from infra.server.embedded.launcher import CANNOT_RUN, launch, processes_in, works_in
from infra.server.embedded.processes import list_by_psutil, works_in_by_psutil

if TYPE_CHECKING:
    from collections.abc import Callable

    Listing = Callable[[list[Path]], list[int]]

ME = Account("me", os.geteuid(), os.getegid(), switch=False)
ROOT = Path("/")
SHELL = "/bin/sh"


def shell(text: str, *, account: Account = ME, seconds: float = 20, standard_input: bytes = b"") -> spawn.ProcessResult:
    return spawn.run_program(
        SHELL, ["-c", text], account, directory=ROOT, seconds=seconds, standard_input=standard_input
    )


def ends(group: int) -> bool:
    """Return whether all processes of a group have ended within 10 s."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_status_and_output() -> None:
    """Both outputs are captured in order, with the exit status."""
    assert shell("echo out; echo err >&2; exit 3") == spawn.ProcessResult(3, "out\nerr\n")


def test_standard_input() -> None:
    """The program receives standard input completely."""
    assert shell("cat", standard_input=b"secret\n").output == "secret\n"
    assert shell("exit 0", standard_input=b"x" * 1_000_000).status == 0


def test_fresh_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program gets three environment variables, a closed umask, its directory and a session of its own."""
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "secret")
    lines = shell("umask; pwd; env | sort; ps -o sid= -p $$; echo $$").output.split("\n")
    assert lines[0].endswith("077")
    assert lines[1] == "/"
    names = {line.partition("=")[0] for line in lines if "=" in line}
    assert names <= {"PATH", "LC_ALL", "TZ", "PWD", "_", "SHLVL", "OLDPWD"}
    assert lines[-3].strip() == lines[-2]


def test_inherited_files_are_closed() -> None:
    """An inheritable descriptor of the caller is not open in the program."""
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)  # noqa: FBT003 - positional-only
    try:
        assert shell(f"(echo x >&{writer}) 2>/dev/null && echo open || echo closed").output == "closed\n"
    finally:
        os.close(reader)
        os.close(writer)


def test_broken_pipe_ends_the_program() -> None:
    """SIGPIPE, which Python ignores, has its effect again."""
    assert "PIPE" not in shell("trap").output
    assert shell("sh -c 'kill -PIPE $$'; echo $?").output.strip() == str(128 + signal.SIGPIPE)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")
def test_rights_are_given_up() -> None:
    """As root, the program has the account's ids and no groups, and cannot get root's back."""
    account = Account("somebody", 64_000, 64_001, switch=True)
    assert shell("id -u; id -g; id -G", account=account).output.split() == ["64000", "64001", "64001"]
    assert shell("cat /etc/shadow", account=account).status != 0


def test_cannot_be_run(tmp_path: Path) -> None:
    """A program that is missing or not executable is the launcher's own exit status, with the reason."""
    file = tmp_path / "tool"
    file.write_text("no program")
    result = spawn.run_program(file, [], ME, directory=ROOT, seconds=10)
    assert (result.status, result.last_lines()) == (CANNOT_RUN, f"{file}: Permission denied")
    with pytest.raises(ServerError, match="/nowhere/tool: cannot be run: No such file"):
        spawn.run_command(["/nowhere/tool"], seconds=10)


def test_hanging_program_is_killed(tmp_path: Path) -> None:
    """After its time the program is killed with its children, and the error names it."""
    began = time.monotonic()
    with pytest.raises(ServerError) as caught:
        shell(f"echo $$ > {tmp_path}/pid; sleep 60 & sleep 60", seconds=0.5)
    assert str(caught.value) == "/bin/sh: did not end within 0.5 s, and was killed"
    assert time.monotonic() - began < 10
    group = int((tmp_path / "pid").read_text())
    assert ends(group)


def test_daemon_does_not_hold_the_caller() -> None:
    """A child that keeps the output open does not keep run_program() waiting."""
    began = time.monotonic()
    result = shell("sleep 20 & echo $!")
    assert time.monotonic() - began < 10
    os.kill(int(result.output), signal.SIGKILL)


def test_never_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs start by posix_spawn: after a fork in a process with gRPC's threads the child can crash."""
    if not getattr(subprocess, "_USE_POSIX_SPAWN", False):
        pytest.skip("this Python has no posix_spawn that can be trusted; subprocess uses vfork")

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(subprocess, "_fork_exec", refuse)
    monkeypatch.setattr(os, "fork", refuse)
    assert shell("echo fine").output == "fine\n"


def test_many_threads() -> None:
    """Programs may be started from many threads at once; each gets its own output."""
    results: dict[int, str] = {}

    def run_shell(number: int) -> None:
        results[number] = shell(f"echo {number}").output

    threads = [threading.Thread(target=run_shell, args=[number]) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: f"{number}\n" for number in range(16)}


def test_interrupt_leaves_nothing_running(tmp_path: Path) -> None:
    """A Ctrl-C while a program runs ends that program before KeyboardInterrupt is raised."""
    code = (
        "import signal, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background job ignores it
        "from infra.server.embedded import spawn; from infra.server.embedded.account import Account\n"
        "spawn.run_program('/bin/sh', ['-c', 'echo $$ > ' + sys.argv[2] + '; sleep 60'],"
        " Account('me', 0, 0, switch=False), directory=Path('/'), seconds=60)\n"
    )
    file = tmp_path / "pid"
    checkout = str(Path(__file__).resolve().parents[4])
    with subprocess.Popen([sys.executable, "-c", code, checkout, str(file)], stderr=subprocess.DEVNULL) as caller:
        while not (file.exists() and file.read_text()):
            time.sleep(0.02)
        caller.send_signal(signal.SIGINT)
        caller.wait(10)
    assert ends(int(file.read_text()))


def list_by_launcher(directories: list[Path]) -> list[int]:
    return processes_in([str(directory) for directory in directories])


LISTINGS = (list_by_launcher, list_by_psutil)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("listing", LISTINGS)
def test_only_postgresql_counts(tmp_path: Path, listing: Listing) -> None:
    """A shell or an editor in the data directory is not a process of the server."""
    with subprocess.Popen(["/bin/sleep", "60"], cwd=tmp_path) as bystander:
        try:
            assert not works_in(bystander.pid, [str(tmp_path.resolve())])
            assert not works_in_by_psutil(bystander.pid, [tmp_path.resolve()])
            assert listing([tmp_path.resolve()]) == []
        finally:
            bystander.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("listing", LISTINGS)
def test_postgres_is_found_by_directory_and_program(tmp_path: Path, listing: Listing) -> None:
    """A process counts by its directory and its program's name, also after both have been removed."""
    inside = tmp_path.resolve() / "data"
    inside.mkdir()
    program = tmp_path / "postgres"
    program.write_bytes(Path("/bin/sleep").resolve().read_bytes())
    program.chmod(0o755)
    with subprocess.Popen([program, "60"], cwd=inside) as server:
        try:
            assert listing([inside]) == [server.pid]
            program.unlink()
            inside.rmdir()
            assert listing([inside]) == [server.pid]
            assert listing([inside.parent]) == []
        finally:
            server.kill()
            server.wait()
        assert listing([inside]) == []


def test_the_launcher_reports_a_missing_directory(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A directory that the account cannot enter is an error with its name, before the program runs."""
    for name in ("setsid", "umask", "closerange"):
        monkeypatch.setattr(os, name, lambda *_: None)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    monkeypatch.setattr("infra.server.embedded.launcher.close_inherited_files", lambda: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    assert launch(["-", "-", "/nowhere", "/bin/true"]) == CANNOT_RUN
    assert capsys.readouterr().err == "/nowhere: No such file or directory\n"
