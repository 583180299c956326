"""The generated files in a directory: how they differ from what the models say, and writing only what differs."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import unified_diff
from typing import TYPE_CHECKING

from infra.errors import ModuleFileError
from infra.generate.from_models import WRITTEN_BY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Generated:
    """How generated files are told from others: by what their names end in, and words in one of their first lines."""

    suffixes: tuple[str, ...]
    words: str
    lines: int  # how many lines from the top the words may be

    def claims(self, content: bytes) -> bool:
        """Say whether a file with this content was generated."""
        return any(self.words.encode() in line for line in content.split(b"\n", self.lines)[: self.lines])


MODULE_FILES = Generated((".sql",), WRITTEN_BY, 2)


def file_differences(files: Mapping[str, str], directory: Path, kind: Generated = MODULE_FILES) -> dict[str, str]:
    """Give a unified diff for each file name whose text in the directory is not the wanted one; nothing is written.

    A file that was generated once and is wanted no more, because its module has another name now, counts as well.
    """
    present = _generated_files(directory, kind)
    found: dict[str, str] = {}
    for name in sorted({*files, *present}):
        before = present[name] if name in present else _content(directory / name)
        after = files[name].encode() if name in files else None
        if before != after:
            found[name] = "".join(_diff(str(directory / name), before, after))
    return found


def write_files(files: Mapping[str, str], directory: Path, kind: Generated = MODULE_FILES) -> dict[str, str]:
    """Make the directory hold these files, leaving equal ones untouched; give `written` or `removed` by file name."""
    done: dict[str, str] = {}
    for name in file_differences(files, directory, kind):
        path = directory / name
        try:
            if name in files:
                path.write_bytes(files[name].encode())
                done[name] = "written"
            else:
                path.unlink()
                done[name] = "removed"
        except OSError as error:
            raise ModuleFileError(
                f"cannot be {'written' if name in files else 'removed'}: {error.strerror}",
                place=str(path),
                remedy="make it writable, or name another directory",
            ) from None
    return done


def _generated_files(directory: Path, kind: Generated) -> dict[str, bytes]:
    """Give the files in the directory that say that they are generated."""
    if not directory.is_dir():
        raise ModuleFileError("no such directory", place=str(directory), remedy="make it, or name another directory")
    paths = [path for path in sorted(directory.iterdir()) if path.suffix in kind.suffixes]
    contents = {path.name: _content(path) or b"" for path in paths}
    return {name: content for name, content in contents.items() if kind.claims(content)}


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ModuleFileError(
            f"cannot be read: {error.strerror}", place=str(path), remedy="make it readable, or name another directory"
        ) from None


def _diff(path: str, before: bytes | None, after: bytes | None) -> Iterator[str]:
    lines = unified_diff(
        _lines(before),
        _lines(after),
        fromfile=path if before is not None else "/dev/null",
        tofile=path if after is not None else "/dev/null",
    )
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(content: bytes | None) -> list[str]:
    # Only at line feeds: str.splitlines would also split at characters that are part of a line in SQL.
    text = (content or b"").decode(errors="backslashreplace")
    return [line + "\n" for line in text.split("\n")[:-1]] + [line for line in text.split("\n")[-1:] if line]
