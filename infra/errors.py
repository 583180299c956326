"""The exceptions of this program: each has fields and an exit status, and reads `place: what happened; remedy`."""

from __future__ import annotations

import errno
import shutil
from dataclasses import dataclass
from typing import ClassVar, cast


class InfraError(Exception):
    """The base of all errors of this program; `str()` is `place: what; remedy`, and never contains a secret."""

    exit_status: ClassVar[int] = 1

    def __init__(self, what: str, *, place: str = "", remedy: str = "") -> None:
        super().__init__(what, place, remedy)
        self.what = what
        self.place = place
        self.remedy = remedy

    def __str__(self) -> str:
        place = f"{self.place}: " if self.place else ""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{place}{self.what}{remedy}"


_SYSTEM_REMEDIES = {
    errno.ENOSPC: "free some space there, then run again",
    errno.EDQUOT: "free some space there, then run again",
    errno.EROFS: "this needs a place that can be written to",
    errno.EACCES: "run as a user who may do that, or change the permissions",
    errno.EPERM: "run as a user who may do that, or change the permissions",
}


def system_error_text(error: OSError) -> str:
    """Return an error of the operating system as one sentence: the file, what is the matter, and what to do."""
    if isinstance(error, shutil.Error):  # of many files that were copied, each with source, copy and reason
        failed = cast("list[tuple[str, str, str]]", error.args[0])
        return f"{failed[0][1]}: {failed[0][2]}; {len(failed)} files could not be copied"
    place = f"{error.filename}: " if error.filename else ""
    remedy = _SYSTEM_REMEDIES.get(error.errno or 0, "")
    return f"{place}{error.strerror or error}{f'; {remedy}' if remedy else ''}"


@dataclass(frozen=True)
class SettingProblem:
    """One wrong setting: its key, the value in the file (already safe to print) and the values that are allowed."""

    key: str
    found: str
    required: str

    def __str__(self) -> str:
        return f"{self.key}: {self.found}; {self.required}"


class SettingsError(InfraError):
    """All wrong settings of a stack at once, a line each."""

    def __init__(self, stack_file: str, problems: list[SettingProblem]) -> None:
        count = f"{len(problems)} wrong settings" if len(problems) > 1 else "1 wrong setting"
        super().__init__(f"{count}; no server and no database was changed", place=stack_file)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  {problem}" for problem in self.problems)])


class ModuleFileError(InfraError):
    """A module file that cannot be used as it is; `place` is path[:line[:column]]."""


class ServerError(InfraError):
    """A PostgreSQL server that cannot be created, started, reached or stopped."""


class ClosedError(ServerError):
    """A database that takes no connections; what the stack declares of it is found and taken back from another one."""


class LedgerError(InfraError):
    """A ledger in the database that contradicts what this stack expects; nothing was written."""


class RefusedError(InfraError):
    """A step that was not taken, because it could lose data or hide a difference."""


class BusyError(InfraError):
    """A lock that another session or process held for longer than this step may wait."""


@dataclass(frozen=True)
class SourcePlace:
    """A position in a module file: lines and columns count from 1, columns in characters."""

    path: str
    line: int
    column: int
    text: str  # the whole line, without its end

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"

    def with_caret(self) -> str:
        """Return the line and below it a caret under the column; tabs before the column stay tabs to align both."""
        lead = "".join("\t" if character == "\t" else " " for character in self.text[: self.column - 1])
        return f"  {self.text}\n  {lead}^"


class ModuleError(InfraError):
    """A statement that PostgreSQL refused: its message, SQLSTATE, detail and hint, at a place in the module."""

    def __init__(
        self,
        message: str,
        *,
        sqlstate: str = "",
        at: SourcePlace | None = None,
        path: str = "",
        detail: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message, place=str(at) if at else path)
        self.sqlstate = sqlstate
        self.at = at
        self.detail = detail
        self.hint = hint

    def explained(self, *, detail: str = "", hint: str = "") -> ModuleError:
        """Return this error with a detail and a hint where it has none."""
        return ModuleError(
            self.what,
            sqlstate=self.sqlstate,
            at=self.at,
            path=self.place,
            detail=self.detail or detail,
            hint=self.hint or hint,
        )

    def __str__(self) -> str:
        state = f" [{self.sqlstate}]" if self.sqlstate else ""
        lines = [f"{self.place}: {self.what}{state}" if self.place else f"{self.what}{state}"]
        if self.at:
            lines.append(self.at.with_caret())
        if self.detail:
            lines.append(f"  detail: {self.detail}")
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)
