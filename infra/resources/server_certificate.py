"""A server's certificate and what clients trust: created once, renewed in time where it ends, as a resource."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.resources.base import DynamicResource, Properties, Provider, changed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.resources.actions import server_certificate as actions
else:
    actions = LazyModule("infra.resources.actions.server_certificate")

_ISSUED = ("authority", "authority_key", "certificate", "key")
_SECRET = ["authority_key", "key"]


class ServerCertificateProvider(Provider):
    """Keeps keys and certificates in the state, and the one that clients trust in a file for those of this machine."""

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Decide where the file for clients is on this machine, and whether a new certificate is due."""
        return CheckResult(actions.plan(_olds, news), [])

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when a certificate is to be issued, or the file for clients differs."""
        path = Path(_news["path"])
        content = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        stale = content != _olds["authority"]
        return DiffResult(changes=stale or bool(changed(_olds, _news, *actions.REISSUED, "path")))

    def create(self, props: Properties) -> CreateResult:
        """Issue a certificate, by an authority or by itself."""
        return CreateResult(props["file"], actions.issue(props, {}))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Issue a new certificate where one is due; the authority stays while it lives long enough."""
        return UpdateResult(actions.issue(_news, _olds))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Return what the state has: certificates exist nowhere else."""
        return ReadResult(id_, props)

    def delete(self, _id: str, _props: Properties) -> None:
        """Remove the file for clients, and its folder with the last one."""
        path = Path(_props["path"])
        path.unlink(missing_ok=True)
        if path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()


class ServerCertificate(DynamicResource, module="postgres", name="ServerCertificate"):
    """A certificate; `path` is the file by which clients know the server, `certificate` and `key` are the server's.

    It is signed by itself and does not end, or by an authority and is renewed.
    """

    path: pulumi.Output[str]
    certificate: pulumi.Output[str]
    key: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        stack: str,
        names: Sequence[pulumi.Input[str]],
        self_signed: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=_SECRET)
        props: Properties = {
            "stack": stack,
            "names": list(names),
            "self_signed": self_signed,
            **dict.fromkeys((*_ISSUED, "file", "path", "issued")),
        }
        super().__init__(ServerCertificateProvider, name, props, pulumi.ResourceOptions.merge(opts, secret))
