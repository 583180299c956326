"""Findings of lint and check, and the formats in which they are printed for people and programs."""
