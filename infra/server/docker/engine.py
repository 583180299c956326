"""Talks to a Docker engine over its HTTP API: looks at what is there, and runs short commands in containers."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlencode, urlsplit

from infra.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEFAULT_HOST = "unix:///var/run/docker.sock"
_SECONDS = 120
"""The longest single answer: a short command in a container."""
NOT_FOUND, BAD = 404, 400
WANTS_LOGIN = (401, 403)
_REMEDY = "start it, or set server.docker_host or DOCKER_HOST to the one that runs"

Json = dict[str, Any]


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, seconds: int | None) -> None:
        super().__init__("docker", timeout=seconds)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


@dataclass(frozen=True)
class Engine:
    """A Docker engine by its address, as DOCKER_HOST has it."""

    host: str

    @property
    def is_local(self) -> bool:
        """Say whether its ports on 127.0.0.1 are this machine's."""
        return self.host.startswith("unix://") or urlsplit(self.host).hostname in {"127.0.0.1", "localhost"}

    def ping(self) -> None:
        """Raise ServerError, in one sentence, when it does not answer."""
        self._call("GET", "/_ping", None, _SECONDS)

    def image(self, name: str) -> Json | None:
        """Give what the engine says of an image that it has, by name or id."""
        return self._look(f"/images/{quote(name)}/json")

    def registry_refuses(self, name: str) -> str:
        """Give a registry's reason for not having an image, as the engine says it; '' when it may be pulled.

        One that wants a login is not judged here: the plugin has what `docker login` kept.
        """
        status, body = self._call("GET", f"/distribution/{quote(name)}/json", None, _SECONDS)
        return "" if status < BAD or status in WANTS_LOGIN else _message(body)

    def container(self, name: str) -> Json | None:
        """Give what the engine says of a container, by name or id."""
        return self._look(f"/containers/{quote(name)}/json")

    def volume(self, name: str) -> Json | None:
        """Give what the engine says of a volume."""
        return self._look(f"/volumes/{quote(name)}")

    def network(self, name: str) -> Json | None:
        """Give what the engine says of a network."""
        return self._look(f"/networks/{quote(name)}")

    def start(self, container: str) -> None:
        """Start a container; harmless when it runs."""
        self.ask("POST", f"/containers/{quote(container)}/start")

    def stop(self, container: str) -> None:
        """Stop a container with its own signal and patience; harmless when it stands still."""
        self.ask("POST", f"/containers/{quote(container)}/stop")

    def create(self, container: str, asked: Json) -> None:
        """Make a container."""
        self.ask("POST", f"/containers/create?{urlencode({'name': container})}", asked)

    def remove(self, container: str) -> None:
        """Remove a container and its nameless volumes; harmless when it is gone."""
        self._look(f"/containers/{quote(container)}?force=1&v=1", "DELETE")

    def make_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Make a volume."""
        self.ask("POST", "/volumes/create", {"Name": name, "Labels": dict(labels)})

    def remove_volume(self, name: str) -> None:
        """Remove a volume; harmless when it is gone."""
        self._look(f"/volumes/{quote(name)}", "DELETE")

    def volumes_with(self, label: str, value: str) -> list[str]:
        """Name the volumes with a label of this value."""
        query = urlencode({"filters": json.dumps({"label": [f"{label}={value}"]})})
        found: list[Json] = self.ask("GET", f"/volumes?{query}")["Volumes"] or []
        return [str(one["Name"]) for one in found]

    def last_lines(self, container: str, count: int = 3) -> str:
        """Give the last lines that a container said, as one."""
        query = urlencode({"stdout": 1, "stderr": 1, "tail": count})
        _, body = self._call("GET", f"/containers/{quote(container)}/logs?{query}", None, _SECONDS)
        return " / ".join(line.strip() for line in _unframed(body).splitlines() if line.strip())

    def run(self, image: str, script: str, *, variables: dict[str, str], binds: Sequence[str] = ()) -> str:
        """Run a shell script in a new container without network, remove it, and give what it said."""
        made = self.ask(
            "POST",
            "/containers/create",
            {
                "Image": image,
                "Entrypoint": ["sh", "-c", script],
                "Cmd": [],
                "Env": [f"{name}={value}" for name, value in variables.items()],
                "Labels": {"platform-postgres.look": "true"},
                "HostConfig": {"NetworkMode": "none", "Binds": list(binds)},
            },
        )
        container = str(made["Id"])
        try:
            self.start(container)
            self.ask("POST", f"/containers/{container}/wait")
            _, body = self._call("GET", f"/containers/{container}/logs?stdout=1&stderr=1", None, _SECONDS)
        finally:
            self._call("DELETE", f"/containers/{container}?force=1&v=1", None, _SECONDS)
        return _unframed(body)

    def execute(
        self, container: str, script: str, *, user: str, variables: Mapping[str, str], seconds: int | None = _SECONDS
    ) -> tuple[int, str]:
        """Run a shell script in a running container, and give its exit status and what it said."""
        asked = {
            "Cmd": ["sh", "-c", script],
            "User": user,
            "Env": [f"{name}={value}" for name, value in variables.items()],
            "AttachStdout": True,
            "AttachStderr": True,
        }
        made = self.ask("POST", f"/containers/{quote(container)}/exec", asked)
        _, body = self._call("POST", f"/exec/{made['Id']}/start", {"Detach": False, "Tty": False}, seconds)
        status = self.ask("GET", f"/exec/{made['Id']}/json")["ExitCode"]
        return int(status), _unframed(body).strip()

    def _look(self, path: str, method: str = "GET") -> Json | None:
        status, body = self._call(method, path, None, _SECONDS)
        if status == NOT_FOUND:
            return None
        return self._checked(status, body)

    def ask(self, method: str, path: str, body: Json | None = None) -> Json:
        """Ask anything else of its API; raises ServerError when it refuses."""
        return self._checked(*self._call(method, path, body, _SECONDS))

    def _checked(self, status: int, body: bytes) -> Json:
        if status >= BAD:
            raise ServerError(f"refuses: {_message(body)}", place=f"Docker at {self.host}")
        return cast("Json", json.loads(body)) if body.strip() else {}

    def _call(self, method: str, path: str, body: Json | None, seconds: int | None) -> tuple[int, bytes]:
        try:
            connection = self._connection(seconds)
            try:
                headers = {"Content-Type": "application/json"}
                connection.request(method, path, json.dumps(body) if body is not None else None, headers)
                answer = connection.getresponse()
                return answer.status, answer.read()
            finally:
                connection.close()
        except (OSError, http.client.HTTPException) as error:
            words = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise ServerError(
                f"does not answer: {words}", place=f"Docker at {self.host}", remedy=_remedy(error)
            ) from None

    def _connection(self, seconds: int | None) -> http.client.HTTPConnection:
        parts = urlsplit(self.host)
        if parts.scheme == "unix":
            return _UnixConnection(parts.path, seconds)
        if parts.scheme in {"tcp", "http", "https"} and parts.hostname:
            certificates = os.environ.get("DOCKER_CERT_PATH")
            if os.environ.get("DOCKER_TLS_VERIFY") and certificates:
                folder = Path(certificates)
                context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
                context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
                return http.client.HTTPSConnection(parts.hostname, parts.port or 2376, timeout=seconds, context=context)
            return http.client.HTTPConnection(parts.hostname, parts.port or 2375, timeout=seconds)
        raise ServerError(
            "is no address that this program can reach",
            place=f"Docker at {self.host}",
            remedy="write unix:///path/of/docker.sock or tcp://host:port; for ssh, forward the socket with `ssh -L`",
        )


def engine_of(setting: str | None) -> Engine:
    """Give the engine that the settings name, or DOCKER_HOST, or the usual socket."""
    return Engine(setting or os.environ.get("DOCKER_HOST") or DEFAULT_HOST)


def _remedy(error: Exception) -> str:
    return "let your user use it (group docker), or be root" if isinstance(error, PermissionError) else _REMEDY


def _message(body: bytes) -> str:
    try:
        text = str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        text = body.decode(errors="replace")
    return " ".join(text.split())


def _unframed(body: bytes) -> str:
    """Take the engine's frames (kind, three zeros, four bytes of length) off what a container said."""
    text, at = b"", 0
    while at + 8 <= len(body) and body[at] in {0, 1, 2} and body[at + 1 : at + 4] == b"\0\0\0":
        length = int.from_bytes(body[at + 4 : at + 8], "big")
        text += body[at + 8 : at + 8 + length]
        at += 8 + length
    return (text + body[at:]).decode(errors="replace")
