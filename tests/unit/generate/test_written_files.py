"""Differences between generated texts and a directory, and writing only those."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.errors import ModuleFileError
from infra.generate.from_models import WRITTEN_BY
from infra.generate.written_files import Generated, file_differences, write_files

HEADER = f"-- Two tables.\n{WRITTEN_BY} models/; change it there, not here.\n"
FILES = {"02-a.sql": f"{HEADER}one;\n", "03-b.sql": f"{HEADER}two;\n"}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Create a directory with exactly the generated files, and one that was written by hand."""
    write_files(FILES, tmp_path)
    (tmp_path / "01-own.sql").write_text("-- mine\n-- all mine\nzero;\n", encoding="utf-8")
    return tmp_path


def test_writing_makes_the_files_and_says_so(tmp_path: Path) -> None:
    """Into an empty directory every file is written with exactly its text, and reported as written."""
    assert write_files(FILES, tmp_path) == {"02-a.sql": "written", "03-b.sql": "written"}
    assert {path.name: path.read_bytes().decode() for path in tmp_path.iterdir()} == FILES


def test_equal_files_are_left_untouched(directory: Path) -> None:
    """Where nothing differs nothing is written, and no file's time changes."""
    before = {path: path.stat().st_mtime_ns for path in directory.iterdir()}
    assert file_differences(FILES, directory) == {}
    assert write_files(FILES, directory) == {}
    assert {path: path.stat().st_mtime_ns for path in directory.iterdir()} == before


def test_a_changed_file_is_a_unified_diff_and_is_the_only_one_written(directory: Path) -> None:
    """A changed line is a line diff from the file to the generated text; only its file is written."""
    path = directory / "03-b.sql"
    path.write_text(f"{HEADER}tow;\n", encoding="utf-8")
    assert file_differences(FILES, directory) == {
        "03-b.sql": (
            f"--- {path}\n+++ {path}\n@@ -1,3 +1,3 @@\n -- Two tables.\n {HEADER.splitlines()[1]}\n-tow;\n+two;\n"
        )
    }
    assert path.read_text(encoding="utf-8").endswith("tow;\n")
    assert write_files(FILES, directory) == {"03-b.sql": "written"}
    assert file_differences(FILES, directory) == {}


def test_a_missing_file_is_a_diff_from_nothing(directory: Path) -> None:
    """A missing file is shown as wholly new, and written."""
    (directory / "02-a.sql").unlink()
    diff = file_differences(FILES, directory)["02-a.sql"]
    assert diff.startswith(f"--- /dev/null\n+++ {directory / '02-a.sql'}\n@@ -0,0 +1,3 @@\n+-- Two tables.\n")
    assert write_files(FILES, directory) == {"02-a.sql": "written"}


def test_a_file_generated_under_an_old_name_is_removed(directory: Path) -> None:
    """A file that says that it was generated, and is generated no longer, is a diff to nothing, and removed."""
    old = directory / "04-old.sql"
    old.write_text(f"{HEADER}three;\n", encoding="utf-8")
    diff = file_differences(FILES, directory)
    assert list(diff) == ["04-old.sql"]
    assert diff["04-old.sql"].startswith(f"--- {old}\n+++ /dev/null\n@@ -1,3 +0,0 @@\n--- Two tables.\n")
    assert write_files(FILES, directory) == {"04-old.sql": "removed"}
    assert not old.exists()
    assert (directory / "01-own.sql").exists()


def test_a_hand_written_file_under_a_generated_name_is_replaced(directory: Path) -> None:
    """A file with the name of a generated file is replaced, also when it does not say that it was generated."""
    (directory / "02-a.sql").write_text("mine;\n", encoding="utf-8")
    assert list(file_differences(FILES, directory)) == ["02-a.sql"]


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (f"{HEADER}one;".encode(), "-one;\n\\ No newline at end of file\n+one;\n"),
        (f"{HEADER}one;\r\n".encode(), "-one;\r\n+one;\n"),
        (f"{HEADER}\xff;\n".encode("latin-1"), "-\\xff;\n+one;\n"),
        (f"{HEADER}one;\x0c\n".encode(), "-one;\x0c\n+one;\n"),
    ],
    ids=["no newline at the end", "carriage return", "not UTF-8", "form feed"],
)
def test_a_difference_in_bytes_alone_is_seen(directory: Path, content: bytes, shown: str) -> None:
    """Line ends, encoding and control characters count, and the diff shows them line by line."""
    (directory / "02-a.sql").write_bytes(content)
    assert file_differences(FILES, directory)["02-a.sql"].endswith(shown)


def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    """A missing directory is an error with its path, and is not created."""
    missing = tmp_path / "nowhere"
    for attempt in (file_differences, write_files):
        with pytest.raises(ModuleFileError) as refused:
            attempt(FILES, missing)
        assert str(refused.value) == f"{missing}: no such directory; create it, or name another directory"
    assert not missing.exists()


def test_a_file_that_cannot_be_read_or_written_is_refused(tmp_path: Path) -> None:
    """A directory in place of a file is an error with its path, like everything that the system refuses."""
    (tmp_path / "02-a.sql").mkdir()
    with pytest.raises(ModuleFileError) as refused:
        write_files(FILES, tmp_path)
    assert str(refused.value).startswith(f"{tmp_path / '02-a.sql'}: cannot be read: ")


def test_a_directory_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system refuses is one sentence with path and remedy."""

    def refuse(_path: Path, _content: bytes) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(ModuleFileError) as refused:
        write_files(FILES, tmp_path)
    assert str(refused.value) == (
        f"{tmp_path / '02-a.sql'}: cannot be written: Permission denied; make it writable, or name another directory"
    )


def test_each_kind_knows_its_own_files(tmp_path: Path) -> None:
    """Files of another kind are not removed, whatever they contain; the words count in the first lines only."""
    pictures = Generated((".svg", ".mmd"), "Written by somebody", 2)
    for name, text in {
        "a.svg": "<!--\nWritten by somebody -->",
        "b.mmd": "%% Written by somebody",
        "c.svg": "<svg/>\n\nWritten by somebody",
        "d.md": "Written by somebody",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert write_files({}, tmp_path, pictures) == {"a.svg": "removed", "b.mmd": "removed"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.svg", "d.md"]
