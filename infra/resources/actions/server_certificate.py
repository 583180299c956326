"""What ServerCertificate's verbs do: decide when a certificate is due, issue it, write the file for clients."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import InfraError
from infra.resources.base import changed
from infra.resources.console import Shown, logger
from infra.server import certificates
from infra.server.embedded.specification import default_root
from infra.server.file_io import write_whole

if TYPE_CHECKING:
    from infra.resources.base import Properties

_AUTHORITY = ("authority", "authority_key")
REISSUED = ("names", "self_signed", "issued")
"""The inputs with which a certificate is issued."""
_READABLE_MODE = 0o644


def plan(olds: Properties, news: Properties) -> Properties:
    """Return the inputs with the file for clients and the moment of issue; show what will be done to what exists."""
    news = {**news, "names": list(dict.fromkeys(news["names"]))}
    file = olds.get("file") or f"{news['stack']}-{secrets.token_hex(4)}.crt"
    path = _folder() / file
    inputs = {**news, "file": file, "path": str(path), "issued": olds.get("issued") or certificates.moment()}
    if not olds:
        return inputs
    text = ""
    if not news["self_signed"] and certificates.is_due(olds["issued"]):
        text = "renew: the certificate ends in some months: restart in a new container"
    elif changed(olds, news, "names", "self_signed"):
        text = f"a new certificate, for {', '.join(news['names'])}: restart in a new container"
    if text:
        inputs["issued"] = certificates.moment()
    elif not path.is_file():
        text = f"write {path}"
    if text:
        logger(news, "ServerCertificate", "certificate", Shown.INFO)(text)
    return inputs


def issue(news: Properties, olds: Properties) -> Properties:
    """Return the properties with keys and certificates, new where one is due; write the file for clients."""
    issued = {name: olds[name] for name in (*_AUTHORITY, "certificate", "key")} if olds else {}
    if not olds or changed(olds, news, *REISSUED):
        issued = _issue_again(news, olds)
    path = Path(news["path"])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, issued["authority"], mode=_READABLE_MODE)
    except OSError as error:
        raise InfraError(f"cannot be written ({error.strerror})", place=str(path)) from None
    return {**news, **issued}


def _issue_again(news: Properties, olds: Properties) -> Properties:
    if news["self_signed"]:
        certificate, key = certificates.self_signed(news["names"])
        return {"authority": certificate, "authority_key": "", "certificate": certificate, "key": key}
    known = {name: olds[name] for name in _AUTHORITY} if olds.get("authority_key") else {}
    return asdict(certificates.issue(news["names"], issued=news["issued"], **known))


def _folder() -> Path:
    return default_root().with_name("platform-postgres-certificates")
