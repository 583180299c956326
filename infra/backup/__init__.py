"""Backups of a stack's databases, each proved by restoring it, and their way back."""
