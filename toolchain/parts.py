"""The programs that a run needs: the installed ones where they are new enough, else built here from Go modules."""

from __future__ import annotations

import contextlib
import errno
import functools
import getpass
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
    """An error of the setup, as one sentence that says what is missing and what to install."""


def sentence_of(error: SetupError | OSError) -> str:
    """Return an error as one sentence; for one of the system with the file and what may be the matter."""
    if isinstance(error, SetupError):
        return str(error)
    remedies = {
        errno.EROFS: "this needs a checkout that can be written to",
        errno.EACCES: f"{getpass.getuser()} needs the right to write there",
        errno.ENOSPC: "free some space there",
    }
    remedy = remedies.get(error.errno or 0, "look what is there")
    return f"{error.filename or 'the checkout'}: {error.strerror or error}; {remedy}"


@dataclass(frozen=True)
class Plugin:
    """A resource plugin of Pulumi, in the version that its Python SDK requires; it is built from toolchain/<name>."""

    name: str
    version: str

    @property
    def folder(self) -> str:
        """Return the folder's name below PULUMI_HOME/plugins."""
        return f"resource-{self.name}-v{self.version}"


def version_text() -> str:
    """Return Pulumi's pinned version, such as 3.259.0."""
    return ".".join(map(str, PULUMI))


def plugins(*kinds: str) -> list[Plugin]:
    """Return the plugins of the SDKs in requirements.txt and in the files of these kinds of server."""
    text = "".join(path.read_text() for path in requirements(*kinds))
    pins = re.findall(r"^pulumi-(postgresql|docker)==([0-9.]+)", text, re.MULTILINE)
    return [Plugin(name, version) for name, version in pins]


def requirements(*kinds: str, development: bool = False) -> list[Path]:
    """Return the files of pinned requirements for these kinds of server.

    The Docker SDK has a file of its own: Pulumi requires the plugin of every SDK in the environment, and other stacks
    would build one that they do not use. So have the embedded server's programs, which not every system can install.
    """
    names = [
        "requirements",
        *(f"requirements-{kind}" for kind in kinds),
        *(["requirements-dev"] if development else []),
    ]
    return [path for name in names if (path := ROOT / f"{name}.txt").exists()]


def server_kind(stack: str) -> str:
    """Return the kind of server that a stack's file asks for: embedded, the default, docker or external.

    This is a regular expression because no YAML parser is installed when the setup runs.
    """
    settings = ROOT / f"Pulumi.{stack.rpartition('/')[2]}.yaml"
    text = re.sub(r"(^|\s)#.*", "", settings.read_text(), flags=re.MULTILINE) if settings.exists() else ""
    kind = re.search(r"""\bkind["']?\s*:\s*["']?(docker|external)\b""", text)
    return kind[1] if kind else "embedded"


@functools.cache
def installed_pulumi() -> Path | None:
    """Return the user's own `pulumi` if it is on PATH and at least of the pinned minor version, else None."""
    program = shutil.which("pulumi", path=path_without_tools())
    if not program:
        return None
    environment = without_update_check()
    output = subprocess.run([program, "version"], capture_output=True, text=True, check=False, env=environment).stdout
    version = re.match(r"v?([0-9]+)\.([0-9]+)", output)
    return Path(program) if version and (int(version[1]), int(version[2])) >= PULUMI[:2] else None


def path_without_tools() -> str:
    """Return PATH without this project's .tools/bin."""
    own = str(TOOLS / "bin")
    return os.pathsep.join(part for part in os.environ.get("PATH", "").split(os.pathsep) if part != own)


def without_update_check() -> dict[str, str]:
    """Return the environment in which `pulumi` asks no server whether there is a newer version."""
    return {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}


def user_home() -> Path:
    """Return the user's own Pulumi folder."""
    return Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")


def own_home() -> Path:
    """Return the project's own Pulumi folder, which holds the plugins that were built."""
    return TOOLS / "home"


def report(text: str) -> None:
    """Write a line to standard error at once, without buffering."""
    print(text, file=sys.stderr, flush=True)


