"""The volume of a container's data when its image has another major version of PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from infra.errors import RefusedError
from infra.server.docker.image import Image
from infra.server.docker.upgrade import MOVED_FROM, refuse_taken, volume_after

if TYPE_CHECKING:
    from infra.server.docker.engine import Engine


class FakeEngine:
    """An engine with volumes and containers; those in `labelled` have the label of an upgrade."""

    def __init__(self, *names: str, labelled: tuple[str, ...] = ()) -> None:
        self.names = {*names, *labelled}
        self.labelled = labelled

    def volume(self, name: str) -> dict[str, Any] | None:
        return {"Name": name} if f"volume {name}" in self.names else None

    def container(self, name: str) -> dict[str, Any] | None:
        labels = {MOVED_FROM: "data"} if f"container {name}" in self.labelled else {}
        return {"Config": {"Labels": labels}} if f"container {name}" in self.names else None

    def volumes_labelled(self, _label: str, _value: str) -> list[str]:
        return [name.removeprefix("volume ") for name in self.labelled]


def after(version: str, known: int, how: str, *, volume: str = "data") -> str:
    """Return the volume for the data under an image of this version."""
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
        (FakeEngine(), ""),
        (FakeEngine("volume data-17"), "volume data-17"),
        (FakeEngine(labelled=("volume data-17",)), "volume data-17"),
        (FakeEngine(labelled=("volume data-17", "container pg.new")), ""),
        (FakeEngine("volume data-17", labelled=("container pg.new",)), "volume data-17"),
        (FakeEngine("container pg.old"), "container pg.old"),
    ],
    ids=["nothing", "foreign", "of a completed upgrade", "of a killed upgrade", "foreign beside it", "a container"],
)
def test_an_upgrade_uses_no_name_that_is_in_use(engine: FakeEngine, taken: str) -> None:
    """Only the remains of a killed upgrade, which include its containers, are used again; all else is named."""
    try:
        refuse_taken(cast("Engine", engine), "pg", "data", "data-17")
        place = ""
    except RefusedError as error:
        place = error.place
    assert place == taken
