"""Generated files in a directory: how they differ from the generated texts, and writing those that differ."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import unified_diff
from typing import TYPE_CHECKING

from infra.errors import ModuleFileError
from infra.generate.from_models import WRITTEN_BY
from infra.modules.module import MODULE_NAME, load_module, order, require_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from infra.modules.module import Module


@dataclass(frozen=True)
class Generated:
    """One kind of generated files, which are recognized by their suffix and by words in one of the first lines."""

    suffixes: tuple[str, ...]
    words: str
    lines: int  # the number of lines at the top that may contain the words

    def claims(self, content: bytes) -> bool:
        """Return whether a file with this content was generated."""
        return any(self.words.encode() in line for line in content.split(b"\n", self.lines)[: self.lines])


MODULE_FILES = Generated((".sql",), WRITTEN_BY, 2)


def hand_written_modules(directory: Path) -> list[Module]:
    """Return the modules of a directory that are not generated, in the order of their numbers; [] if it is missing.

    Their numbers may have gaps, where generated ones are missing. Raises ModuleFileError for one that cannot be read.
    """
    generated = _generated_files(directory, MODULE_FILES) if directory.is_dir() else {}
    paths = sorted(directory.iterdir()) if directory.is_dir() else []
    modules = [
        load_module(path, str(path))
        for path in paths
        if MODULE_NAME.fullmatch(path.name) and path.name not in generated
    ]
    return sorted(modules, key=lambda module: order(module.name))


def file_differences(files: Mapping[str, str], directory: Path, kind: Generated = MODULE_FILES) -> dict[str, str]:
    """Return a unified diff by file name for each file that differs from its text in `files`; nothing is written.

    Files that were generated earlier and are not in `files`, for example since their module was renamed, differ too.
    Raises ModuleFileError for a directory or file that cannot be read.
    """
    existing = _generated_files(directory, kind)
    diffs: dict[str, str] = {}
    for name in sorted({*files, *existing}):
        before = existing[name] if name in existing else _content(directory / name)
        after = files[name].encode() if name in files else None
        if before != after:
            diffs[name] = "".join(_diff(str(directory / name), before, after))
    return diffs


def write_files(files: Mapping[str, str], directory: Path, kind: Generated = MODULE_FILES) -> dict[str, str]:
    """Write the files that differ and remove those that are generated no longer; equal files are not written.

    Returns `written` or `removed` by file name. Raises ModuleFileError for what the system refuses.
    """
    actions: dict[str, str] = {}
    for name in file_differences(files, directory, kind):
        path = directory / name
        try:
            if name in files:
                path.write_bytes(files[name].encode())
                actions[name] = "written"
            else:
                path.unlink()
                actions[name] = "removed"
        except OSError as error:
            raise ModuleFileError(
                f"cannot be {'written' if name in files else 'removed'}: {error.strerror}",
                place=str(path),
                remedy="make it writable, or name another directory",
            ) from None
    return actions


def _generated_files(directory: Path, kind: Generated) -> dict[str, bytes]:
    """Return the content of the generated files in the directory, by file name."""
    require_directory(directory)
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
    # At line feeds only: str.splitlines also splits at other characters, such as a form feed.
    text = (content or b"").decode(errors="backslashreplace")
    return [line + "\n" for line in text.split("\n")[:-1]] + [line for line in text.split("\n")[-1:] if line]
