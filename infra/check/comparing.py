"""Two built schemas compared: a finding for each object in which they disagree, with both places and definitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.catalog.catalog import ACCESS, NOTES
from infra.catalog.difference import Difference, differences
from infra.check.codes import CHECK_CODES
from infra.check.folding import Group, fold_parts
from infra.check.in_modules import place_in
from infra.findings.finding import Finding, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from infra.catalog.catalog import Catalog, ObjectId
    from infra.check.in_models import Models
    from infra.modules.module import Module

UP_TO_DATE = "infra/generate/ddl.py leaves it out: the generated modules are what it writes"
MOST_PARTS = 30  # named of what is missing or extra together


@dataclass(frozen=True)
class Codes:
    """The codes of one comparison, by what is the matter; `missing` is what the one compared lacks."""

    missing: str
    extra: str
    different: str
    note: str
    access: str

    def of(self, one: Difference) -> str:
        """Give the code of a difference."""
        if one.identity.kind in ACCESS:
            return self.access
        if one.identity.kind in NOTES:
            return self.note
        return {"missing": self.missing, "extra": self.extra, "different": self.different}[one.verdict]


MODULES_AGAINST_MODELS = Codes(missing="C102", extra="C101", different="C103", note="C104", access="C105")
PSQL_AGAINST_RUNNER = Codes(missing="C114", extra="C114", different="C114", note="C114", access="C114")
LIVE_AGAINST_MODULES = Codes(missing="C121", extra="C122", different="C123", note="C124", access="C125")


@dataclass(frozen=True)
class Declarations:
    """Where objects are declared: in the models, and in which module, as the run of the modules has shown."""

    models: Models
    modules: Mapping[str, Module]
    writers: Mapping[ObjectId, str]
    current: Mapping[str, bool]  # whether a generated module is what the models say; others have no entry

    def in_models(self, one: Difference) -> Place | None:
        """Give the place in the models."""
        found = self.models.place_of(one.identity, "\n".join(filter(None, (one.expected, one.found))))
        return _labelled(found, "in the models") if found else None

    def in_modules(self, one: Difference) -> Place | None:
        """Give the place in the module that wrote an object last."""
        module = self.modules.get(self.writers.get(one.identity, ""))
        found = place_in(module, one.identity, comment=_only_comments(one)) if module else None
        return _labelled(found, "in the modules") if found else None


@dataclass(frozen=True)
class Comparison:
    """How two schemas are compared: what they are called, the codes, and where what is found is placed and cured."""

    expected: str
    found: str
    codes: Codes
    places: Callable[[Difference], list[Place]]
    remedy: Callable[[Difference], str]
    elsewhere: Place
    ignored: Callable[[Difference], bool] = lambda _one: False

    def findings(self, expected: Catalog, found: Catalog) -> list[Finding]:
        """Compare; [] where the schemas are equal."""
        groups = fold_parts(differences(expected, found))
        return [self._finding(group) for group in groups if not self.ignored(group.main)]

    def _finding(self, group: Group) -> Finding:
        one = group.main
        code = self.codes.of(one)
        places = self.places(one)
        return Finding(
            code,
            CHECK_CODES[code].severity,
            places[0] if places else self.elsewhere,
            self._message(group),
            self.remedy(one),
            detail=tuple(self._detail(group)),
            others=tuple(places[1:]),
        )

    def _message(self, group: Group) -> str:
        one = group.main
        subject = named(one.identity)
        if one.verdict == "different":
            return f"{subject} differs between {self.expected} and {self.found}"
        return f"{subject} is only in {self.expected if one.found is None else self.found}"

    def _detail(self, group: Group) -> Iterable[str]:
        lines = str(group.main).split("\n")[1:]
        if lines and group.main.verdict == "different":
            yield f"- in {self.expected}, + in {self.found}:"
        yield from lines
        names = [named(part.identity) for part in group.parts]
        if names:
            more = f" and {len(names) - MOST_PARTS} more" if len(names) > MOST_PARTS else ""
            yield f"with it: {', '.join(names[:MOST_PARTS])}{more}"


def named(identity: ObjectId) -> str:
    """Name an object in a sentence."""
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
    """Compare models, the authority, with what the modules make."""

    def places(one: Difference) -> list[Place]:
        return [place for place in (declarations.in_models(one), declarations.in_modules(one)) if place]

    def remedy(one: Difference) -> str:
        module = declarations.writers.get(one.identity, "")
        outdated = [name for name, current in declarations.current.items() if not current]
        if outdated and (module in declarations.current or not module):
            return "run `python -m infra generate`, after taking edits of generated files over into models/"
        if module in declarations.current or not module:
            return f"let no module written by hand drop it; else {UP_TO_DATE}"
        path = declarations.modules[module].path
        return f"declare it in models/ and run `python -m infra generate`, or take it out of {path}"

    return Comparison(
        "the models", "the modules", MODULES_AGAINST_MODELS, places, remedy, Place("models"), _of_extensions
    )


def modules_and_psql(declarations: Declarations) -> Comparison:
    """Compare what the modules make here with what they make when psql runs them."""
    return Comparison(
        "what a stack makes of the modules",
        "what psql makes of them",
        PSQL_AGAINST_RUNNER,
        lambda one: [place for place in (declarations.in_modules(one),) if place],
        lambda _one: "write what every client takes alike: names with their schema, and no setting of the session",
        Place("sql"),
    )


def live_and_modules(declarations: Declarations, *, live: str, ignored: Callable[[Difference], bool]) -> Comparison:
    """Compare what the modules make with a live database."""

    def places(one: Difference) -> list[Place]:
        return [place for place in (declarations.in_modules(one), declarations.in_models(one)) if place]

    def remedy(one: Difference) -> str:
        if one.identity.kind in ACCESS:
            return "run `up`, which gives what the stack declares, or take the change back in the database"
        if one.expected is None:
            return f"drop it, declare it in models/, or name it in `modules.unmanaged`: {one.identity}"
        return "write the difference as a migration, or take the change back in the database; then run `up`"

    return Comparison("the modules", live, LIVE_AGAINST_MODULES, places, remedy, Place("sql"), ignored)


def _of_extensions(one: Difference) -> bool:
    """Say whether an object is an extension: the models have none, and C116 compares those of the settings."""
    return one.identity.kind in {"extension", "extension version"}


def _only_comments(one: Difference) -> bool:
    """Say whether two definitions differ in a comment and nothing else."""
    sides = [
        [line for line in (text or "").split("\n") if not line.startswith("comment ")]
        for text in (one.expected, one.found)
    ]
    return None not in (one.expected, one.found) and sides[0] == sides[1]


def _labelled(place: Place, label: str) -> Place:
    return Place(place.path, place.line, place.column, label, place.text)
