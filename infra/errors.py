"""What can go wrong, as types with fields and an exit status; each reads as a sentence with place and remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class InfraError(Exception):
    """Anything this program refuses or cannot do. `str()` gives `place: what; remedy`, and never a secret."""

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


@dataclass(frozen=True)
class SettingProblem:
    """One wrong setting: its key, the value found (already safe to print) and what is allowed."""

    key: str
    found: str
    required: str

    def __str__(self) -> str:
        return f"{self.key}: {self.found}; {self.required}"


class SettingsError(InfraError):
    """Every wrong setting of a stack at once, a line each."""

    def __init__(self, stack_file: str, problems: list[SettingProblem]) -> None:
        count = f"{len(problems)} wrong settings" if len(problems) > 1 else "1 wrong setting"
        super().__init__(f"{count}, nothing was changed", place=stack_file)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  {problem}" for problem in self.problems)])


class ModuleFileError(InfraError):
    """A module file that is not taken as it is; `place` is path[:line[:column]]."""


class ServerError(InfraError):
    """A PostgreSQL server that cannot be made, started, reached or stopped."""


class LedgerError(InfraError):
    """The ledger in the database contradicts what this stack expects, so nothing was written."""


class RefusedError(InfraError):
    """A step that could lose data or hide a difference, so it was not taken."""


class BusyError(InfraError):
    """Somebody else holds what this step needs, for longer than it may wait."""


@dataclass(frozen=True)
class SourcePlace:
    """Where in a module file something is: lines and columns count from 1, columns in characters."""

    path: str
    line: int
    column: int
    text: str  # the whole line, without its end

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"

    def with_caret(self) -> str:
        """Give the line with a caret under the column; tabs keep their width."""
        lead = "".join("\t" if character == "\t" else " " for character in self.text[: self.column - 1])
        return f"  {self.text}\n  {lead}^"


class ModuleError(InfraError):
    """PostgreSQL refused a statement of a module: its message, SQLSTATE, detail and hint, at a place in the file."""

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
