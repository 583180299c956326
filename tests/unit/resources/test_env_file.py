"""One marked block in an `.env` file that may hold other people's lines, written, watched and taken out again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.resources.base import Failure
from infra.resources.env_file import BEGIN, END, EnvFileProvider

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT = "A=1\nB='ä b'\n"
BLOCK = f"{BEGIN}{CONTENT}{END}"
DIGEST = "sha256:" + hashlib.sha256(CONTENT.encode()).hexdigest()

provider = EnvFileProvider()


def given(path: Path, content: str = CONTENT) -> dict[str, Any]:
    return {"path": str(path), "content": content}


def state(path: Path) -> dict[str, Any]:
    return {"path": str(path), "digest": DIGEST}


def text(path: Path) -> str:
    return path.read_bytes().decode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_a_file_is_made_that_only_its_owner_reads(file: Path) -> None:
    """A new file holds the block and nothing else, and nobody but its owner may read it."""
    made = provider.create(given(file))
    assert (made.id, made.outs) == (str(file), state(file))
    assert text(file) == BLOCK
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    """A file in a folder that is not there yet brings the folder."""
    provider.create(given(tmp_path / "a" / "b" / ".env"))
    assert text(tmp_path / "a" / "b" / ".env") == BLOCK


def test_an_open_file_is_closed_to_others(file: Path) -> None:
    """A file that others could read cannot be read by them once it holds passwords."""
    file.write_text("C=3\n", encoding="utf-8")
    file.chmod(0o644)
    provider.create(given(file))
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("C=3\n", "C=3\n" + BLOCK),
        ("C=3", "C=3\n" + BLOCK),
        ("C='ä'\r\n\r\n", "C='ä'\r\n\r\n" + BLOCK),
        ("\ufeffC=3\x0c\n", "\ufeffC=3\x0c\n" + BLOCK),
        (f"C=3\n{BEGIN}old\n{END}D=4\n", f"C=3\n{BLOCK}D=4\n"),
        (f"{BEGIN}{END}D=4\r\n\r\nE=5", f"{BLOCK}D=4\r\n\r\nE=5"),
        (f"C=3\n{BEGIN}old\n{END.strip()}", f"C=3\n{BLOCK}"),
        (f"C=3\r\n{BEGIN}old\n{END}D=4\n".replace("\n", "\r\n").replace("\r\r", "\r"), f"C=3\r\n{BLOCK}D=4\r\n"),
    ],
    ids=[
        "appended",
        "no line end",
        "CRLF",
        "other bytes",
        "in between",
        "at the start",
        "mark cut",
        "converted to CRLF",
    ],
)
def test_other_peoples_lines_stay_byte_for_byte(file: Path, before: str, after: str) -> None:
    """The block goes where it was, or to the end; all around it keeps every byte, line ends included."""
    file.write_bytes(before.encode())
    provider.update("", state(file), given(file))
    assert text(file) == after
    provider.update("", state(file), given(file))
    assert text(file) == after


def test_an_update_writes_the_new_content(file: Path) -> None:
    """A changed content takes the old one's place, and its digest with it."""
    provider.create(given(file, "A=0\n"))
    updated = provider.update("", {**given(file, "A=0\n"), "digest": "x"}, given(file))
    assert updated.outs == state(file)
    assert text(file) == BLOCK


def test_a_link_is_written_through(tmp_path: Path, file: Path) -> None:
    """A link stays a link, and what it leads to is written, whether it is there yet or not."""
    file.symlink_to("shared/.env")
    provider.create(given(file))
    assert file.is_symlink()
    assert text(tmp_path / "shared" / ".env") == BLOCK
    assert (tmp_path / "shared" / ".env").stat().st_mode & 0o777 == 0o600


def test_deleting_removes_a_file_that_held_nothing_else(file: Path) -> None:
    """A file that was only the block is gone afterwards; once more is harmless."""
    provider.create(given(file))
    provider.delete("", state(file))
    assert not file.exists()
    provider.delete("", state(file))