def make_venv(*kinds: str, development: bool) -> None:
    """Create .venv from the pinned, hashed requirements; nothing is done when these are installed already."""
    files = requirements(*kinds, development=development)
    stamp = VENV / "installed.json"
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    installed: dict[str, str] = {}
    with contextlib.suppress(OSError, ValueError):
        installed = json.loads(stamp.read_text())
    if all(installed.get(name) == digest for name, digest in digests.items()):
        return
    require_space(VENV, SPACE_TO_RUN)
    if not (VENV / "bin" / "python").exists():
        venv = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
        if venv.returncode:
            shutil.rmtree(VENV, ignore_errors=True)
            version = f"{sys.version_info[0]}.{sys.version_info[1]}"
            raise SetupError(
                f"python -m venv does not work here; install python{version}-venv (Debian, Ubuntu) or a full Python"
            )
    arguments = [argument for path in files for argument in ("-r", str(path))]
    run_step(
        f"installing {' and '.join(digests)} into .venv (about 20 s)",
        [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes", *arguments],
        "pip could not install the requirements; its output is above. Check that the package index can be reached",
    )
    stamp.write_text(json.dumps({**installed, **digests}))


def run_step(
    step: str, command: list[str], failure: str, *, cwd: Path = ROOT, env: dict[str, str] | None = None
) -> None:
    """Run a command, with a line of progress before and after it.

    Raises SetupError with the text `failure` when the command fails, after its output without downloads was shown.
    """
    report(f"setup: {step} …")
    started = time.monotonic()
    result = subprocess.run(
        command, cwd=cwd, env=env, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if result.returncode:
        report(
            "".join(line for line in result.stdout.splitlines(keepends=True) if not line.startswith(PROGRESS)).rstrip()
        )
        raise SetupError(failure)
    report(f"setup: done in {time.monotonic() - started:.0f} s")


def require_space(path: Path, needed: int) -> None:
    """Raise SetupError when the disk that will hold `path` has less than `needed` bytes free."""
    folder = path
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise SetupError(
            f"{folder} has {free / GIGABYTE:.1f} GiB free and this needs {needed / GIGABYTE:.0f} GiB; "
            "free some space there"
        )


def require_go() -> str:
    """Return the path of `go`; raises SetupError when there is none or it is too old to build Pulumi."""
    directive = re.search(r"^go ([0-9]+)\.([0-9]+)", (SOURCES / "pulumi" / "go.mod").read_text(), re.MULTILINE)
    minimum = f"{directive[1]}.{directive[2]}" if directive else ""
    go = shutil.which("go")
    remedy = (
        f"install Go {minimum} or newer, or install the Pulumi CLI {version_text()} and run `make setup SETUP=online`"
    )
    if not go:
        raise SetupError(f"`go` is not on PATH, and it is needed to build Pulumi; {remedy}")
    output = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"go([0-9]+)\.([0-9]+)", output)
    if directive and version and (int(version[1]), int(version[2])) < (int(directive[1]), int(directive[2])):
        raise SetupError(f"{output.strip()} is too old to build Pulumi; {remedy}")
    return go


def build(go: str, part: str, package: str, target: Path, *, flags: str, expected: str) -> None:
    """Build a Go program of toolchain/<part> as `target`; a partly written file never has that name.

    `flags` are for the linker; `expected` is the time that the first build takes, for the line of progress.
    """
    require_space(TOOLS, SPACE_TO_BUILD if not target.exists() else SPACE_TO_RUN)
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(target.name + ".new")
    environment = {**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false -tags=no_compose", "GOTOOLCHAIN": "local"}
    run_step(
        f"building {target.name} (about {expected} the first time)",
        [go, "build", "-trimpath", "-ldflags", f"-s -w {flags}", "-o", str(new), package],
        f"{target.name} could not be built; Go's output is above. Check that the Go module proxy can be reached",
        cwd=SOURCES / part,
        env=environment,
    )
    new.replace(target)


def module_folder(go: str, module: str) -> Path:
    """Download a Go module that the CLI requires anyway, and return its folder."""
    download = subprocess.run(
        [go, "mod", "download", "-json", module],
        cwd=SOURCES / "pulumi",
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"},
    )
    try:
        return Path(json.loads(download.stdout)["Dir"])
    except (ValueError, KeyError):
        raise SetupError(f"{module} could not be downloaded; check that the Go module proxy can be reached") from None
