"""What docs/lint.md says of a code, for those who ask on the command line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import InfraError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.findings.finding import RuleText

PAGE = Path(__file__).parents[2] / "docs" / "lint.md"


def explain(code: str) -> str:
    """Give the section of a code; raises InfraError where there is none."""
    found = sections().get(code.upper())
    if found is None:
        raise InfraError(f"{code} is no code", remedy="`python -m infra lint --list` has them all")
    return found


def sections() -> dict[str, str]:
    """Give the section of each code, from its heading to the next one."""
    try:
        text = PAGE.read_text(encoding="utf-8")
    except OSError as error:
        raise InfraError(
            f"cannot be read ({error.strerror})", place=str(PAGE), remedy="take the whole checkout"
        ) from None
    found = re.finditer(r"^### (?P<code>M[0-9]{3}): .*?(?=^#{1,3} |\Z)", text, re.MULTILINE | re.DOTALL)
    return {one["code"]: one[0].strip() for one in found}


def listing(rules: Mapping[str, RuleText]) -> str:
    """Give a line for each rule: code, severity and title."""
    return "".join(f"{code}  {rule.severity:7}  {rule.title}\n" for code, rule in sorted(rules.items()))
