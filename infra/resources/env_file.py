"""The block of an `.env` file with the connection settings that applications read, tracked as a resource."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, UpdateResult

from infra.errors import InfraError
from infra.resources.boundary import DynamicResource, Properties, Provider, changed, plainly

BEGIN = "# >>> platform-postgres: written by `pulumi up`; what is changed between these marks is lost\n"
END = "# <<< platform-postgres\n"
MODE = 0o600


class EnvFileProvider(Provider):
    """Keeps one marked block of the file as it should be; everything around it is somebody else's and stays."""

    @plainly
    def create(self, props: Properties) -> CreateResult:
        """Write the block."""
        return CreateResult(props["path"], _written(props))

    @plainly
    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Change when the content does, here or in the file; another path is another file."""
        moved = changed(_olds, _news, "path")
        stale = _digest(_block(Path(_olds["path"]))) != _digest(_olds["content"])
        return DiffResult(changes=bool(moved) or stale or bool(changed(_olds, _news, "content")), replaces=moved)

    @plainly
    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Write the block again."""
        return UpdateResult(_written(_news))

    @plainly
    def read(self, id_: str, props: Properties) -> ReadResult:
        """Digest the block as it is; no block, no resource."""
        block = _block(Path(props["path"]))
        return ReadResult("", {}) if block is None else ReadResult(id_, {**props, "digest": _digest(block)})

    @plainly
    def delete(self, _id: str, _props: Properties) -> None:
        """Take the block out, and remove a file that held nothing else."""
        path = Path(_props["path"])
        if _block(path) is None:
            return
        before, after = _around(path)
        if before + after:
            _write(path, before + after)
        else:
            path.unlink()


def _digest(content: str | None) -> str:
    return "none" if content is None else "sha256:" + hashlib.sha256(content.encode()).hexdigest()


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise InfraError(
            f"cannot be read ({type(error).__name__})", place=str(path), remedy="mend it, or set `env_file` to another"
        ) from None


def _block(path: Path) -> str | None:
    """Give what stands between the marks, or None where they are not there."""
    _, begin, rest = _read(path).partition(BEGIN)
    block, end, _ = rest.partition(END)
    return block if begin and end else None


def _around(path: Path) -> tuple[str, str]:
    """Give what stands before and after the block; without a block all of it stands before."""
    text = _read(path)
    if _block(path) is None:
        return text + ("" if not text or text.endswith("\n") else "\n"), ""
    before, _, rest = text.partition(BEGIN)
    return before, rest.partition(END)[2]


def _written(props: Properties) -> Properties:
    path = Path(props["path"])
    before, after = _around(path)
    _write(path, before + BEGIN + props["content"] + END + after)
    return {**props, "digest": _digest(props["content"])}


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner alone; a link is written through."""
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "w") as file:
        file.write(text)
    new.replace(path)


class EnvFile(DynamicResource, module="postgres", name="EnvFile"):
    """An `.env` file; `content` is secret, `path` is seen from the project's folder."""

    path: pulumi.Output[str]

    def __init__(
        self, name: str, *, path: str, content: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(EnvFileProvider, name, {"path": path, "content": content, "digest": None}, opts)
