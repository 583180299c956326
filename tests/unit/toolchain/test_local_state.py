"""The checkout's own state: whatever was lost, killed or done by hand, the next target continues or says what to do."""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import local_state
import parts
import pytest
import stack_names
from parts import SetupError, sentence_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.toolchain.conftest import Machine

SALT = "v1:aaaa=:v1:bbbb:cccc"
CREATES_A_STACK = f"""
sleep 0.2
folder={{state}}/backend/.pulumi/stacks/shop; mkdir -p $folder
provider='{{{{"type":"passphrase","state":{{{{"salt":"{SALT}"}}}}}}}}'
echo '{{{{"checkpoint":{{{{"latest":{{{{"secrets_providers":'"$provider"'}}}}}}}}}}}}' > $folder/$3.json
echo "$PWD" >> {{state}}/folders; ls Pulumi.yaml >/dev/null || exit 1
"""


@pytest.fixture
def checkout(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a checkout of a project with the stacks dev and prod, with a `pulumi` that can create stacks only."""
    monkeypatch.setattr(parts, "ROOT", tmp_path)
    monkeypatch.setattr(stack_names, "ROOT", tmp_path)
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    for stack in ("dev", "prod"):
        (tmp_path / f"Pulumi.{stack}.yaml").write_text(f"config:\n  shop:name: {stack}\n")
    machine.program("pulumi", CREATES_A_STACK.format(state=machine.state))
    return tmp_path


def lock_of(machine: Machine, stack: str, process: int, host: str = "") -> Path:
    """Write the lock of a run, as Pulumi does."""
    folder = machine.state / "backend/.pulumi/locks/organization/shop" / stack
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{process}.json"
    path.write_text(json.dumps({"pid": process, "hostname": host or socket.gethostname(), "username": "me"}))
    return path


def ended_process() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def ensure(stack: str) -> str:
    """Create a stack where it does not exist, and return its settings as `pulumi` gets them."""
    return local_state.ensure_stack(stack, dict(os.environ)).read_text()


def test_the_passphrase_is_made_once(machine: Machine, checkout: Path) -> None:
    """It is random, and readable by its owner alone, as the folder is; the next run uses it."""
    assert checkout.exists()
    ensure("dev")
    file = machine.state / "passphrase"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(machine.state.stat().st_mode) == 0o700
    passphrase = file.read_text()
    assert len(passphrase) >= 32
    ensure("dev")
    assert file.read_text() == passphrase
    assert local_state.state_variables()["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(file)
    assert local_state.state_variables()["PULUMI_BACKEND_URL"] == f"file://{machine.state}/backend?metadata=skip"


def test_a_users_passphrase_wins(machine: Machine, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A passphrase in the environment is the one that is used, and none is made."""
    assert checkout.exists()
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "mine")
    ensure("dev")
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in local_state.state_variables()
    assert not (machine.state / "passphrase").exists()


def test_a_lost_passphrase_is_refused_and_not_replaced(machine: Machine, checkout: Path) -> None:
    """A new one would decrypt nothing of the state, and hide that the old one is lost."""
    assert checkout.exists()
    ensure("dev")
    (machine.state / "passphrase").unlink()
    with pytest.raises(SetupError, match=r"state/passphrase is lost, .* in the state of dev; put it back from"):
        ensure("dev")
    with pytest.raises(SetupError, match="is lost"):
        ensure("prod")
    assert not (machine.state / "passphrase").exists()


def test_the_salt_is_the_states(checkout: Path) -> None:
    """Settings whose salt was lost, or that have one of another passphrase, get the salt of the state."""
    expected = f"config:\n  shop:name: dev\nencryptionsalt: {SALT}\n"
    merged = local_state.settings_in_state("dev")
    assert ensure("dev") == expected
    merged.unlink()
    assert ensure("dev") == expected
    with (checkout / "Pulumi.dev.yaml").open("a") as file:
        file.write("encryptionsalt: v1:xxxx=:v1:yyyy:zzzz\n")
    assert ensure("dev") == expected


def test_secrets_of_another_passphrase_are_one_sentence(machine: Machine, checkout: Path) -> None:
    """Secrets in a stack's file need its own salt; where they cannot be decrypted, nothing is run."""
    ensure("dev")
    text = "config:\n  shop:name:\n    secure: v1:abc\nencryptionsalt: v1:xxxx=:v1:yyyy:zzzz\n"
    (checkout / "Pulumi.dev.yaml").write_text(text)
    machine.program("pulumi", "exit 0")
    assert ensure("dev") == text
    machine.program("pulumi", "exit 255")
    with pytest.raises(SetupError, match=r"the secrets in Pulumi\.dev\.yaml are encrypted with another passphrase"):
        ensure("dev")


def test_a_creation_that_was_killed_is_repeated(machine: Machine, checkout: Path) -> None:
    """A stack's file without a salt is what a killed creation leaves; it has no resources."""
    assert checkout.exists()
    folder = machine.state / "backend/.pulumi/stacks/shop"
    folder.mkdir(parents=True)
    (folder / "dev.json").write_text('{"version":3,"checkpoint":{"stack":"organization/shop/dev"}}')
    (machine.state / "passphrase").write_text("x")
    assert SALT in ensure("dev")


def test_a_damaged_state_is_one_sentence(machine: Machine, checkout: Path) -> None:
    """A state that cannot be read is named, with the copy that Pulumi keeps."""
    assert checkout.exists()
    ensure("dev")
    (machine.state / "backend/.pulumi/stacks/shop/dev.json").write_text('{"checkpoint": {"la')
    with pytest.raises(SetupError, match=r"shop/dev\.json is damaged; .* in dev\.json\.bak: copy that over it"):
        ensure("dev")


