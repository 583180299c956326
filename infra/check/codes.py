"""The codes of `python -m infra check`; each is a heading of docs/check.md."""

from __future__ import annotations

from infra.findings.finding import RuleText

CHECK_CODES: dict[str, RuleText] = {
    "C101": RuleText("The modules create something that the models do not declare"),
    "C102": RuleText("The models declare something that the modules do not create"),
    "C103": RuleText("Modules and models define an object differently"),
    "C104": RuleText("Modules and models have columns in a different order", "note"),
    "C105": RuleText("Modules and models differ in an owner or a privilege"),
    "C106": RuleText("Alembic finds a difference that C101 to C105 do not cover"),
    "C111": RuleText("A module does not run"),
    "C112": RuleText("A module changes something when it is run again"),
    "C113": RuleText("A module leaves changes behind when it is rolled back"),
    "C114": RuleText("A module has another result when psql runs it"),
    "C115": RuleText("A generated module differs from the models"),
    "C116": RuleText("The extensions of the modules and of a stack's settings differ"),
    "C117": RuleText("The models cannot be created in a database"),
    "C131": RuleText("A revision or the baseline differs from the lock file"),
    "C132": RuleText("The revisions do not lead to what the modules create"),
    "C133": RuleText("The revisions are not one line of history"),
    "C134": RuleText("A downgrade does not restore the schema"),
    "C135": RuleText("A revision does not run where tables have rows"),
    "C136": RuleText("A revision refuses some rows", "warning"),
    "C121": RuleText("The live database lacks something that the modules create"),
    "C122": RuleText("The live database has something that no module creates"),
    "C123": RuleText("The live database defines an object differently than the modules"),
    "C124": RuleText("The live database has columns in a different order, or another version of an extension", "note"),
    "C125": RuleText("The live database has another owner or privilege than the modules and the stack declare"),
}
