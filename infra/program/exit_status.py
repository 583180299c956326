"""The exit status of a program whose error was shown already."""

from __future__ import annotations

MESSAGE_WAS_SHOWN = 32
"""Tells Pulumi's language host to add nothing of its own."""
