"""The Pulumi program: read the stack's settings, declare the stack."""

from infra.program import run

run()