@pytest.mark.parametrize(("before", "after"), [("C=3\n", ""), ("", "D=4\r\n"), ("C=3\n\n", "D=4")])
def test_deleting_leaves_the_rest(file: Path, before: str, after: str) -> None:
    """What stands around the block is all that is left."""
    file.write_bytes(f"{before}{BLOCK}{after}".encode())
    provider.delete("", state(file))
    assert text(file) == before + after


def test_deleting_leaves_a_file_without_a_block(file: Path) -> None:
    """A file whose block somebody took out is theirs."""
    file.write_text("C=3\n", encoding="utf-8")
    provider.delete("", state(file))
    assert text(file) == "C=3\n"


def test_deleting_through_a_link_leaves_no_password_behind(tmp_path: Path, file: Path) -> None:
    """What a link leads to is emptied, and neither the link nor the file is taken away."""
    (tmp_path / "shared").touch()
    file.symlink_to("shared")
    provider.create(given(file))
    provider.delete("", state(file))
    assert file.is_symlink()
    assert text(tmp_path / "shared") == ""


def test_nothing_changes_where_the_file_is_as_it_was_written(file: Path) -> None:
    """The same content in the settings and in the file is no change; lines around the block are nobody's business."""
    provider.create(given(file))
    assert provider.diff("", state(file), given(file)).changes is False
    file.write_text(f"C=3\n{BLOCK}D=4\n", encoding="utf-8")
    difference = provider.diff("", state(file), given(file))
    assert (difference.changes, difference.replaces) == (False, [])


@pytest.mark.parametrize(
    "changed",
    [None, "", f"{BEGIN}{CONTENT}C=3\n{END}", f"{BEGIN}{END}", BLOCK.replace("\n", "\r\n"), CONTENT],
    ids=["gone", "empty", "a line more", "empty block", "CRLF", "marks taken out"],
)
def test_a_change_by_hand_is_a_change(file: Path, changed: str | None) -> None:
    """What somebody changes between the marks, or a file that is gone, is put right by the next `up`."""
    provider.create(given(file))
    if changed is None:
        file.unlink()
    else:
        file.write_bytes(changed.encode())
    difference = provider.diff("", state(file), given(file))
    assert (difference.changes, difference.replaces) == (True, [])
    provider.update("", state(file), given(file))
    assert provider.diff("", state(file), given(file)).changes is False


def test_a_new_content_is_a_change(file: Path) -> None:
    """Another content in the settings is a change of the file where it is."""
    provider.create(given(file))
    difference = provider.diff("", state(file), given(file, "A=2\n"))
    assert (difference.changes, difference.replaces) == (True, [])


def test_another_path_is_another_file(tmp_path: Path, file: Path) -> None:
    """With another path the file is made there, and the block is taken out here."""
    provider.create(given(file))
    difference = provider.diff("", state(file), given(tmp_path / ".other"))
    assert (difference.changes, difference.replaces) == (True, ["path"])


def test_another_way_to_the_same_file_replaces_nothing(tmp_path: Path, file: Path) -> None:
    """A path written otherwise leads to the same file: taking the old block out would take the new one out."""
    provider.create(given(file))
    link = tmp_path / "link"
    link.symlink_to(".env")
    difference = provider.diff("", state(file), given(link))
    assert (difference.changes, difference.replaces) == (True, [])
    assert provider.update("", state(file), given(link)).outs == state(link)
    assert text(file) == BLOCK


def test_reading_gives_the_digest_of_what_is_there(file: Path) -> None:
    """A refresh shows by the digest that the block was changed, and never what stands in it."""
    provider.create(given(file))
    read = provider.read("id", state(file))
    assert (read.id, read.outs) == ("id", state(file))
    file.write_bytes(f"{BEGIN}A=2\n{END}".encode())
    digest = "sha256:" + hashlib.sha256(b"A=2\n").hexdigest()
    assert provider.read("id", state(file)).outs == {**state(file), "digest": digest}


