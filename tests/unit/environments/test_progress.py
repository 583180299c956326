"""What is told of a run of Pulumi's, and what is kept for its error."""

from __future__ import annotations

from pulumi.automation.events import DiagnosticEvent, EngineEvent

from infra.environments.progress import Progress


def diagnostic(severity: str, message: str, *, ephemeral: bool = False) -> EngineEvent:
    said = DiagnosticEvent(message=message, color="never", severity=severity, ephemeral=ephemeral)
    return EngineEvent(sequence=1, timestamp=1, diagnostic_event=said)


def test_warnings_are_told_and_errors_are_kept_once() -> None:
    """Without colours, and without what Pulumi shows for a moment only or says beside; nobody has to listen."""
    told: list[str] = []
    for tell in (told.append, None):
        with Progress(tell) as progress:
            for event in (
                diagnostic("warning", "<{%fg 3%}>rows are lost<{%reset%}>\n"),
                diagnostic("warning", "25 %", ephemeral=True),
                diagnostic("info", "a line for the log"),
                diagnostic("error", "seed.sql:1: refused\n"),
                diagnostic("error", "seed.sql:1: refused"),
                EngineEvent(sequence=2, timestamp=1),
            ):
                progress.show(event)
        assert progress.errors == ["seed.sql:1: refused"]
    assert told == ["rows are lost"]
