"""Every code of `python -m infra check`, each a heading of docs/check.md."""

from __future__ import annotations

from infra.findings.finding import RuleText

CHECK_CODES: dict[str, RuleText] = {
    "C101": RuleText("The modules make something that the models do not have"),
    "C102": RuleText("The models have something that the modules do not make"),
    "C103": RuleText("Modules and models say different things of one object"),
    "C104": RuleText("Modules and models have columns in another order", "note"),
    "C105": RuleText("Modules and models disagree on an owner or a privilege"),
    "C106": RuleText("Alembic's own comparison sees a difference"),
    "C111": RuleText("A module does not run"),
    "C112": RuleText("A module that is run again changes something"),
    "C113": RuleText("A module that is rolled back leaves a trace"),
    "C114": RuleText("A module that psql runs makes another catalog"),
    "C115": RuleText("A generated module is not what the models say"),
    "C116": RuleText("The extensions of the modules and of a stack's settings differ"),
    "C117": RuleText("The models cannot be built"),
    "C121": RuleText("The live database lacks something that the modules make"),
    "C122": RuleText("The live database has something that no module makes"),
    "C123": RuleText("The live database says something else of an object than the modules"),
    "C124": RuleText("The live database has columns in another order, or another version of an extension", "note"),
    "C125": RuleText("The live database has another owner or privilege than the modules and the stack give"),
}
