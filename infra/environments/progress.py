"""What is seen of a run of Pulumi's: how many resources are done, and its warnings; its errors are kept."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from infra.lazy_module import LazyModule

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi.automation.events import EngineEvent
    from rich import console
    from typing_extensions import Self
else:
    console = LazyModule("rich.console")

_COLOUR = re.compile(r"<\{%.*?%\}>")


class Progress:
    """Shows the events of a run: a moving line on a terminal, and otherwise warnings alone."""

    def __init__(self, tell: Callable[[str], None] | None = None) -> None:
        self.errors: list[str] = []
        self._tell = tell
        self._done = 0
        self._status = console.Console(stderr=True).status("") if tell and sys.stderr.isatty() else None

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()

    def show(self, event: EngineEvent) -> None:
        """Count what is done, tell a warning, keep an error: whatever the event is."""
        if event.res_outputs_event:
            self._done += 1
            if self._status:
                self._status.update(
                    f"{self._done} resources, {event.res_outputs_event.metadata.urn.rpartition('::')[2]}"
                )
        said = event.diagnostic_event
        if not said or said.ephemeral:
            return
        message = _COLOUR.sub("", said.message).strip()
        if said.severity == "error" and not any(message.endswith(error) for error in self.errors):  # shown again
            self.errors.append(message)
        elif said.severity == "warning" and self._tell:
            self._tell(message)
