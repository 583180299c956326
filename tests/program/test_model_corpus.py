"""Every kind of models through a whole life: generated, checked, brought up, refreshed and destroyed."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.program.project import ROOT

if TYPE_CHECKING:
    from tests.program.project import Project

pytestmark = pytest.mark.full

MODULES_YAML = f"""\
models: [tests.model_corpus.accepted, tests.model_corpus.beside_modules]
python_path: ["{ROOT}"]
modules: file
hand_written: [shop.active]
"""
BEFORE = """\
-- What a model's index uses.
CREATE SCHEMA shop;
CREATE FUNCTION shop.short(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT left($1, 3)';
"""
AFTER = "-- A view that a model maps.\nCREATE VIEW shop.active AS SELECT id FROM shop.people;\n"


def test_the_corpus_of_models_lives_from_generate_to_destroy(bare: Project) -> None:
    """All models of the corpus in one database: no command finds or changes anything after `up`, and nothing stays."""
    shutil.rmtree(bare.folder / "sql")
    (bare.folder / "sql").mkdir()
    bare.add("sql/modules.yaml", MODULES_YAML)
    bare.add("sql/01-before.sql", BEFORE)
    bare.configure(extensions=[])
    written = bare.run_python("-m", "infra", "generate", "--stack", bare.stack)
    assert written.status == 0, written.text
    corpus = list((ROOT / "tests" / "model_corpus" / "accepted").glob("*.py"))
    count = written.text.count(": written\n")
    assert count == len(corpus) + 5, written.text  # one for each file of models, two for DDL, indexes, constraints
    bare.add(f"sql/{count + 2}-after.sql", AFTER)
    checked = bare.run_python("-m", "infra", "check")
    assert checked.status == 0, checked.text

    bare.up()
    live = bare.run_python("-m", "infra", "check", f"--stack={bare.stack}")
    assert live.status == 0, live.text
    unchanged = bare.verb("preview", "--expect-no-changes")
    assert unchanged.status == 0, unchanged.text
    refreshed = bare.verb("refresh", "--expect-no-changes")
    assert refreshed.status == 0, refreshed.text
    assert re.search(r"Resources:\n +\d+ unchanged\n", bare.up())
    bare.destroy()
    assert bare.home.traces(bare) == []
