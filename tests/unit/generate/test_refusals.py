"""Models that cannot be written: one sentence with a file and a line of theirs, and never a file that lacks them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.errors import InfraError
from infra.folder.modules_yaml import FolderSettings
from infra.generate.from_models import generate_modules
from infra.generate.imported_models import import_models

ROOT = Path(__file__).parents[3]
CORPUS = "tests/model_corpus"

# module, the line of its place, and the sentence after it
REFUSED = [
    ("enum_conflict", 7, f"type mood has another definition than in {CORPUS}/refused/enum_conflict.py:6"),
    ("domain_conflict", 10, f"type positive has another definition than in {CORPUS}/refused/domain_conflict.py:9"),
    (
        "sequence_conflict",
        7,
        f"sequence numbers has another definition than in {CORPUS}/refused/sequence_conflict.py:6",
    ),
    ("rows_by_listener", 13, "a listener executes a statement with parameters: INSERT INTO numbers (a) VALUES"),
    ("same_name", 7, f"table users is declared in {CORPUS}/refused/same_name.py:6 as well"),
    (
        "missing_target",
        9,
        "Foreign key associated with column 'lines.order_id' could not find table 'orderz' with which to ",
    ),
    ("other_dialect", 7, "cannot be written for PostgreSQL: column a has something of SET that it does not know"),
    ("long_name", 6, f"the name {'ä' * 32} is longer than 63 bytes, and PostgreSQL would cut it"),
    (
        "listener_in_a_circle",
        8,
        "a listener executes a statement that needs b, and that a needs, which a module creates before b: CREATE ",
    ),
    ("unreadable_listener", 7, "a listener executes what PostgreSQL cannot read: syntax error at or near "),
    ("asking_listener", 13, "a listener of a DDL event cannot run without a database: AttributeError: "),
    ("temporary", 6, "table scratch is temporary: it would end with the session that creates it"),
    ("with_oids", 6, "cannot be written for PostgreSQL: WITH OIDS, which PostgreSQL has no more since version 12"),
    ("empty_index", 6, "index index_tags_request_id of table tags has no columns, which PostgreSQL refuses"),
    ("reflected_later", 15, "the columns of users are those that a database has (DeferredReflection)"),
    ("own_error", 4, "cannot be imported: KeyError: 'DATABASE_URL'"),
    ("missing_package", 3, "cannot be imported: No module named 'no_such_package'"),
]


@pytest.fixture(autouse=True)
def in_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in the root of the project, from which paths are shown."""
    monkeypatch.chdir(ROOT)


def refusal(name: str) -> InfraError:
    with pytest.raises(InfraError) as refused:
        generate_modules(import_models([name]), FolderSettings("sql/modules.yaml"), [])
    return refused.value


@pytest.mark.parametrize(("name", "line", "what"), REFUSED)
def test_what_cannot_be_written_is_refused_at_its_line(name: str, line: int, what: str) -> None:
    """A conflict, a gap, another database's type, a name that is too long: each has its place and a remedy."""
    error = refusal(f"tests.model_corpus.refused.{name}")
    assert error.what.startswith(what)
    assert error.place == f"{CORPUS}/refused/{name}.py:{line}"
    assert error.remedy
    assert len(str(error).splitlines()) == 1


def test_models_that_do_not_fit_together_are_refused() -> None:
    """A relationship to a class that no module declares is an error of one line, with SQLAlchemy's reason."""
    error = refusal("tests.model_corpus.refused.unconfigured")
    sys.modules["tests.model_corpus.refused.unconfigured"].Base.registry.dispose()  # SQLAlchemy configures all at once
    assert "the models cannot be configured: " in str(error)
    assert "NoSuchParent" in str(error)
    assert len(str(error).splitlines()) == 1


def test_a_syntax_error_of_the_models_has_its_line(tmp_path: Path) -> None:
    """Python's message, with file and line, and no traceback."""
    (tmp_path / "broken_models.py").write_text("# Models.\nclass User(\n", encoding="utf-8")
    with pytest.raises(InfraError) as refused:
        import_models(["broken_models"], python_path=[str(tmp_path)])
    assert str(refused.value) == f"{tmp_path}/broken_models.py:2: cannot be imported: '(' was never closed; correct it"


def test_a_module_that_does_not_exist_is_refused() -> None:
    """A misspelt name in `models` is an error of one sentence."""
    assert str(refusal("no_such_models")) == (
        "models: there is no Python module no_such_models; "
        "run the command in the root of the project, or correct `models` or `python_path`"
    )


def test_generating_is_the_same_whatever_the_order_of_sets() -> None:
    """The corpus of models has the same text in processes whose sets are in another order."""
    program = (
        "import sys; from pathlib import Path\n"
        "from infra.folder.modules_yaml import FolderSettings\n"
        "from infra.generate.from_models import generate_modules\n"
        "from infra.generate.imported_models import import_models\n"
        f"for path in sorted(Path('{CORPUS}/accepted').glob('*.py')):\n"
        "    models = import_models([f'tests.model_corpus.accepted.{path.stem}'])\n"
        "    sys.stdout.write(str(generate_modules(models, FolderSettings('x'), [])))\n"
    )
    texts = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "2", "3")
    ]
    assert len(set(texts)) == 1
    assert len(texts[0]) > 10_000
