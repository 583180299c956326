"""A server's certificate and the authority that clients trust, made once, renewed in time, as a resource."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from infra.errors import InfraError
from infra.resources.boundary import DynamicResource, Properties, Provider, changed, plainly

if TYPE_CHECKING:
    from collections.abc import Sequence

MADE = ("authority", "authority_key", "certificate", "key", "renew_after")
SECRET = ["authority_key", "key"]
READABLE = 0o644


class ServerCertificateProvider(Provider):
    """Keeps keys and certificates in the state, and the authority's in a file for this machine's clients."""

    @plainly
    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Say where the authority's file is on this machine, and whether it is time for a new certificate."""
        if not _olds:
            return CheckResult(news, [])
        inputs = {**news, "file": _olds["file"], "path": str(_folder() / _olds["file"])}
        effect = _effect(_olds, inputs)
        return CheckResult({**inputs, "plan": effect} if effect else inputs, [])

    @plainly
    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Change when the names did, or when something is to be made anew."""
        return DiffResult(changes=bool(changed(_olds, _news, "names", "path")) or "plan" in _news)

    @plainly
    def create(self, props: Properties) -> CreateResult:
        """Make an authority and a certificate."""
        file = f"{props['stack']}-{secrets.token_hex(4)}.crt"
        return CreateResult(file, _written({**props, "file": file, "path": str(_folder() / file)}, {}))

    @plainly
    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Renew the certificate where it is due or has other names; the authority stays while it lives long enough."""
        return UpdateResult(_written(_news, _olds))

    @plainly
    def read(self, id_: str, props: Properties) -> ReadResult:
        """Certificates live in the state."""
        return ReadResult(id_, props)

    @plainly
    def delete(self, _id: str, _props: Properties) -> None:
        """Remove the authority's file, and its folder with the last one."""
        path = Path(_props["path"])
        path.unlink(missing_ok=True)
        if path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()


def _folder() -> Path:
    from infra.server.specification import default_root  # noqa: PLC0415 (only with TLS)

    return default_root().with_name("platform-postgres-certificates")


def _effect(olds: Properties, news: Properties) -> str:
    """Say what will be done, '' for nothing."""
    from infra.server.certificates import is_due  # noqa: PLC0415 (only with TLS)

    if changed(olds, news, "names"):
        return f"a new certificate, for {', '.join(news['names'])}: restart in a new container"
    if is_due(olds["renew_after"]):
        return "renew: the certificate ends in some months: restart in a new container"
    path = Path(news["path"])
    there = path.is_file() and path.read_text(encoding="ascii", errors="replace") == olds["authority"]
    return "" if there else f"write {path}"


def _written(news: Properties, olds: Properties) -> Properties:
    from infra.server.certificates import is_due, issue  # noqa: PLC0415 (only with TLS)
    from infra.server.files import write_whole  # noqa: PLC0415

    kept = {name: olds[name] for name in MADE} if olds else {}
    if not olds or olds["names"] != news["names"] or is_due(olds["renew_after"]):
        authority = {name: olds[name] for name in ("authority", "authority_key")} if olds else {}
        kept = asdict(issue(news["names"], **authority))
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
        given: Properties = {"stack": stack, "names": list(names), **dict.fromkeys((*MADE, "file", "path"))}
        super().__init__(ServerCertificateProvider, name, given, pulumi.ResourceOptions.merge(opts, secret))
