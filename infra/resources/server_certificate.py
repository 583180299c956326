"""A server's certificate and the authority that clients trust, made once, renewed in time, as a resource."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from infra.errors import InfraError
from infra.resources.base import DynamicResource, Properties, Provider, changed, readable_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

MADE = ("authority", "authority_key", "certificate", "key")
SECRET = ["authority_key", "key"]
READABLE = 0o644


class ServerCertificateProvider(Provider):
    """Keeps keys and certificates in the state, and the authority's in a file for this machine's clients."""

    @readable_errors
    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Say where the authority's file is on this machine, and whether it is time for a new certificate."""
        from infra.server.docker.certificates import is_due, moment  # noqa: PLC0415 (only with TLS)

        file = _olds.get("file") or f"{news['stack']}-{secrets.token_hex(4)}.crt"
        path = _folder() / file
        inputs = {**news, "file": file, "path": str(path), "issued": _olds.get("issued") or moment()}
        effect = ""
        if _olds and is_due(_olds["issued"]):
            effect = "renew: the certificate ends in some months: restart in a new container"
        elif changed(_olds, news, "names"):
            effect = f"a new certificate, for {', '.join(news['names'])}: restart in a new container"
        if effect or not _olds:
            inputs["issued"] = moment()
        elif not path.is_file():
            effect = f"write {path}"
        return CheckResult({**inputs, "plan": effect} if _olds and effect else inputs, [])

    @readable_errors
    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Change when a certificate is to be made, or the authority's file is not what it was."""
        stale = _read(Path(_news["path"])) != _olds["authority"]
        return DiffResult(changes=stale or bool(changed(_olds, _news, "names", "path", "issued")))

    @readable_errors
    def create(self, props: Properties) -> CreateResult:
        """Make an authority and a certificate."""
        return CreateResult(props["file"], _written(props, {}))

    @readable_errors
    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Make a new certificate where one is wanted; the authority stays while it lives long enough."""
        return UpdateResult(_written(_news, _olds))

    @readable_errors
    def read(self, id_: str, props: Properties) -> ReadResult:
        """Certificates live in the state."""
        return ReadResult(id_, props)

    @readable_errors
    def delete(self, _id: str, _props: Properties) -> None:
        """Remove the authority's file, and its folder with the last one."""
        path = Path(_props["path"])
        path.unlink(missing_ok=True)
        if path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()


def _folder() -> Path:
    from infra.server.embedded.specification import default_root  # noqa: PLC0415 (only with TLS)

    return default_root().with_name("platform-postgres-certificates")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _written(news: Properties, olds: Properties) -> Properties:
    from infra.server.docker.certificates import issue  # noqa: PLC0415 (only with TLS)
    from infra.server.file_io import write_whole  # noqa: PLC0415

    kept = {name: olds[name] for name in MADE} if olds else {}
    if not olds or changed(olds, news, "names", "issued"):
        authority = {name: olds[name] for name in ("authority", "authority_key")} if olds else {}
        kept = asdict(issue(news["names"], issued=news["issued"], **authority))
    path = Path(news["path"])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, kept["authority"], mode=READABLE)
    except OSError as error:
        raise InfraError(f"cannot be written ({error.strerror})", place=str(path)) from None
    return {**{name: value for name, value in news.items() if name != "plan"}, **kept}


class ServerCertificate(DynamicResource, module="postgres", name="ServerCertificate"):
    """A certificate; `path` is the authority's file, `certificate` and `key` are what the server gets."""

    path: pulumi.Output[str]
    certificate: pulumi.Output[str]
    key: pulumi.Output[str]

    def __init__(
        self, name: str, *, stack: str, names: Sequence[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=SECRET)
        given: Properties = {"stack": stack, "names": list(names), **dict.fromkeys((*MADE, "file", "path", "issued"))}
        super().__init__(ServerCertificateProvider, name, given, pulumi.ResourceOptions.merge(opts, secret))
