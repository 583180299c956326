"""The sections of docs/lint.md, one for each rule, as the command line prints them."""

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
    """Return the section of a code; raises InfraError if there is none."""
    section = sections().get(code.upper())
    if section is None:
        raise InfraError(f"{code} is not the code of a rule", remedy="`python -m infra lint --list` lists them")
    return section


def sections() -> dict[str, str]:
    """Return the section of each code, from its heading to the next one; raises InfraError without docs/lint.md."""
    try:
        text = PAGE.read_text(encoding="utf-8")
    except OSError as error:
        remedy = "restore it: the explanations of the rules are read from the repository's docs/"
        raise InfraError(f"cannot be read ({error.strerror})", place=str(PAGE), remedy=remedy) from None
    matches = re.finditer(r"^### (?P<code>M[0-9]{3}): .*?(?=^#{1,3} |\Z)", text, re.MULTILINE | re.DOTALL)
    return {match["code"]: match[0].strip() for match in matches}


def list_rules(rules: Mapping[str, RuleText]) -> str:
    """Return a line for each rule: code, severity and title."""
    return "".join(f"{code}  {rule.severity:7}  {rule.title}\n" for code, rule in sorted(rules.items()))
