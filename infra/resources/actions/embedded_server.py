"""What EmbeddedServer's verbs do, in the terms of infra/server/embedded."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import RefusedError
from infra.modules.decision import Lifecycle
from infra.postgres.server_privileges import restrict_server
from infra.resources.base import is_known
from infra.resources.console import Shown, logger
from infra.resources.lost_data import BEGIN_EMPTY
from infra.server.embedded import cluster, distribution
from infra.server.embedded.specification import ClusterSpec, default_root

if TYPE_CHECKING:
    from infra.resources.base import Properties
    from infra.server.embedded.distribution import Distribution
    from infra.server.embedded.specification import Running

UUID_OSSP = {
    "module": "uuid-ossp is PostgreSQL's own C module",
    "replacement": "uuid-ossp is this project's SQL replacement, equal but for v1's random node",
    "absent": "uuid-ossp is not offered",
}


def place(olds: Properties, news: Properties) -> Properties:
    """Return the server's folder and owner: named after the label and this checkout, fixed once it has been created."""
    checkout = hashlib.sha256(str(Path.cwd()).encode()).hexdigest()[:8]
    return {
        "name": olds.get("name") or f"{news['label']}-{checkout}",
        "root": news.get("data_root") or ("" if olds.get("data_root") else olds.get("root")) or str(default_root()),
        "owner": olds.get("owner") or f"stack {news['stack']} of {Path.cwd().name} ({checkout})",
    }


def plan(props: Properties) -> tuple[str, Distribution]:
    """Return what will be done to the server, '' for nothing, and the distribution that it runs; raises InfraError."""
    step = cluster.plan(_specification(props))
    text = "" if step.verb == "keep" else f"{step.verb}: {'; '.join(step.reasons)}"
    return text, distribution.locate(_bin_dir(props))


def show_plan(props: Properties) -> bool:
    """Show what will be done to the server, and return whether that is anything; it is no input, so no state has it."""
    text, _ = plan(props)
    if text:
        logger(props, "EmbeddedServer", "server", Shown.INFO)(text)
    return bool(text)


def known_address(props: Properties) -> Properties:
    """Return where the server listened last and will listen again, and its certificate, so that a preview knows it."""
    address = None if cluster.state(_base(props)) == "absent" else cluster.listens_at(_base(props))
    if address is None or int(props["port"]) not in {0, address[1]}:
        return {}
    return {"host": address[0], "listen_port": address[1], "certificate": cluster.certificate_of(_base(props))}


def refuse_lost_data(props: Properties) -> None:
    """Raise RefusedError where the data of a persistent stack's server are gone."""
    if props.get("lifecycle") == Lifecycle.PERSISTENT.value and cluster.state(_base(props)) == "absent":
        raise RefusedError(
            "has lost its data, and this stack is persistent", place=str(_base(props)), remedy=BEGIN_EMPTY
        )


def create(props: Properties) -> Properties:
    """Create or adopt the server, and return the resource's outputs."""
    return _restricted(props, cluster.create(_specification(props), adopt=props["adopt"]))


def update(props: Properties, *, password: str) -> Properties:
    """Make the server as specified, given the administrator's password so far, and return the outputs.

    Where its data are gone, it is created again.
    """
    if cluster.state(_base(props)) == "absent":
        return create(props)
    return _restricted(props, cluster.set_password(_specification(props), password))


def read(props: Properties) -> Properties | None:
    """Start the server where it is stopped and return the outputs, None where it is gone."""
    refuse_lost_data(props)
    if cluster.state(_base(props)) == "absent":
        return None
    return _outputs(props, cluster.ensure(_specification(props)))


def delete(props: Properties) -> None:
    """Stop the server and remove or retain its data."""
    cluster.destroy(_base(props), owner=props["owner"], retain=props["retain"])


def remove_unrecorded(folder: Properties) -> None:
    """Remove the server of a place where its creation was killed."""
    cluster.remove_unrecorded(_base(folder), owner=folder["owner"])


def _base(props: Properties) -> Path:
    return Path(props["root"]) / props["name"]


def _bin_dir(props: Properties) -> Path | None:
    return Path(props["bin_dir"]) if props.get("bin_dir") else None


def _specification(props: Properties) -> ClusterSpec:
    return ClusterSpec(
        name=props["name"],
        owner=props["owner"],
        admin_password=props["password"] if is_known(props["password"]) else "not yet known",
        root=Path(props["root"]),
        bin_dir=_bin_dir(props),
        port=int(props["port"]),
        run_as=props.get("run_as") or "",
        settings=props["settings"],
        admin_user=props["user"],
    )


def _restricted(props: Properties, running: Running) -> Properties:
    restrict_server(_specification(props).target(running.port))
    return _outputs(props, running)


def _outputs(props: Properties, running: Running) -> Properties:
    return {
        **props,
        "login_password": props["password"],
        "host": running.host,
        "listen_port": running.port,
        "version": running.version,
        "system_identifier": running.system_identifier,
        "certificate": cluster.certificate_of(_base(props)),
        "log_file": str(running.log_file),
        "psql": str(running.distribution.tool("psql")),
        "uuid_ossp": UUID_OSSP[running.distribution.uuid_ossp],
    }
