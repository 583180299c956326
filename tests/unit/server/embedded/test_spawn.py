"""Tests for the way programs are started: without a fork, without the caller's rights and files, and with an end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from infra.errors import ServerError
from infra.server.embedded import spawn
from infra.server.embedded.account import Account
from infra.server.embedded.launcher import CANNOT_RUN, main, processes_in, works_in

ME = Account("me", os.geteuid(), os.getegid(), switch=False)
ROOT = Path("/")
SHELL = "/bin/sh"


def shell(text: str, *, who: Account = ME, seconds: float = 20, standard_input: bytes = b"") -> spawn.ProcessResult:
    return spawn.run_program(SHELL, ["-c", text], who, directory=ROOT, seconds=seconds, standard_input=standard_input)


def ends(group: int) -> bool:
    """Say whether all processes of a group are gone within 10 s."""
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
    """What is handed over on standard input arrives whole."""
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
    os.set_inheritable(writer, True)  # noqa: FBT003 - it is called so
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
    """As root, the program has the account's ids, no groups, and no way back."""
    who = Account("somebody", 64_000, 64_001, switch=True)
    assert shell("id -u; id -g; id -G", who=who).output.split() == ["64000", "64001", "64001"]
    assert shell("cat /etc/shadow", who=who).status != 0


def test_cannot_be_run(tmp_path: Path) -> None:
    """A program that is missing or not executable is the trampoline's own exit status, with the reason."""
    file = tmp_path / "tool"
    file.write_text("no program")
    result = spawn.run_program(file, [], ME, directory=ROOT, seconds=10)
    assert (result.status, result.last_lines()) == (CANNOT_RUN, f"{file}: Permission denied")
    with pytest.raises(ServerError, match="/nowhere/tool: cannot be run: No such file"):
        spawn.run_command(["/nowhere/tool"], seconds=10)


def test_hanging_program_is_killed(tmp_path: Path) -> None:
    """After its time the program goes with its children, and the error names it."""
    began = time.monotonic()
    with pytest.raises(ServerError) as caught:
        shell(f"echo $$ > {tmp_path}/pid; sleep 60 & sleep 60", seconds=0.5)
    assert str(caught.value) == "/bin/sh: did not end within 0.5 s, and was killed"
    assert time.monotonic() - began < 10
    group = int((tmp_path / "pid").read_text())
    assert ends(group)


def test_daemon_does_not_hold_the_caller() -> None:
    """A child that lives on with the output open does not keep run() waiting."""
    began = time.monotonic()
    result = shell("sleep 20 & echo $!")
    assert time.monotonic() - began < 10
    os.kill(int(result.output), signal.SIGKILL)


def test_never_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs start by posix_spawn: a fork in a process with gRPC's threads has crashed the child."""
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

    def one(number: int) -> None:
        results[number] = shell(f"echo {number}").output

    threads = [threading.Thread(target=one, args=[number]) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: f"{number}\n" for number in range(16)}


def test_interrupt_leaves_nothing_running(tmp_path: Path) -> None:
    """A Ctrl-C while a program runs ends that program before the caller sees the interrupt."""
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from infra.server import spawn; from infra.server.embedded.account import Account\n"
        "spawn.run('/bin/sh', ['-c', 'echo $$ > ' + sys.argv[2] + '; sleep 60'],"
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


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_only_postgresql_counts(tmp_path: Path) -> None:
    """A shell or an editor that somebody opened in the data directory is none of the server's processes."""
    with subprocess.Popen(["/bin/sleep", "60"], cwd=tmp_path) as bystander:
        try:
            assert not works_in(bystander.pid, [str(tmp_path.resolve())])
            assert processes_in([str(tmp_path.resolve())]) == []
        finally:
            bystander.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_postgres_is_found_by_directory_and_program(tmp_path: Path) -> None:
    """A process counts by its directory and its program's name, also after both have been removed."""
    inside = tmp_path.resolve() / "data"
    inside.mkdir()
    program = tmp_path / "postgres"
    program.write_bytes(Path("/bin/sleep").resolve().read_bytes())
    program.chmod(0o755)
    with subprocess.Popen([program, "60"], cwd=inside) as server:
        try:
            assert processes_in([str(inside)]) == [server.pid]
            program.unlink()
            inside.rmdir()
            assert processes_in([str(inside)]) == [server.pid]
            assert processes_in([str(inside.parent)]) == []
        finally:
            server.kill()


def test_trampoline_reports_a_missing_directory(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A directory that the account cannot enter is an error with its name, before the program runs."""
    for name in ("setsid", "umask", "closerange"):
        monkeypatch.setattr(os, name, lambda *_: None)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    monkeypatch.setattr("infra.server.embedded.launcher.close_inherited_files", lambda: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    assert main(["-", "-", "/nowhere", "/bin/true"]) == CANNOT_RUN
    assert capsys.readouterr().err == "/nowhere: No such file or directory\n"
