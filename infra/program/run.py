"""What `pulumi` runs: read the settings of the stack, declare it, and report what is wrong without a traceback."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pulumi
from pulumi.runtime.config import CONFIG, is_config_secret

from infra.errors import InfraError
from infra.lazy_module import LazyModule
from infra.modules.module import load_modules
from infra.program.exit_status import MESSAGE_WAS_SHOWN, end_program, has_own_process
from infra.program.generated_modules import report_outdated_modules
from infra.program.policy import declare_policy
from infra.sdk_tuning import drop_debug_messages, drop_stack_traces, send_registrations
from infra.settings.loader import settings_of

if TYPE_CHECKING:
    from types import FrameType

    from infra.program import stack as declaration
else:
    declaration = LazyModule("infra.program.stack")


def run() -> None:
    """Declare the current stack, or end with what is wrong with its settings or files."""
    if has_own_process():
        signal.signal(signal.SIGINT, _end)
    drop_debug_messages()
    drop_stack_traces()
    try:
        _declare(pulumi.get_stack())
    except InfraError as error:
        end_program(str(error))


def _end(_signal: int, _frame: FrameType | None) -> None:
    """End at once: the language host sends SIGINT when the engine cancels a run, and has shown the reason."""
    os._exit(MESSAGE_WAS_SHOWN)


def _declare(stack: str) -> None:
    """Declare the policy, then the rest: its modules are imported while Pulumi starts the providers' host."""
    config = CONFIG.get()
    settings = settings_of(stack, pulumi.get_project(), config, {key for key in config if is_config_secret(key)})
    modules = load_modules(Path(settings.modules.directory), shown_as=settings.modules.directory)
    policy = declare_policy(settings)
    send_registrations()
    if pulumi.runtime.is_dry_run():
        report_outdated_modules(settings.modules.directory)
    declaration.declare(settings, modules, policy, stack=stack)
