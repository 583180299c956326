"""The files that are linted: those of the paths named, and the other modules that they depend on."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import InfraError
from infra.lint.source_file import SourceFile, parse_file
from infra.modules.module import FOLDER_SETTINGS, MODULE_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

STDIN = Path("-")


@dataclass(frozen=True)
class Sources:
    """All files in the order of their numbers, and what is beside them in their directories."""

    files: list[SourceFile]
    other_entries: list[str]  # paths of what is not a file of SQL, in directories that were named
    directories: list[tuple[str, list[str]]]  # the directories that were named, with the names in them


def read_sources(paths: Sequence[Path]) -> Sources:
    """Read files, directories and standard input; the other modules beside a module are read, but not reported.

    Raises InfraError if a path cannot be read or there is no file of SQL.
    """
    reported: dict[Path, bool] = {}
    other_entries: list[str] = []
    directories: list[tuple[str, list[str]]] = []
    for path in paths:
        if path == STDIN:
            reported[path] = True
        elif path.is_dir():
            entries = sorted(path.iterdir())
            entries = [entry for entry in entries if not entry.name.startswith(".") and entry.name != FOLDER_SETTINGS]
            sql_files = dict.fromkeys((entry for entry in entries if entry.suffix == ".sql" and entry.is_file()), True)
            reported.update(sql_files)
            other_entries += [str(entry) for entry in entries if entry not in sql_files]
            directories.append((str(path), [entry.name for entry in entries]))
        else:
            if MODULE_NAME.fullmatch(path.name):
                modules = (
                    entry for entry in path.parent.iterdir() if MODULE_NAME.fullmatch(entry.name) and entry.is_file()
                )
                reported = {**dict.fromkeys(modules, False), **reported}
            reported[path] = True
    if not any(reported.values()) and not other_entries:
        raise InfraError("no SQL files", place=", ".join(map(str, paths)), remedy="name a directory or a file of SQL")
    files = [
        parse_file(str(path), "" if path == STDIN else path.name, _bytes(path), reported=is_reported)
        for path, is_reported in sorted(reported.items(), key=lambda item: _natural_key(item[0]))
    ]
    return Sources(files, other_entries, directories)


def _bytes(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except OSError as error:
        remedy = "name a file that exists and can be read"
        raise InfraError(f"cannot be read ({error.strerror})", place=str(path), remedy=remedy) from None


def _natural_key(path: Path) -> tuple[str, list[tuple[int, str]]]:
    """Return a sort key by which 9 comes before 10, and 010 beside 10."""
    pieces = re.findall(r"[0-9]+|[^0-9]+", path.name)
    return str(path.parent), [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in pieces]