def test_stacks_are_created_one_at_a_time(machine: Machine, checkout: Path) -> None:
    """Several new stacks at the same moment share a passphrase, and no folder."""
    assert checkout.exists()
    context = multiprocessing.get_context("fork")
    runs = [context.Process(target=ensure, args=(stack,)) for stack in ("dev", "prod", "a", "b")]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0] * 4
    assert local_state.known_stacks() == ["a", "b", "dev", "prod"]
    folders = (machine.state / "folders").read_text().splitlines()
    assert len(set(folders)) == 4
    assert [folder for folder in folders if os.path.lexists(folder)] == []


def test_the_lock_of_a_killed_run_is_released(
    machine: Machine, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A lock whose process has ended, or is no pulumi, holds no run up; that of a run elsewhere stays."""
    assert checkout.exists()
    dead, reused = ended_process(), os.getpid()
    locks = [lock_of(machine, "dev", dead), lock_of(machine, "dev", reused)]
    other = lock_of(machine, "dev", dead + 1, host="another-machine")
    local_state.release_dead_locks("dev")
    assert [lock.exists() for lock in locks] == [False, False]
    assert other.exists()
    assert f"the lock of a run that was killed (process {dead}) is released" in capsys.readouterr().err


@pytest.mark.parametrize("locked", [False, True])
def test_what_a_killed_run_was_creating_is_forgotten(machine: Machine, checkout: Path, *, locked: bool) -> None:
    """Pulumi would warn of it in every run; nothing else of the state changes, and nothing while a run goes on."""
    assert checkout.exists()
    ensure("dev")
    path = machine.state / "backend/.pulumi/stacks/shop/dev.json"
    document = json.loads(path.read_text())
    operations = [{"type": "creating"}, {"type": "updating"}]
    document["checkpoint"]["latest"] |= {"pending_operations": operations, "resources": [{"urn": "a"}]}
    path.write_text(json.dumps(document))
    if locked:
        lock_of(machine, "dev", 1, host="another-machine")
    ensure("dev")
    after = json.loads(path.read_text())
    document["checkpoint"]["latest"]["pending_operations"] = operations if locked else operations[1:]
    assert after == document


def test_killed_runs_of_any_stack_are_forgotten(machine: Machine, checkout: Path) -> None:
    """A command for environments learns the stack's name only later, so it asks for all."""
    assert checkout.exists()
    path = machine.state / "backend/.pulumi/stacks/shop/pr-12.json"
    for stack in ("dev", "pr-12"):
        ensure(stack)
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"checkpoint": {"latest": {"pending_operations": [{"type": "creating"}]}}}))
    locks = [lock_of(machine, stack, ended_process()) for stack in ("dev", "pr-12")]
    local_state.forget_killed_runs()
    assert [lock.exists() for lock in locks] == [False, False]
    assert json.loads(path.read_text())["checkpoint"]["latest"]["pending_operations"] == []


def test_the_lock_of_a_run_stays(machine: Machine, checkout: Path) -> None:
    """A lock whose pulumi runs is left alone."""
    assert checkout.exists()
    program = machine.bin / "pulumi"
    program.unlink()
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([str(program), "60"]) as process:
        try:
            lock = lock_of(machine, "dev", process.pid)
            local_state.release_dead_locks("dev")
            assert lock.exists()
        finally:
            process.kill()


def test_a_removal_that_was_killed_is_completed(machine: Machine, checkout: Path) -> None:
    """What a killed removal leaves goes, with the last stack the whole folder, and another stack is not touched."""
    assert checkout.exists()
    ensure("dev")
    ensure("prod")
    (machine.state / "backend/.pulumi/stacks/shop/dev.json").rename(
        machine.state / "backend/.pulumi/stacks/shop/dev.json.bak"
    )
    lock_of(machine, "dev", ended_process())
    assert local_state.remove_remains("dev")
    assert not local_state.settings_in_state("dev").exists()
    assert local_state.settings_in_state("prod").exists()
    assert not local_state.remove_remains("dev")
    (machine.state / "backend/.pulumi/stacks/shop/prod.json").unlink()
    assert local_state.remove_remains("prod")
    assert not machine.state.exists()


def test_a_checkout_that_cannot_be_written_to_is_one_sentence(machine: Machine, checkout: Path) -> None:
    """An error of the system is a sentence with the path."""
    assert checkout.exists()
    machine.state.write_text("a file where the folder has to be")
    with pytest.raises(OSError, match="state") as error:
        ensure("dev")
    assert sentence_of(error.value).startswith(f"{machine.state}")
    assert "\n" not in sentence_of(error.value)
    assert sentence_of(OSError(30, "Read-only file system", "/x")) == (
        "/x: Read-only file system; this needs a checkout that can be written to"
    )


@pytest.mark.parametrize("stack", ["Prod", "prdo", "organization/shop/PROD"])
def test_a_stack_without_a_file_is_one_sentence(checkout: Path, stack: str) -> None:
    """A mistyped stack is refused and not created; the message names the stacks that there are, and the nearest."""
    assert checkout.exists()
    with pytest.raises(SetupError, match=r"did you mean STACK=prod\? the stacks are dev, prod\. For a new one, copy"):
        stack_names.require_settings(stack)
    with pytest.raises(SetupError, match=r"there is no file Pulumi\.xyz\.yaml; the stacks are dev, prod"):
        stack_names.require_settings("xyz")
    stack_names.require_settings("prod")
