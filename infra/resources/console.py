"""Shows messages at a resource while its verb runs: Pulumi's SDK gives dynamic providers no way to log."""

from __future__ import annotations

import os
import sys
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from infra.resources.base import OWN_URN

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.resources.base import Properties

LOG_SECONDS = 2


@cache
def _engine() -> engine_pb2_grpc.EngineStub | None:
    """Return the engine that started this process: its address is the host's one argument."""
    address = sys.argv[-1]
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        return None
    return engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))


class Shown(Enum):
    """How a message is shown; STATUS is Pulumi's ephemeral status, which the next one at the resource replaces."""

    STATUS = "status"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_SEVERITIES = {
    Shown.STATUS: engine_pb2.INFO,
    Shown.INFO: engine_pb2.INFO,
    Shown.WARNING: engine_pb2.WARNING,
    Shown.ERROR: engine_pb2.ERROR,
}


def logger(props: Properties, kind: str, name: str, shown: Shown = Shown.WARNING) -> Callable[[str], None]:
    """Return a function that shows a text at a resource.

    `props` are its properties with its stack, as `dev` or `project/dev`; type (`SqlModule`) and name are those that it
    has outside a component.
    """
    project = os.environ.get("PULUMI_PROJECT", "")
    of_stack = f"{props.get('stack', '').rpartition('/')[2]}::{project}"
    urn = props.get(OWN_URN) or f"urn:pulumi:{of_stack}::pulumi-python:dynamic/postgres:{kind}::{name}"

    def log(text: str) -> None:
        engine = _engine()
        if engine is None:
            return
        try:
            engine.Log(  # pyright: ignore[reportUnknownMemberType]
                engine_pb2.LogRequest(
                    severity=_SEVERITIES[shown],
                    message=text,
                    urn=urn,
                    streamId=0,
                    ephemeral=shown is Shown.STATUS,
                ),
                timeout=LOG_SECONDS,
            )
        except grpc.RpcError:
            return

    return log
