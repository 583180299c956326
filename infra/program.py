"""What `pulumi` runs: the settings of the stack, then its declaration; what is wrong is said without a traceback."""

from __future__ import annotations


import pulumi
from pulumi.runtime import get_config_env, get_config_secret_keys_env

from infra.configuration import settings_of
from infra.errors import InfraError
from infra.stack import declare


def run() -> None:
    """Declare the current stack; pulumi.RunError is the one exception that Pulumi shows as its text alone."""
    stack = pulumi.get_stack()
    try:
        settings = settings_of(stack, pulumi.get_project(), get_config_env(), set(get_config_secret_keys_env()))
        declare(settings, stack)
    except InfraError as error:
        raise pulumi.RunError(str(error)) from None