@pytest.mark.parametrize("there", [None, "", "C=3\n"])
def test_a_file_without_a_block_is_no_resource(file: Path, there: str | None) -> None:
    """A refresh after somebody removed the file or the block finds that the resource is gone."""
    if there is not None:
        file.write_text(there, encoding="utf-8")
    read = provider.read("id", state(file))
    assert (read.id, read.outs) == ("", {})


VERBS: dict[str, Callable[[Path], object]] = {
    "create": lambda path: provider.create(given(path)),
    "diff": lambda path: provider.diff("", state(path), given(path)),
    "update": lambda path: provider.update("", state(path), given(path)),
    "read": lambda path: provider.read("", state(path)),
    "delete": lambda path: provider.delete("", state(path)),
}
every_verb = pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)


def refusal(verb: Callable[[Path], object], path: Path) -> str:
    with pytest.raises(Failure) as refused:
        verb(path)
    assert CONTENT not in str(refused.value)
    return str(refused.value)


@every_verb
def test_a_file_that_is_not_utf_8_is_left_alone(file: Path, verb: Callable[[Path], object]) -> None:
    """A file of another encoding is refused in a sentence, and keeps its bytes."""
    file.write_bytes(b"C=\xff\n" + BLOCK.encode())
    assert refusal(verb, file) == f"{file}: is not UTF-8; mend it, or set `env_file` to another"
    assert file.read_bytes() == b"C=\xff\n" + BLOCK.encode()


@every_verb
def test_a_directory_in_its_place_is_refused(file: Path, verb: Callable[[Path], object]) -> None:
    """What cannot be read is refused with the system's reason."""
    file.mkdir()
    assert refusal(verb, file) == f"{file}: cannot be read (Is a directory); mend it, or set `env_file` to another"


@every_verb
@pytest.mark.parametrize(
    "broken",
    [
        f"{BEGIN}A=1\nC=3\n",
        f"C=3\n{END}",
        f"{END}C=3\n{BEGIN}",
        f"{BLOCK}C=3\n{BLOCK}",
        f"{BEGIN}A=1\nC=3\n{BLOCK}",
        f"{BLOCK}C=3\n{END}",
    ],
    ids=["no end", "no beginning", "the wrong way round", "two blocks", "beginning twice", "end twice"],
)
def test_marks_that_are_not_one_pair_are_refused(file: Path, verb: Callable[[Path], object], broken: str) -> None:
    """Where nobody can say which lines are the block's, nothing is written, so that no line of others is lost."""
    file.write_bytes(broken.encode())
    assert refusal(verb, file) == (
        f"{file}: the marks of platform-postgres in it are not one pair; remove them, and what was written between them"
    )
    assert text(file) == broken


@pytest.mark.parametrize("verb", ["create", "update", "delete"])
def test_a_directory_that_cannot_be_written_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    """What the system does not let us write is one sentence with path and remedy; the file stays, and no other one."""
    file.write_text(f"C=3\n{BLOCK}", encoding="utf-8")

    def refuse(_path: Path, _target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    assert refusal(VERBS[verb], file) == (
        f"{file}: cannot be written (Permission denied); make its folder writable, or set `env_file` to another"
    )
    assert text(file) == f"C=3\n{BLOCK}"
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_cannot_be_removed_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Removing is refused in the same sentence."""
    provider.create(given(file))

    def refuse(_path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    assert refusal(VERBS["delete"], file).startswith(f"{file}: cannot be written (Permission denied); ")


def test_a_file_in_place_of_its_folder_is_refused(tmp_path: Path) -> None:
    """A path through a file is refused with the system's reason."""
    (tmp_path / "file").touch()
    assert refusal(VERBS["create"], tmp_path / "file" / ".env").startswith(
        f"{tmp_path}/file/.env: cannot be read (Not a directory); "
    )


def test_a_name_that_the_system_does_not_take_is_refused(tmp_path: Path) -> None:
    """What only shows when the file is written, such as a name that leaves no room for a second, is refused too."""
    long = tmp_path / ("e" * 250)
    assert refusal(VERBS["create"], long).startswith(f"{long}: cannot be written (File name too long); ")
    assert list(tmp_path.iterdir()) == []
