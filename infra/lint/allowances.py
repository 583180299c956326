"""Comments that allow a finding: `-- lint: allow M404 because …` at a statement, or `… in this file because …`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.errors import ModuleError
from infra.modules.statements import words

if TYPE_CHECKING:
    from infra.lint.source_file import LocatedStatement, SourceFile

LINT_COMMENT = re.compile(r"(?:--|/\*)\s*lint:\s*(?P<content>.*)", re.DOTALL)
ALLOW_CONTENT = re.compile(
    r"allow\s+(?P<codes>M[0-9]{3}(?:\s*,\s*M[0-9]{3})*)(?P<file>\s+in\s+this\s+file)?(?:\s+because\s+(?P<reason>\S.*))?",
    re.DOTALL,
)


@dataclass(eq=False)
class Allowance:
    """A comment that allows findings of some codes, at a statement or in the whole file."""

    file: SourceFile
    start: int  # offset of the comment in characters
    codes: tuple[str, ...]
    statement: LocatedStatement | None  # None for the whole file
    problem: str = ""  # what is wrong with the comment, which then allows nothing
    used: set[str] = field(default_factory=set[str])  # the codes that had a finding

    def allows(self, code: str, file: SourceFile | None, statement: LocatedStatement | None) -> bool:
        """Return whether this comment allows a finding, and record that it was used."""
        applies = file is self.file and (self.statement is None or statement is self.statement)
        if not applies or self.problem or code not in self.codes:
            return False
        self.used.add(code)
        return True


def read_allowances(file: SourceFile) -> list[Allowance]:
    """Read the comments of a file that begin with `lint:`; [] if the file cannot be cut into tokens."""
    if "lint:" not in file.text:
        return []
    try:
        comments = [word for word in words(file.text) if word.is_comment]
    except ModuleError:
        return []
    allowances: list[Allowance] = []
    for comment in comments:
        match = LINT_COMMENT.match(file.text[comment.start : comment.end])
        if match:
            allowances.append(_read_allowance(file, comment.start, match["content"].removesuffix("*/").strip()))
    return allowances


def _read_allowance(file: SourceFile, start: int, content: str) -> Allowance:
    match = ALLOW_CONTENT.fullmatch(content)
    if not match:
        return Allowance(file, start, (), None, "is not understood")
    statement = None if match["file"] else _statement_of_comment(file, start)
    problem = "" if match["reason"] else "gives no reason"
    if not problem and not match["file"] and statement is None:
        problem = "belongs to no statement"
    return Allowance(file, start, tuple(re.findall("M[0-9]{3}", match["codes"])), statement, problem)


def _statement_of_comment(file: SourceFile, offset: int) -> LocatedStatement | None:
    """Return the statement that a comment is in, otherwise the one that ends in its line, otherwise the next one."""
    for statement in file.statements:
        is_inside = statement.start <= offset < statement.end
        is_behind = statement.end <= offset and "\n" not in file.text[statement.end : offset]
        if is_inside or is_behind or statement.start > offset:
            return statement
    return None
