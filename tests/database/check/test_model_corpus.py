"""Models of every kind: what is generated from them creates what `create_all` creates, or is refused with one place."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import pytest

from infra.check.checker import CheckedProject, check_project
from infra.folder.modules_yaml import FolderSettings
from infra.generate.from_models import generate_modules
from infra.generate.imported_models import import_models
from infra.generate.written_files import hand_written_modules, write_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

pytestmark = pytest.mark.database

CORPUS = Path(__file__).parents[2] / "model_corpus"
ACCEPTED = sorted(path.stem for path in (CORPUS / "accepted").glob("*.py"))

Autoincrement = Literal["identity", "serial"]
NONE: Mapping[str, str] = MappingProxyType({})


def generate(
    names: Sequence[str],
    root: Path,
    *,
    autoincrement: Autoincrement = "identity",
    by_hand: Mapping[str, str] = NONE,
    hand_written: Sequence[str] = (),
) -> CheckedProject:
    """Generate the modules of Python modules beside hand-written ones, and return what a check takes."""
    directory = root / "sql"
    directory.mkdir()
    (root / "Pulumi.yaml").write_text("name: corpus\n", encoding="utf-8")
    for name, text in by_hand.items():
        (directory / name).write_text(text, encoding="utf-8")
    settings = FolderSettings(str(directory / "modules.yaml"), tuple(names), autoincrement=autoincrement)
    models = import_models(names, hand_written=hand_written, identity=autoincrement == "identity")
    write_files(generate_modules(models, settings, hand_written_modules(directory)), directory)
    return CheckedProject(root, directory, settings, models)


@pytest.mark.parametrize("autoincrement", ["identity", pytest.param("serial", marks=pytest.mark.full)])
@pytest.mark.parametrize("name", ACCEPTED)
def test_modules_create_what_create_all_creates(
    name: str, autoincrement: Autoincrement, tmp_path: Path, private: str
) -> None:
    """Every kind of models is written whole: the catalogs of modules and models, psql's and Alembic's are equal."""
    project = generate([f"tests.model_corpus.accepted.{name}"], tmp_path, autoincrement=autoincrement)
    report = check_project(project, private)
    found = [finding for finding in report.findings if finding.code != "C116"]
    assert [(finding.code, finding.message, finding.detail) for finding in found] == []


def test_hand_written_modules_stand_before_and_after_the_generated_ones(tmp_path: Path, private: str) -> None:
    """Models use functions and schemas of earlier hand-written modules; a model that maps a later view creates none."""
    by_hand = {
        "01-first.sql": "-- First.\nCREATE SCHEMA shop;\nCREATE FUNCTION shop.short(text) RETURNS text IMMUTABLE "
        "LANGUAGE sql AS 'SELECT left($1, 3)';\n",
        "04-views.sql": "-- Views.\nCREATE VIEW shop.active AS SELECT id FROM shop.people;\n",
    }
    project = generate(["tests.model_corpus.beside_modules"], tmp_path, by_hand=by_hand, hand_written=["shop.active"])
    assert sorted(path.name for path in project.directory.iterdir()) == [
        "01-first.sql",
        "02-beside-modules.sql",
        "03-indexes.sql",
        "04-views.sql",
    ]
    assert "CREATE SCHEMA" not in (project.directory / "02-beside-modules.sql").read_text(encoding="utf-8")
    assert [finding for finding in check_project(project, private).findings if finding.code != "C116"] == []


def test_what_postgresql_refuses_of_models_has_their_line(tmp_path: Path, private: str) -> None:
    """A generated statement that does not run is the models': the finding says where, and not to correct the file."""
    project = generate(["tests.model_corpus.not_run"], tmp_path)
    (finding,) = check_project(project, private).findings
    assert (finding.code, Path(finding.place.path).name) == ("C111", "02-indexes.sql")
    assert finding.remedy == "correct the models: the module is generated from them"
    (place,) = finding.others
    assert (Path(place.path).name, place.line, place.label) == ("not_run.py", 13, "in the models")
    without_index = project.directory / "02-indexes.sql"
    without_index.write_text("\n".join([*without_index.read_text(encoding="utf-8").splitlines()[:2], "SELECT;\n"]))
    finding = check_project(project, private).findings[-1]
    assert [(Path(place.path).name, place.line) for place in finding.others] == [("not_run.py", 15)]
