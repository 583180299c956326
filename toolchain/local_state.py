"""The checkout's own state, .state/: its passphrase, its stacks with the salt of their secrets, and their locks."""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import parts
from parts import SetupError, report

if TYPE_CHECKING:
    from collections.abc import Generator

STATE = parts.ROOT / ".state"
SALT = re.compile(r"^encryptionsalt:.*\n?", re.MULTILINE)
OTHER_PROVIDER = re.compile(r"^secretsprovider:", re.MULTILINE)
_SECRET = re.compile(r"\bsecure:")
_PASSPHRASES = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")


def file_backend(folder: Path) -> str:
    """Return the address of a backend in a folder, with `metadata=skip`: no attributes file beside each state file.

    Nothing reads those files, and Pulumi writes the whole state before and after each resource: they take a fifth of
    the time of a first `up` of 200 modules.
    """
    return f"file://{quote(str(folder))}?metadata=skip"


def passphrase_file() -> Path:
    """Return the path of the passphrase, which only its owner can read."""
    return STATE / "passphrase"


def _stacks() -> Path:
    return STATE / "backend" / ".pulumi" / "stacks" / _project_name()


def _locks(stack: str) -> Path:
    return STATE / "backend" / ".pulumi" / "locks" / "organization" / _project_name() / stack


def settings_in_state(stack: str) -> Path:
    """Return the path of a stack's settings with the salt of its secrets, as the last run had them."""
    return STATE / "config" / f"Pulumi.{stack}.yaml"


def _project_name() -> str:
    match = re.search(r"^name: *(\S+)", (parts.ROOT / "Pulumi.yaml").read_text(), re.MULTILINE)
    if not match:
        raise SetupError("Pulumi.yaml names no project; restore its line `name:`")
    return match[1]


def known_stacks() -> list[str]:
    """Return the names of the stacks that the state has, sorted."""
    return sorted(path.stem for path in _stacks().glob("*.json"))


def stack_exists(stack: str) -> bool:
    """Return whether the state has a stack."""
    return (_stacks() / f"{stack}.json").exists()


def deployment_of(stack: str) -> dict[str, Any]:
    """Return what the state has of a stack: its resources, secrets encrypted; empty where nothing was ever done.

    Raises SetupError where the file cannot be read.
    """
    path = _stacks() / f"{stack}.json"
    try:
        return json.loads(path.read_text())["checkpoint"].get("latest") or {}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SetupError(
            f"{path.relative_to(STATE.parent)} is damaged; the state before the last change is beside it, in "
            f"{path.name}.bak: copy that over it, and run `make refresh STACK={stack}`"
        ) from None


