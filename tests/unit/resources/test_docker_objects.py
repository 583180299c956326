"""A volume or network that the stack did not create is used and kept; its own is removed unless `retain` is set."""

from __future__ import annotations

from typing import Any

import pytest

from infra.resources.actions import docker_objects
from infra.resources.base import Failure
from infra.resources.docker_objects import DockerNetworkProvider, DockerObjectProvider, DockerVolumeProvider
from infra.server.docker.container import OWNER

STACK = "test"
PROPERTIES = {"name": "x", "stack": STACK, "engine": "unix:///x", "retain": False}


class Engine:
    """An engine that has one volume and one network, or none."""

    def __init__(self, labels: dict[str, str] | None, *, exists: bool = True) -> None:
        self.description: dict[str, Any] | None = {"Labels": labels} if exists else None
        self.calls: list[tuple[object, ...]] = []
        self.users: dict[str, str] = {}

    def users_of(self, _volume: str) -> dict[str, str]:
        return self.users

    def volume(self, _name: str) -> dict[str, Any] | None:
        return self.description

    network = volume

    def __getattr__(self, verb: str) -> Any:  # noqa: ANN401 (any of the engine's verbs)

        def record(*arguments: object) -> None:
            self.calls.append((verb, *arguments))

        return record


@pytest.fixture(params=[DockerVolumeProvider, DockerNetworkProvider])
def provider(request: pytest.FixtureRequest) -> DockerObjectProvider:
    """Return each provider in turn."""
    return request.param()


def use(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Replace the real engine."""
    monkeypatch.setattr(docker_objects, "engine_of", lambda _host: engine)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    return engine


def test_what_is_missing_is_created_with_the_stacks_label(
    provider: DockerObjectProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The label says later whose it is."""
    engine = use(Engine(None, exists=False), monkeypatch)
    provider.create(PROPERTIES)
    assert engine.calls == [(f"create_{provider.kind}", "x", {OWNER: STACK})]


def test_what_exists_is_used(provider: DockerObjectProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is created over a volume or network of the same name."""
    engine = use(Engine({OWNER: "other"}), monkeypatch)
    provider.create(PROPERTIES)
    assert engine.calls == []


@pytest.mark.parametrize(
    ("labels", "retain", "removed"),
    [
        ({OWNER: STACK}, False, True),
        ({OWNER: STACK}, True, False),
        ({OWNER: "other"}, False, False),
        (None, False, False),
    ],
)
def test_only_the_stacks_own_is_removed(
    provider: DockerObjectProvider,
    monkeypatch: pytest.MonkeyPatch,
    labels: dict[str, str] | None,
    *,
    retain: bool,
    removed: bool,
) -> None:
    """What others created outlives the stack, and so does what is to be retained, as the setting is at the last run."""
    engine = use(Engine(labels), monkeypatch)
    provider.delete("x", {**PROPERTIES, "retain": retain})
    assert engine.calls == ([(f"remove_{provider.kind}", "x")] if removed else [])


def test_a_volume_that_a_container_has_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replacement of the volume alone, by `--replace`, would take the data from a server that runs."""
    engine = use(Engine({OWNER: STACK}), monkeypatch)
    engine.users = {"pg": "running"}
    with pytest.raises(Failure, match="volume x: is in use by container pg, and has its data; nothing was removed"):
        DockerVolumeProvider().delete("x", PROPERTIES)
    assert engine.calls == []


def test_what_is_gone_is_gone_from_the_state(provider: DockerObjectProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh finds it missing, and a deletion has nothing to do."""
    engine = use(Engine(None, exists=False), monkeypatch)
    assert provider.read("x", PROPERTIES).id == ""
    provider.delete("x", PROPERTIES)
    assert engine.calls == []
