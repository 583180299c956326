"""The databases that exist elsewhere: the schema by which each kind is recognised, and the SQL that brings it over.

A folder `adoption/<kind>/` beside the revisions has `schema.sql`, numbered files that lead from there to the baseline's
tables, and `rows.sql`: a query for each rule that rows of such a database may break, which has to return none. What the
baseline has besides (tables, indexes, constraints, comments) is not written there: it is taken from the baseline.
The baseline is a kind as well, since something else may have run its modules, as another role.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.migrations.history import BASELINE_FOLDER
from infra.migrations.revision_sql import RevisionSql, RevisionStatement
from infra.modules.directive import DIRECTIVE, runs_by_statement
from infra.modules.module import Module, decode, load_module, load_modules
from infra.modules.safe_forms import safe_form
from infra.modules.statements import parse, place_of, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.modules.statements import Statement

ADOPTION_FOLDER = "adoption"
_SCHEMA, _ROWS = "schema.sql", "rows.sql"


@dataclass(frozen=True)
class RowRule:
    """A rule for rows: what the rows are that `query` returns and that may not be there, and its place."""

    what: str
    query: str
    place: str


@dataclass(frozen=True)
class KnownDatabase:
    """A kind of database that exists elsewhere; `files` lead from its schema towards the baseline."""

    name: str
    place: str
    schema: Module
    files: tuple[Module, ...] = ()
    rules: tuple[RowRule, ...] = ()

    @property
    def is_baseline(self) -> bool:
        """Whether the kind is the baseline itself, which needs no steps."""
        return self.name == BASELINE_FOLDER

    def step(self, number: int) -> str:
        """Return the id of a step, with which a database is stamped that is between the schema and the baseline."""
        return f"{self.name}-{number}"

    def done_at(self, stamp: str) -> int | None:
        """Return how many steps a database with this stamp has done, None where it is not one of this kind."""
        name, _, number = stamp.rpartition("-")
        return int(number) if name == self.name and number.isdigit() else None


def known_databases(directory: str) -> list[KnownDatabase]:
    """Read the kinds of databases beside the revisions in a folder; raises ModuleFileError for a file that is none."""
    folders = sorted(path.parent for path in Path(directory, ADOPTION_FOLDER).glob(f"*/{_SCHEMA}"))
    kinds = [_known(folder, f"{directory}/{ADOPTION_FOLDER}/{folder.name}") for folder in folders]
    return [*kinds, _baseline(f"{directory}/{BASELINE_FOLDER}")]


def _baseline(folder: str) -> KnownDatabase:
    modules = load_modules(Path(folder), shown_as=folder)
    head = [DIRECTIVE] if any(runs_by_statement(module.text) for module in modules) else []
    text = "\n".join([*head, *(module.text for module in modules)])
    return KnownDatabase(BASELINE_FOLDER, folder, Module(0, BASELINE_FOLDER, folder, text))


def _known(folder: Path, shown: str) -> KnownDatabase:
    rows = folder / _ROWS
    files = [load_module(path, f"{shown}/{path.name}") for path in sorted(folder.glob("[0-9]*.sql"))]
    return KnownDatabase(
        folder.name,
        shown,
        _other_file(folder / _SCHEMA, f"{shown}/{_SCHEMA}"),
        tuple(files),
        tuple(_rules(_other_file(rows, f"{shown}/{_ROWS}")) if rows.exists() else ()),
    )


def _other_file(path: Path, shown: str) -> Module:
    return Module(0, path.stem, shown, decode(path.read_bytes(), shown))


def _rules(module: Module) -> list[RowRule]:
    """Return the rules of a file: the comment before each query says what is wrong with the rows that it returns."""
    comments = [word for word in words(module.text) if word.is_comment]
    rules: list[RowRule] = []
    end = 0
    for statement in parse(module.text, module.path):
        own = [module.text[word.start : word.end] for word in comments if end <= word.start < statement.start]
        what = " ".join(line.removeprefix("--").strip() for line in own)
        at = place_of(module.text, module.path, statement.start)
        rules.append(RowRule(what, module.text[statement.start : statement.end], f"{at.path}:{at.line}"))
        end = statement.end
    return rules


def step_of_file(module: Module, step: str) -> RevisionSql:
    """Return a numbered file as a step, which is run as its first line declares."""
    return _step(module, step, parse(module.text, module.path), outside=runs_by_statement(module.text), safe=False)


def step_of_baseline(module: Module, step: str, statements: Sequence[Statement]) -> RevisionSql:
    """Return statements of a module of the baseline as a step, in their safe forms: the tables are in use."""
    return _step(module, step, statements, outside=False, safe=True)


def _step(module: Module, step: str, statements: Sequence[Statement], *, outside: bool, safe: bool) -> RevisionSql:
    written: list[RevisionStatement] = []
    for statement in statements:
        text = module.text[statement.start : statement.end]
        line = place_of(module.text, module.path, statement.start).line
        form = safe_form(text) if safe else []
        outside = outside or bool(form)
        written += [RevisionStatement(f"{part};", line) for part in form or [text]]
    return RevisionSql(step, module.path, tuple(written), outside)
