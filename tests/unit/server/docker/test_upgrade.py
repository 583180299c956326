"""Where a container's data go when its image has another major version of PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from infra.errors import RefusedError
from infra.server.docker.image import Image
from infra.server.docker.upgrade import MOVED_FROM, refuse_taken, volume_after

if TYPE_CHECKING:
    from infra.server.docker.engine import Engine


class Things:
    """An engine with volumes and containers, of which those of `moved` have a move's label."""

    def __init__(self, *names: str, moved: tuple[str, ...] = ()) -> None:
        self.names = {*names, *moved}
        self.moved = moved

    def volume(self, name: str) -> dict[str, Any] | None:
        return {"Name": name} if f"volume {name}" in self.names else None

    def container(self, name: str) -> dict[str, Any] | None:
        labels = {MOVED_FROM: "data"} if f"container {name}" in self.moved else {}
        return {"Config": {"Labels": labels}} if f"container {name}" in self.names else None

    def volumes_with(self, _label: str, _value: str) -> list[str]:
        return [name.removeprefix("volume ") for name in self.moved]


def after(version: str, known: int, how: str, *, volume: str = "data") -> str:
    """Ask for the volume of an image of this version."""
    image = Image(version, (), (), (), {}, 0)
    return volume_after(image, "postgres:x", first_volume="data", now=(volume, known), how=how)


@pytest.mark.parametrize(
    ("version", "known", "how", "volume", "expected"),
    [
        ("17.6", 0, "refuse", "data", "data"),
        ("17.6", 17, "refuse", "data", "data"),
        ("17.6", 17, "dump-restore", "data-17", "data-17"),
        ("17.6", 15, "dump-restore", "data", "data-17"),
        ("18.1", 17, "dump-restore", "data-17", "data-18"),
        ("18beta1", 17, "dump-restore", "data", "data-18"),
    ],
)
def test_data_move_to_a_volume_named_after_the_newer_version(
    version: str, known: int, how: str, volume: str, expected: str
) -> None:
    """The same version stays where it is; a newer one gets a volume, named after the first one and the version."""
    assert after(version, known, how, volume=volume) == expected


@pytest.mark.parametrize(
    ("version", "known", "how", "words"),
    [
        ("17.6", 15, "refuse", "or set server.upgrade to dump-restore, and they are moved to a new volume"),
        ("17.6", 15, "", "holds PostgreSQL 17.6, and the data in volume data are PostgreSQL 15's, which"),
        ("15.4", 17, "dump-restore", "which an older one cannot read"),
    ],
)
def test_other_versions_are_refused_unless_they_are_newer_and_wanted(
    version: str, known: int, how: str, words: str
) -> None:
    """Not asked for, or older: each is one sentence with a remedy."""
    with pytest.raises(RefusedError) as caught:
        after(version, known, how)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("engine", "taken"),
    [
        (Things(), ""),
        (Things("volume data-17"), "volume data-17"),
        (Things(moved=("volume data-17",)), "volume data-17"),
        (Things(moved=("volume data-17", "container one.new")), ""),
        (Things("volume data-17", moved=("container one.new",)), "volume data-17"),
        (Things("container one.old"), "container one.old"),
    ],
    ids=["nothing", "a stranger's", "a finished move's", "a killed move's", "a stranger's by it", "a container"],
)
def test_a_move_takes_no_name_that_is_in_use(engine: Things, taken: str) -> None:
    """Only what a killed move has left, with its containers, is taken again; all else is named."""
    try:
        refuse_taken(cast("Engine", engine), "one", "data", "data-17")
        found = ""
    except RefusedError as error:
        found = error.place
    assert found == taken
