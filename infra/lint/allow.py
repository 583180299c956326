"""Comments that allow a finding: `-- lint: allow M404 because …` at a statement, or `… in this file because …`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.errors import ModuleError
from infra.modules.statements import words

if TYPE_CHECKING:
    from infra.lint.source import Located, SourceFile

MARK = re.compile(r"(?:--|/\*)\s*lint:\s*(?P<rest>.*)", re.DOTALL)
ALLOW = re.compile(
    r"allow\s+(?P<codes>M[0-9]{3}(?:\s*,\s*M[0-9]{3})*)(?P<file>\s+in\s+this\s+file)?(?:\s+because\s+(?P<reason>\S.*))?",
    re.DOTALL,
)


@dataclass(eq=False)
class Allowance:
    """One comment: what it allows, where it stands, and for which statement; None is the whole file."""

    file: SourceFile
    start: int
    codes: tuple[str, ...]
    reason: str
    located: Located | None
    wrong: str = ""
    used: set[str] = field(default_factory=set[str])

    def allows(self, code: str, file: SourceFile | None, located: Located | None) -> bool:
        """Say whether a finding is allowed here, and remember that it was."""
        here = file is self.file and (self.located is None or located is self.located)
        if not here or self.wrong or code not in self.codes:
            return False
        self.used.add(code)
        return True


def allowances(file: SourceFile) -> list[Allowance]:
    """Read the comments of a file that allow something."""
    if "lint:" not in file.text:
        return []
    try:
        comments = [word for word in words(file.text) if word.is_comment]
    except ModuleError:
        return []
    found: list[Allowance] = []
    for comment in comments:
        marked = MARK.match(file.text[comment.start : comment.end])
        if marked:
            found.append(_allowance(file, comment.start, marked["rest"].removesuffix("*/").strip()))
    return found


def _allowance(file: SourceFile, start: int, said: str) -> Allowance:
    allowed = ALLOW.fullmatch(said)
    if not allowed:
        wrong = "is not understood"
        return Allowance(file, start, (), "", None, wrong)
    codes = tuple(re.findall("M[0-9]{3}", allowed["codes"]))
    located = None if allowed["file"] else _statement_at(file, start)
    wrong = "" if allowed["reason"] else "gives no reason"
    if not wrong and not allowed["file"] and located is None:
        wrong = "stands at no statement"
    return Allowance(file, start, codes, allowed["reason"] or "", located, wrong)


def _statement_at(file: SourceFile, offset: int) -> Located | None:
    """Find the statement that a comment is in, that ends in its line, or else the next one."""
    for located in file.statements:
        if located.start <= offset < located.end:
            return located
        if located.end <= offset and "\n" not in file.text[located.end : offset]:
            return located
        if located.start > offset:
            return located
    return None
