"""Comparisons of two catalogs: a finding for each object that differs, with both places and both definitions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from infra.catalog.catalog import ACCESS, NOTES, ObjectId
from infra.catalog.difference import Difference, differences
from infra.check.codes import CHECK_CODES
from infra.check.folding import Group, fold_parts
from infra.check.in_modules import place_in
from infra.findings.finding import Finding, Place
from infra.modules.creations import creations
from infra.modules.statements import parse
from infra.modules.tree import readable_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from infra.catalog.catalog import Catalog
    from infra.check.in_models import ModelPlaces
    from infra.modules.module import Module

MOST_PARTS = 30  # that a finding names of an object that is missing or extra


@dataclass(frozen=True)
class Codes:
    """The codes of one comparison, by kind of difference; `missing` is for objects that the second catalog lacks."""

    missing: str
    extra: str
    different: str
    note: str
    access: str

    def of(self, difference: Difference) -> str:
        """Return the code of a difference."""
        if difference.identity.kind in ACCESS:
            return self.access
        if difference.identity.kind in NOTES:
            return self.note
        return {"missing": self.missing, "extra": self.extra, "different": self.different}[difference.verdict]


MODULES_AGAINST_MODELS = Codes(missing="C102", extra="C101", different="C103", note="C104", access="C105")
PSQL_AGAINST_RUNNER = Codes(missing="C114", extra="C114", different="C114", note="C114", access="C114")
LIVE_AGAINST_MODULES = Codes(missing="C121", extra="C122", different="C123", note="C124", access="C125")


@dataclass(frozen=True)
class Declarations:
    """Where objects are declared: the models, the modules by name, and the module that wrote each object last."""

    models: ModelPlaces
    modules: Mapping[str, Module]
    writers: Mapping[ObjectId, str]
    current: Mapping[str, bool]  # whether a generated module equals the models; hand-written ones have no entry

    def remedy_by_hand(self, identity: ObjectId) -> str:
        """Return the remedy for an object that a hand-written module created or changed last, '' for all others."""
        name = self.writers.get(identity, "")
        if not name or name in self.current:
            return ""
        return f"remove the statement of {self.modules[name].path} that changes it, or change the models"

    def in_models(self, difference: Difference) -> Place | None:
        """Return the place in the models, None for an object that they do not declare."""
        definitions = "\n".join(filter(None, (difference.expected, difference.found)))
        place = self.models.place_of(difference.identity, definitions)
        return replace(place, label="in the models") if place else None

    def in_modules(self, difference: Difference) -> Place | None:
        """Return the place in the module that wrote an object last, None for an object that no module wrote."""
        module = self.modules.get(self.writers.get(difference.identity, ""))
        if module is None:
            return None
        place = place_in(module, difference.identity, comment=_differs_in_comment_only(difference))
        return replace(place, label="in the modules")


@dataclass(frozen=True)
class Comparison:
    """How two catalogs are compared: their names in messages, codes, and the places and remedy of a difference."""

    expected: str
    found: str
    codes: Codes
    places: Callable[[Difference], list[Place]]
    remedy: Callable[[Difference], str]
    default_place: Place
    ignored: Callable[[Difference], bool] = lambda _difference: False

    def findings(self, expected: Catalog, found: Catalog) -> list[Finding]:
        """Compare two catalogs; return [] for equal ones."""
        groups = fold_parts(differences(expected, found))
        return [self._finding(group) for group in groups if not self.ignored(group.main)]

    def _finding(self, group: Group) -> Finding:
        difference = group.main
        code = self.codes.of(difference)
        places = self.places(difference)
        return Finding(
            code,
            CHECK_CODES[code].severity,
            places[0] if places else self.default_place,
            self._message(group),
            self.remedy(difference),
            detail=tuple(self._detail(group)),
            others=tuple(places[1:]),
        )

    def _message(self, group: Group) -> str:
        difference = group.main
        subject = display_name(difference.identity)
        if difference.verdict == "different":
            return f"{subject} differs between {self.expected} and {self.found}"
        return f"{subject} is only in {self.expected if difference.found is None else self.found}"

    def _detail(self, group: Group) -> Iterable[str]:
        lines = str(group.main).split("\n")[1:]
        if lines and group.main.verdict == "different":
            yield f"- in {self.expected}, + in {self.found}:"
        yield from lines
        names = [display_name(part.identity) for part in group.parts]
        if names:
            more = f" and {len(names) - MOST_PARTS} more" if len(names) > MOST_PARTS else ""
            yield f"with its parts: {', '.join(names[:MOST_PARTS])}{more}"


def display_name(identity: ObjectId) -> str:
    """Return the name of an object as it is written in a sentence."""
    if identity.kind == "owner":
        return f"the owner of {identity.name}"
    if identity.kind == "column order":
        return f"the order of the columns of {identity.name}"
    if identity.kind == "extension version":
        return f"the version of extension {identity.name}"
    if identity.kind == "privileges":
        return f"what is granted on {identity.name}"
    return str(identity)


def models_and_modules(declarations: Declarations) -> Comparison:
    """Return the comparison of the models, which are authoritative, with what the modules create."""

    def places(difference: Difference) -> list[Place]:
        return [place for place in (declarations.in_models(difference), declarations.in_modules(difference)) if place]

    def remedy(difference: Difference) -> str:
        if not all(declarations.current.values()):
            return "move edits of generated files into the models, then run `python -m infra generate`"
        generated = "infra/generate does not write it as SQLAlchemy creates it: please report this"
        return declarations.remedy_by_hand(difference.identity) or generated

    return Comparison(
        "the models", "the modules", MODULES_AGAINST_MODELS, places, remedy, Place("models"), _is_extension
    )


def modules_and_psql(declarations: Declarations) -> Comparison:
    """Return the comparison of what the modules create when this program runs them, and when psql does."""
    return Comparison(
        "the modules run by a stack",
        "the modules run by psql",
        PSQL_AGAINST_RUNNER,
        lambda difference: [place for place in (declarations.in_modules(difference),) if place],
        lambda _difference: (
            "write SQL that every client runs alike: names with their schema, no settings of the session"
        ),
        Place("sql"),
    )


def live_and_modules(declarations: Declarations, *, live: str, ignored: Callable[[Difference], bool]) -> Comparison:
    """Return the comparison of what the modules create with a live database.

    `live` is the name of the database in messages; differences that are `ignored` are not reported.
    """

    def places(difference: Difference) -> list[Place]:
        return [place for place in (declarations.in_modules(difference), declarations.in_models(difference)) if place]

    def remedy(difference: Difference) -> str:
        if difference.identity.kind in ACCESS:
            return "run `up`, which grants what the stack declares, or undo the change in the database"
        if difference.expected is None:
            return f"drop it, create it in a module, or name it in `modules.unmanaged`: {difference.identity}"
        return "write the difference as a migration, or undo the change in the database; then run `up`"

    return Comparison("the modules", live, LIVE_AGAINST_MODULES, places, remedy, Place("sql"), ignored)


def _is_extension(difference: Difference) -> bool:
    """Return whether an object is an extension: models cannot declare any, and C116 compares those of the settings."""
    return difference.identity.kind in {"extension", "extension version"}


def _differs_in_comment_only(difference: Difference) -> bool:
    """Return whether two definitions differ in a comment and nothing else."""
    definitions = (difference.expected, difference.found)
    without_comment = [
        [line for line in (text or "").split("\n") if not line.startswith("comment ")] for text in definitions
    ]
    return None not in definitions and without_comment[0] == without_comment[1]


def by_models_place(
    finding: Finding, modules: Iterable[Module], models: ModelPlaces, generated: Collection[str]
) -> Finding:
    """Return the finding of a statement that does not run with the place in the models, if they made the statement."""
    module = next((module for module in modules if module.path == finding.place.path), None)
    if module is None or module.name not in generated:
        return finding
    lines = module.text.splitlines(keepends=True)
    offset = sum(len(line) for line in lines[: finding.place.line - 1]) + max(finding.place.column - 1, 0)
    statement = next(statement for statement in parse(module.text, module.path) if offset < statement.end)
    names = [readable_name(creation.name) for creation in creations(statement.kind, statement.tree)]
    text = module.text[statement.start : statement.end]
    place = models.place_of(ObjectId("index", names[0] if names else text), text)
    others = (replace(place, label="in the models"),) if place else ()
    return replace(finding, remedy="correct the models: the module is generated from them", others=others)
