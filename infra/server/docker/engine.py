"""A Docker engine: descriptions of its images, containers, volumes and networks, and short commands in containers."""

from __future__ import annotations

import os
import struct
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from docker.errors import APIError, NotFound

from infra.server.docker.client import TIMEOUT_SECONDS, connect_client, engine_errors, explanation_of

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

DEFAULT_HOST = "unix:///var/run/docker.sock"
_LOGIN_REQUIRED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_FRAME = struct.Struct(">BxxxL")
"""The header of a piece of output: the stream's number, and the length in bytes (Engine API, ContainerAttach)."""
_RUN_LABELS = {"platform-postgres.look": "true"}

Json = dict[str, Any]


@dataclass(frozen=True)
class Engine:
    """A Docker engine by its address, in the form of DOCKER_HOST: unix://, tcp:// or ssh://.

    The first call connects. Every method raises ServerError when the engine does not answer or refuses the request.
    """

    host: str

    @property
    def hostname(self) -> str:
        """The name or IP address of the engine's machine, '' for a Unix socket."""
        return urlsplit(self.host).hostname or ""

    @property
    def is_local(self) -> bool:
        """Whether the engine's ports on 127.0.0.1 are this machine's."""
        return self.host.startswith("unix://") or self.hostname in {"127.0.0.1", "localhost"}

    def ping(self) -> None:
        """Raise ServerError when the engine does not answer."""
        with engine_errors(self.host):
            self._client.ping()

    def image(self, name: str) -> Json | None:
        """Return the engine's description of an image by name or id, None when the engine does not have it."""
        with self._missing_is_none():
            return self._client.inspect_image(name)

    def container(self, name: str) -> Json | None:
        """Return the engine's description of a container by name or id, None when there is none."""
        with self._missing_is_none():
            return self._client.inspect_container(name)

    def volume(self, name: str) -> Json | None:
        """Return the engine's description of a volume, None when there is none."""
        with self._missing_is_none():
            return self._client.inspect_volume(name)

    def network(self, name: str) -> Json | None:
        """Return the engine's description of a network, None when there is none."""
        with self._missing_is_none():
            return self._client.inspect_network(name)

    def pull_refusal(self, image: str) -> str:
        """Return the reason why a registry does not provide an image, '' when the image can be pulled.

        A registry that requires a login is not judged: the plugin that pulls may have credentials for it.
        """
        with engine_errors(self.host):
            try:
                self._client.inspect_distribution(image)
            except APIError as error:
                return "" if error.status_code in _LOGIN_REQUIRED else explanation_of(error)
        return ""

    def create(
        self,
        image: str,
        *,
        name: str | None = None,
        command: Sequence[str] | None = None,
        entrypoint: Sequence[str] | None = None,
        variables: Mapping[str, str],
        binds: Sequence[str],
        labels: Mapping[str, str],
        limits: Mapping[str, int | str] | None = None,
        stop_signal: str | None = None,
        stop_timeout: int | None = None,
    ) -> str:
        """Create a container without network and return its id.

        `binds` are `volume:path[:ro]`, `limits` the SDK's `mem_limit`, `memswap_limit` and `shm_size`, in bytes or as
        512MB, and `stop_timeout` is in seconds.
        """
        with engine_errors(self.host):
            created = self._client.create_container(
                image,
                name=name,
                command=command,
                entrypoint=entrypoint,
                environment=_environment(variables),
                labels=dict(labels),
                host_config=self._client.create_host_config(network_mode="none", binds=list(binds), **(limits or {})),
                stop_signal=stop_signal,
                stop_timeout=stop_timeout,
                use_config_proxy=False,  # no proxy variables of the user's Docker configuration in the container
            )
        return str(created["Id"])

    def start(self, container: str) -> None:
        """Start a container unless it runs; a paused one goes on."""
        state: Json = (self.container(container) or {}).get("State") or {}
        with engine_errors(self.host):
            if state.get("Paused"):
                self._client.unpause(container)
            else:
                self._client.start(container)

    def stop(self, container: str) -> None:
        """Stop a container, if it runs, with the signal and the timeout that it was created with."""
        with engine_errors(self.host):
            self._client.stop(container)

    def remove(self, container: str) -> None:
        """Remove a container, if it exists, with its anonymous volumes."""
        with self._missing_is_none():
            self._client.remove_container(container, v=True, force=True)

    def create_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Create a volume."""
        with engine_errors(self.host):
            self._client.create_volume(name, labels=dict(labels))

    def remove_volume(self, name: str) -> None:
        """Remove a volume if it exists."""
        with self._missing_is_none():
            self._client.remove_volume(name)

    def create_network(self, name: str, labels: Mapping[str, str]) -> None:
        """Create a bridge network."""
        with engine_errors(self.host):
            self._client.create_network(name, driver="bridge", labels=dict(labels))

    def remove_network(self, name: str) -> None:
        """Remove a network if it exists."""
        with self._missing_is_none():
            self._client.remove_network(name)

    def volumes_labelled(self, label: str, value: str) -> list[str]:
        """Return the names of the volumes whose label has this value."""
        with engine_errors(self.host):
            volumes: list[Json] = self._client.volumes(filters={"label": f"{label}={value}"})["Volumes"] or []
        return [str(volume["Name"]) for volume in volumes]

    def users_of(self, volume: str) -> dict[str, str]:
        """Return the states of the containers that have a volume, by name, but for those of `run`."""
        with engine_errors(self.host):
            found: list[Json] = self._client.containers(all=True, filters={"volume": volume})
        return {
            str(container["Names"][0]).removeprefix("/"): str(container["State"])
            for container in found
            if not _RUN_LABELS.items() <= (container["Labels"] or {}).items()
        }

    def log_tail(self, container: str, count: int = 3) -> str:
        """Return the last lines of a container's log, joined by ` / `; '' when there is no such container."""
        log = b""
        with self._missing_is_none():
            log = self._client.logs(container, tail=count)
        return " / ".join(line.strip() for line in log.decode(errors="replace").splitlines() if line.strip())

    def run(
        self,
        image: str,
        script: str,
        *,
        variables: Mapping[str, str],
        binds: Sequence[str] = (),
        limits: Mapping[str, int | str] | None = None,
    ) -> str:
        """Run a shell script in a new container without network, remove the container and return the output."""
        entrypoint = ["sh", "-c", script]
        container = self.create(
            image, entrypoint=entrypoint, variables=variables, binds=binds, labels=_RUN_LABELS, limits=limits
        )
        try:
            with engine_errors(self.host):
                self._client.start(container)
                self._client.wait(container, timeout=TIMEOUT_SECONDS)
                return self._client.logs(container).decode(errors="replace")
        finally:
            self.remove(container)

    def execute(
        self,
        container: str,
        script: str,
        *,
        user: str,
        variables: Mapping[str, str],
        seconds: int | None = TIMEOUT_SECONDS,
    ) -> tuple[int, str]:
        """Run a shell script in a running container, and return its exit status and the output of both streams.

        `seconds` is the longest time without output, None for any. The SDK's `exec_start` has no such limit, and can
        lose the output of a command that ends quickly, because it reads from the socket and not from the buffer of the
        HTTP response (https://github.com/docker/docker-py/issues/3332); so the request is sent without it.
        """
        client = self._client
        with engine_errors(self.host):
            command = client.exec_create(
                container, ["sh", "-c", script], user=user, environment=_environment(variables)
            )["Id"]
            url = f"{client.base_url}/v{client.api_version}/exec/{command}/start"
            response = client.post(url, json={"Detach": False, "Tty": False}, timeout=seconds)
            if not response.ok:
                raise APIError(response.reason, response=response, explanation=response.json().get("message"))
            status = client.exec_inspect(command)["ExitCode"]
        return int(status), _without_frames(response.content).decode(errors="replace").strip()

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 (the SDK has no types)
        return connect_client(self.host)

    @contextmanager
    def _missing_is_none(self) -> Generator[None]:
        """Suppress the engine's answer that it has no such object; the function then returns None."""
        with engine_errors(self.host):
            try:
                yield
            except NotFound:
                return


def engine_of(setting: str | None) -> Engine:
    """Return the engine of the setting `server.docker_host`, else of DOCKER_HOST, else of the default socket."""
    return Engine(setting or os.environ.get("DOCKER_HOST") or DEFAULT_HOST)


def _environment(variables: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in variables.items()]


def _without_frames(body: bytes) -> bytes:
    """Return the output of a command that the engine sent in frames."""
    pieces: list[bytes] = []
    position = 0
    while position + _FRAME.size <= len(body):
        _, length = _FRAME.unpack_from(body, position)
        position += _FRAME.size
        pieces.append(body[position : position + length])
        position += length
    return b"".join(pieces)