@contextmanager
def locked_checkout() -> Generator[None]:
    """Hold this checkout's lock: only one process at a time creates or removes what is in .state/.

    The lock is on a file that is never removed, unlike .state/ itself.
    """
    with (parts.ROOT / "Pulumi.yaml").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def state_variables() -> dict[str, str]:
    """Return the variables for the state in .state/ and its passphrase; the user's own passphrase wins."""
    variables = {"PULUMI_BACKEND_URL": file_backend(STATE / "backend")}
    if not any(os.environ.get(name) for name in _PASSPHRASES):
        variables["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(passphrase_file())
    return variables


def create_state() -> None:
    """Create .state/ with a random passphrase where it does not exist.

    Raises SetupError where the passphrase is lost: a new one would not decrypt the passwords of the stacks there.
    """
    (STATE / "backend").mkdir(parents=True, exist_ok=True)
    STATE.chmod(0o700)
    if any(os.environ.get(name) for name in _PASSPHRASES) or passphrase_file().exists():
        return
    if known_stacks():
        raise SetupError(
            f"{passphrase_file().relative_to(STATE.parent)} is lost, and it encrypts the passwords in the state of "
            f"{', '.join(known_stacks())}; put it back from a backup of this checkout, or export it as "
            "PULUMI_CONFIG_PASSPHRASE"
        )
    new = passphrase_file().with_name("passphrase.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(32))
    new.replace(passphrase_file())


def ensure_stack(stack: str, variables: dict[str, str]) -> Path:
    """Create a stack where it does not exist, and return a file of its settings with the salt of its secrets.

    Pulumi keeps the salt in Pulumi.<stack>.yaml. It belongs to this checkout's own passphrase, so in the committed file
    it would make the stack unusable for others; the file with both is in .state/. A stack whose settings are gone has
    those of its last run.
    """
    with locked_checkout():
        create_state()
        release_dead_locks(stack)
        salt = _salt_of(stack)
        forget_creations(stack)
        if salt is None:
            (_stacks() / f"{stack}.json").unlink(missing_ok=True)  # a creation that was killed; it has no resource
            _init(stack, variables)
            salt = _salt_of(stack) or ""
        settings = parts.ROOT / f"Pulumi.{stack}.yaml"
        source = settings if settings.exists() else settings_in_state(stack)
        text = source.read_text() if source.exists() else ""
        merged = settings_in_state(stack)
        merged.parent.mkdir(exist_ok=True)
        own_salt = SALT.search(text)
        if not OTHER_PROVIDER.search(text) and not (own_salt and _SECRET.search(text)):
            text = f"{SALT.sub('', text).rstrip()}\nencryptionsalt: {salt}\n"
        if not merged.exists() or merged.read_text() != text:
            merged.write_text(text)
    if own_salt and _SECRET.search(text) and salt not in own_salt[0]:
        _refuse_foreign_secrets(stack, merged, variables)
    return merged


def _salt_of(stack: str) -> str | None:
    """Return the salt of a stack's secrets, '' for a stack whose secrets have another provider, None for no stack."""
    provider: dict[str, Any] | None = deployment_of(stack).get("secrets_providers")
    if provider is None:
        return None
    state: dict[str, str] = provider.get("state") or {}
    return state.get("salt", "")


def _init(stack: str, variables: dict[str, str]) -> None:
    """Create a stack from a folder with nothing but the project's name, where Pulumi writes the salt."""
    with tempfile.TemporaryDirectory(dir=STATE, prefix="init-") as folder:
        Path(folder, "Pulumi.yaml").write_text(f"name: {_project_name()}\nruntime: python\n")
        command = ["pulumi", "stack", "init", stack, "--no-select"]
        result = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    if result.returncode:
        report(result.stderr.strip())
        raise SetupError(f"the stack {stack} could not be created in .state/; Pulumi's output is above")


def _refuse_foreign_secrets(stack: str, settings: Path, variables: dict[str, str]) -> None:
    """Raise SetupError where the passphrase does not decrypt the secrets of a stack's file."""
    command = ["pulumi", "config", "--json", "--show-secrets", "--stack", stack, "--config-file", str(settings)]
    if subprocess.run(command, cwd=parts.ROOT, env=variables, capture_output=True, check=False).returncode:
        raise SetupError(
            f"the secrets in Pulumi.{stack}.yaml are encrypted with another passphrase than this checkout's; export "
            "that one as PULUMI_CONFIG_PASSPHRASE, or take out the line `encryptionsalt` and set the secrets again: "
            'eval "$(make -s shell)", and `pulumi config set --secret --path …`'
        )


def release_dead_locks(stack: str) -> None:
    """Remove the locks of a stack whose processes have ended, by `kill -9` or a crash, on this machine."""
    for lock in _locks(stack).glob("*.json"):
        try:
            content = json.loads(lock.read_text())
            holder, machine = int(content["pid"]), content["hostname"]
        except (OSError, ValueError, KeyError, TypeError):  # it was killed while it wrote the file, or has just ended
            holder, machine = 0, socket.gethostname()
        if machine == socket.gethostname() and not _is_pulumi(holder):
            lock.unlink(missing_ok=True)
            report(f"the lock of a run that was killed (process {holder}) is released")


def forget_creations(stack: str) -> None:
    """Remove from a stack's state what killed runs were creating, while no run goes on.

    Pulumi would warn of it in every run. Nothing is lost: a run looks for what is on the server, and takes it over.
    """
    path = _stacks() / f"{stack}.json"
    if any(_locks(stack).glob("*.json")) or not path.exists():
        return
    text = path.read_text()
    if '"pending_operations"' not in text:  # a state may be large
        return
    document: dict[str, Any] = json.loads(text)
    latest: dict[str, Any] = document["checkpoint"].get("latest") or {}
    pending: list[dict[str, Any]] = latest.get("pending_operations") or []
    kept = [operation for operation in pending if operation["type"] != "creating"]
    if kept != pending:
        latest["pending_operations"] = kept
        new = path.with_name(f"{path.name}.new")
        new.write_text(json.dumps(document, indent=4))
        new.replace(path)


def forget_killed_runs() -> None:
    """Release the locks that killed runs of any stack have left, and forget what these were creating."""
    for stack in known_stacks():
        release_dead_locks(stack)
        forget_creations(stack)


def _is_pulumi(process: int) -> bool:
    """Return whether a process runs and is a `pulumi`: another one may have got the number of one that has ended."""
    command = ["ps", "-o", "stat=,comm=", "-p", str(process)]
    status, _, name = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip().partition(" ")
    return "pulumi" in name and not status.startswith("Z")


def remove_stack(stack: str, variables: dict[str, str]) -> bool:
    """Remove a destroyed stack from the state, and .state/ with the last stack; return whether it was removed.

    A stack that still has resources is kept: `pulumi stack rm` refuses to remove it.
    """
    command = ["pulumi", "stack", "rm", "--yes", "--preserve-config", "--stack", stack]
    with locked_checkout():
        result = subprocess.run(command, cwd=parts.ROOT, env=variables, capture_output=True, text=True, check=False)
        if result.returncode:
            return False
        remove_remains(stack)
    return True


def remove_remains(stack: str) -> bool:
    """Remove what is left of a stack that the state no longer has; return whether there was anything.

    A removal that was killed leaves a lock and backups; with the last stack .state/ is removed. The caller holds the
    checkout's lock.
    """
    release_dead_locks(stack)
    paths = [settings_in_state(stack), *_stacks().glob(f"{stack}.json.*"), *_locks(stack).glob("*")]
    found = [path for path in paths if path.exists()]
    for path in found:
        path.unlink()
    return remove_empty_state() or bool(found)


def remove_empty_state() -> bool:
    """Remove .state/ where it has no stack, and return whether it did; the caller holds the checkout's lock."""
    if not STATE.exists() or any(STATE.glob("backend/.pulumi/stacks/**/*.json")):
        return False
    shutil.rmtree(STATE)
    return True
