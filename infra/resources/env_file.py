"""The block of an `.env` file with the connection settings that applications read, as a resource."""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, UpdateResult

from infra.errors import InfraError
from infra.resources.base import DynamicResource, Properties, Provider, changed, is_known, without
from infra.server.file_io import write_whole

if TYPE_CHECKING:
    from collections.abc import Generator

BEGIN = "# >>> platform-postgres: written by `pulumi up`; what is changed between these marks is lost\n"
END = "# <<< platform-postgres\n"
BLOCK = re.compile(
    f"^{re.escape(BEGIN.strip())}\\r?\\n(.*?)^{re.escape(END.strip())}\\r?(?:\\n|\\Z)", re.MULTILINE | re.DOTALL
)
MODE = 0o600


class EnvFileProvider(Provider):
    """Owns one marked block of the file; everything around it belongs to others and stays."""

    def create(self, props: Properties) -> CreateResult:
        """Write the block."""
        return CreateResult(props["path"], _written(props))

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when the content differs, here or in the file; another path is another file."""
        old, new = Path(_olds["path"]), Path(_news["path"])
        moved = ["path"] if old.resolve() != new.resolve() else []
        content = _digest(_news["content"]) if is_known(_news["content"]) else ""
        stale = {_olds["digest"], _digest(_split(old).block)} != {content}
        return DiffResult(changes=stale or bool(changed(_olds, _news, "path")), replaces=moved)

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Write the block again."""
        return UpdateResult(_written(_news))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Return the digest of the block in the file; without a block the resource is gone."""
        block = _split(Path(props["path"])).block
        return ReadResult("", {}) if block is None else ReadResult(id_, {**props, "digest": _digest(block)})

    def delete(self, _id: str, _props: Properties) -> None:
        """Remove the block, and a file that held nothing else; the target of a symbolic link is emptied."""
        path = Path(_props["path"])
        before, block, after = _split(path)
        if block is None:
            return
        if before + after or path.is_symlink():
            _write(path, before + after)
        else:
            with _writing(path):
                path.unlink()


class Parts(NamedTuple):
    """A file's text before, in and after the block; `block` is None where there is none."""

    before: str
    block: str | None
    after: str


def _digest(content: str | None) -> str:
    return "none" if content is None else "sha256:" + hashlib.sha256(content.encode()).hexdigest()


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode()  # not read_text: the line ends of others stay as they are
    except FileNotFoundError:
        return ""
    except OSError as error:
        what = f"cannot be read ({error.strerror})"
    except UnicodeDecodeError:
        what = "is not UTF-8"
    raise InfraError(what, place=str(path), remedy="mend it, or set `env_file` to another")


def _split(path: Path) -> Parts:
    """Return the parts of a file; raises InfraError where the marks are no pair, so that its bounds are unclear."""
    text = _read(path)
    found = BLOCK.search(text)
    parts = Parts(text[: found.start()], found[1], text[found.end() :]) if found else Parts(text, None, "")
    if any(mark.strip() in part for mark in (BEGIN, END) for part in parts if part):
        raise InfraError(
            "the marks of platform-postgres in it are not one pair",
            place=str(path),
            remedy="remove them, and what was written between them",
        )
    return parts


def _written(props: Properties) -> Properties:
    path = Path(props["path"])
    before, block, after = _split(path)
    if block is None and before and not before.endswith("\n"):
        before += "\n"
    _write(path, before + BEGIN + props["content"] + END + after)
    return {**without(props, "content"), "digest": _digest(props["content"])}


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner alone; a symbolic link is followed."""
    with _writing(path):
        target = path.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, text, mode=MODE)


@contextmanager
def _writing(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise InfraError(
            f"cannot be written ({error.strerror})",
            place=str(path),
            remedy="make its folder writable, or set `env_file` to another",
        ) from None


class EnvFile(DynamicResource, module="postgres", name="EnvFile"):
    """An `.env` file; `content` is secret, `path` is seen from the project's folder."""

    path: pulumi.Output[str]

    def __init__(
        self, name: str, *, path: str, content: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(EnvFileProvider, name, {"path": path, "content": content, "digest": None}, opts)
