"""`make up` and the other targets for a stack: they run the setup, create the stack, and then start `pulumi`."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from typing import TYPE_CHECKING

import local_state
import own_backend
from closing_line import closing_line
from environment import environment, has_own_backend, is_of_libpq
from losses import up_without_loss
from make_arguments import pulumi_arguments, stack_variable
from missing_sql import take_option
from outputs import accept, psql, public_outputs
from parts import SetupError, report, sentence_of
from run_pulumi import run_pulumi
from server_check import follow_primary, has_several_hosts, refresh_server
from setup import set_up
from stack_names import refuse_persistent, require_settings, typed

if TYPE_CHECKING:
    from collections.abc import Sequence

OPTIONS: dict[str, list[str]] = {
    "up": ["--yes", "--skip-preview", "--suppress-outputs"],
    "preview": ["--suppress-outputs"],
    "refresh": ["--yes", "--skip-preview", "--suppress-outputs"],
    "destroy": ["--yes", "--skip-preview", "--suppress-outputs"],
}
"""Pulumi's verbs with their options. Outputs are left out, because Pulumi shows those of a failed run as deleted."""

VERBS = (*OPTIONS, "outputs", "psql", "accept", "cancel", "shell")
CREATING = ("up", "preview")
"""Verbs for which a stack is created where it does not exist; the others need one that does."""


def main() -> int:
    """Run one verb on the stack of STACK, with ARGS for `pulumi`; the exit status is Pulumi's, or 2."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verb", choices=VERBS)
    verb = parser.parse_args().verb
    try:
        stack, further = stack_variable(), pulumi_arguments()
        if verb in CREATING:
            require_settings(stack)
        if verb == "destroy":
            refuse_persistent(stack)
        set_up(development=False, stack=stack)
        return run_in_own_backend(verb, stack, further) if has_own_backend() else run_here(verb, stack, further)
    except (SetupError, OSError) as error:
        report(f"setup: {sentence_of(error)}")
        return 2


def run_in_own_backend(verb: str, stack: str, further: list[str]) -> int:
    """Run a verb on a stack in the backend that the user has chosen, and return its exit status."""
    variables = environment()
    if verb == "shell":
        return print_variables(variables)
    if verb in CREATING:
        own_backend.select_stack(stack, variables)
    own_backend.restore_salt(stack, variables)
    return run(verb, stack, further, variables)


def run_here(verb: str, stack: str, further: list[str]) -> int:
    """Run a verb on a stack in the checkout's own state, and return its exit status."""
    stack = stack.rpartition("/")[2]
    variables = environment() | local_state.state_variables()
    if verb == "shell":
        with local_state.locked_checkout():
            local_state.create_state()
        return print_variables(variables)
    if verb not in CREATING and not local_state.stack_exists(stack):
        return without_stack(verb, stack)
    settings = local_state.ensure_stack(stack, variables)
    configuration = ["--config-file", str(settings)] if verb in OPTIONS else []
    return run(verb, stack, further, variables, configuration)


def run(verb: str, stack: str, further: list[str], variables: dict[str, str], configuration: Sequence[str] = ()) -> int:
    """Run a verb on a stack that exists, say how it ended, and return its exit status."""
    if verb in {"psql", "accept"}:
        return psql(stack, variables) if verb == "psql" else accept(stack, variables)
    if verb == "outputs":
        command = ["stack", "output", "--stack", stack, *further]
    elif verb == "cancel":
        command = ["cancel", stack, "--yes", *further]
    else:
        if verb == "preview":
            further, missing_sql = take_option(further)
            variables = variables | missing_sql
        options = [*OPTIONS[verb], *configuration]
        if verb in {"refresh", "destroy"} and has_several_hosts(public_outputs(stack, variables)):
            if verb == "destroy" and (status := follow_primary(stack, options, variables)):
                return status
            options += ["--run-program"] if verb == "refresh" else []
        command = [verb, "--stack", stack, *options, *further]
    if verb == "refresh" and (status := refresh_server(stack, command, variables)):
        return status
    status = up_without_loss(stack, command, variables) if verb == "up" else run_pulumi(command, variables)
    if verb == "destroy" and not status and not has_own_backend() and not local_state.remove_stack(stack, variables):
        report(f"destroy: the stack {stack} still has resources, so that it is kept")
        return 1
    report(closing_line(verb, stack, failed=status != 0))
    return status


def without_stack(verb: str, stack: str) -> int:
    """Report that a stack does not exist, and remove what a removal that was killed has left of it."""
    if verb == "destroy":
        with local_state.locked_checkout():
            remains = local_state.remove_remains(stack)
        report(f"there is no stack {stack}: {'what was left of it is removed' if remains else 'nothing to destroy'}")
        return 0
    if verb == "cancel":
        local_state.release_dead_locks(stack)
        report(f"there is no stack {stack}: nothing to cancel")
        return 0
    require_settings(stack)
    raise SetupError(f"the stack {stack} does not exist yet; run `{typed('up', stack)}`")


def print_variables(variables: dict[str, str]) -> int:
    """Print the variables with which a shell's own `pulumi` works on the same stacks."""
    variables = {**variables, "PULUMI_OPTION_PRESERVE_CONFIG": "true"}  # `stack rm` would delete the committed file
    changed = {name: value for name, value in variables.items() if os.environ.get(name) != value}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in changed.items()]
    print("\n".join(lines + [f"unset {name}" for name in os.environ if is_of_libpq(name)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
