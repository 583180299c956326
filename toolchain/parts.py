"""The parts that a run needs and how each is had: from the machine when it is there, else built from Go modules."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
TOOLS = ROOT / ".tools"
SOURCES = ROOT / "toolchain"
PULUMI = (3, 259, 0)
LANGUAGE_HOST = "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python"
CLI = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
GIGABYTE = 1024**3
SPACE_TO_BUILD = 7 * GIGABYTE
SPACE_TO_RUN = 1 * GIGABYTE
PROGRESS = "go: downloading "


class SetupError(Exception):
    """What is missing, in one sentence that says what to install."""


@dataclass(frozen=True)
class Plugin:
    """A resource plugin in the version that its Python SDK asks for, and the folder it is built from."""

    name: str
    version: str

    @property
    def folder(self) -> str:
        """The folder's name below PULUMI_HOME/plugins."""
        return f"resource-{self.name}-v{self.version}"


def version_text() -> str:
    """Give Pulumi's pinned version."""
    return ".".join(map(str, PULUMI))


def plugins(*, docker: bool = False) -> list[Plugin]:
    """List the plugins of the SDKs in requirements.txt, and of a docker stack's."""
    text = "".join(path.read_text() for path in requirements(docker=docker))
    found = re.findall(r"^pulumi-(postgresql|docker)==([0-9.]+)", text, re.MULTILINE)
    return [Plugin(name, version) for name, version in found]


def requirements(*, docker: bool = False, development: bool = False) -> list[Path]:
    """List the files of pinned requirements; a docker stack's SDK would cost the others a plugin they never use."""
    names = [
        "requirements",
        *(["requirements-docker"] if docker else []),
        *(["requirements-dev"] if development else []),
    ]
    return [ROOT / f"{name}.txt" for name in names]


def is_docker(stack: str) -> bool:
    """Say whether a stack's file asks for the server kind docker; pip has installed nothing yet that reads YAML."""
    settings = ROOT / f"Pulumi.{stack.rpartition('/')[2]}.yaml"
    text = re.sub(r"(^|\s)#.*", "", settings.read_text(), flags=re.MULTILINE) if settings.exists() else ""
    return re.search(r"""\bkind["']?\s*:\s*["']?docker\b""", text) is not None


@functools.cache
def installed_pulumi() -> Path | None:
    """Give the user's own `pulumi`, when it is on PATH and new enough."""
    found = shutil.which("pulumi", path=path_without_tools())
    if not found:
        return None
    said = subprocess.run([found, "version"], capture_output=True, text=True, check=False, env=quiet()).stdout
    version = re.match(r"v?([0-9]+)\.([0-9]+)", said)
    return Path(found) if version and (int(version[1]), int(version[2])) >= PULUMI[:2] else None


def path_without_tools() -> str:
    """Give PATH without this project's own folder."""
    own = str(TOOLS / "bin")
    return os.pathsep.join(part for part in os.environ.get("PATH", "").split(os.pathsep) if part != own)


def quiet() -> dict[str, str]:
    """Give the environment with which `pulumi` asks no server for news."""
    return {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}


def user_home() -> Path:
    """Give the user's own Pulumi folder."""
    return Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")


def own_home() -> Path:
    """Give the project's own Pulumi folder, which holds what was built."""
    return TOOLS / "home"


def say(text: str) -> None:
    """Tell the user, at once."""
    print(text, file=sys.stderr, flush=True)


def make_venv(*, development: bool, docker: bool = False) -> None:
    """Make .venv from the pinned, hashed requirements; nothing is done when it is already so."""
    wanted = requirements(docker=docker, development=development)
    stamp = VENV / "installed.json"
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in wanted}
    done: dict[str, str] = {}
    with contextlib.suppress(OSError, ValueError):
        done = json.loads(stamp.read_text())
    if all(done.get(name) == digest for name, digest in digests.items()):
        return
    need_space(VENV, SPACE_TO_RUN)
    if not (VENV / "bin" / "python").exists():
        made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
        if made.returncode:
            shutil.rmtree(VENV, ignore_errors=True)
            version = f"{sys.version_info[0]}.{sys.version_info[1]}"
            raise SetupError(
                f"python -m venv does not work here; install python{version}-venv (Debian, Ubuntu) or a full Python"
            )
    arguments = [argument for path in wanted for argument in ("-r", str(path))]
    timed(
        f"installing {' and '.join(digests)} into .venv (about 20 s)",
        [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes", *arguments],
        "pip could not install the requirements: its own words stand above; is the package index reachable?",
    )
    stamp.write_text(json.dumps({**done, **digests}))


def timed(what: str, command: list[str], failure: str, *, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run a command with a line before and after it; when it fails, show its words and raise SetupError."""
    say(f"setup: {what} …")
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=cwd, env=env, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        say("".join(line for line in done.stdout.splitlines(keepends=True) if not line.startswith(PROGRESS)).rstrip())
        raise SetupError(failure)
    say(f"setup: done in {time.monotonic() - started:.0f} s")


def need_space(where: Path, needed: int) -> None:
    """Raise SetupError when the disk that will hold `where` has less than `needed` bytes left."""
    folder = where
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise SetupError(
            f"{folder} has {free / GIGABYTE:.1f} GiB free and this needs {needed / GIGABYTE:.0f} GiB; make room there"
        )


def need_go() -> str:
    """Give the `go` command; raises SetupError when there is none or it is too old."""
    needed = re.search(r"^go ([0-9]+)\.([0-9]+)", (SOURCES / "pulumi" / "go.mod").read_text(), re.MULTILINE)
    wanted = f"{needed[1]}.{needed[2]}" if needed else ""
    go = shutil.which("go")
    remedy = (
        f"install Go {wanted} or newer, or install the Pulumi CLI {version_text()} and run `make setup SETUP=online`"
    )
    if not go:
        raise SetupError(f"`go` is not on PATH, and Pulumi is built with it here; {remedy}")
    said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"go([0-9]+)\.([0-9]+)", said)
    if needed and found and (int(found[1]), int(found[2])) < (int(needed[1]), int(needed[2])):
        raise SetupError(f"{said.strip()} is too old to build Pulumi; {remedy}")
    return go


def build(go: str, part: str, package: str, target: Path, *, flags: str, expected: str) -> None:
    """Build one Go program of toolchain/<part> into `target`; a half-written file is never left under that name."""
    need_space(TOOLS, SPACE_TO_BUILD if not target.exists() else SPACE_TO_RUN)
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(target.name + ".new")
    environment = {**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false -tags=no_compose", "GOTOOLCHAIN": "local"}
    timed(
        f"building {target.name} (about {expected} the first time)",
        [go, "build", "-trimpath", "-ldflags", f"-s -w {flags}", "-o", str(new), package],
        f"{target.name} could not be built: Go's own words stand above; is the Go module proxy reachable?",
        cwd=SOURCES / part,
        env=environment,
    )
    new.replace(target)


def module_folder(go: str, module: str) -> Path:
    """Download a Go module that the CLI needs anyway, and give its folder."""
    said = subprocess.run(
        [go, "mod", "download", "-json", module],
        cwd=SOURCES / "pulumi",
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"},
    )
    try:
        return Path(json.loads(said.stdout)["Dir"])
    except (ValueError, KeyError):
        raise SetupError(f"{module} could not be downloaded; is the Go module proxy reachable?") from None
