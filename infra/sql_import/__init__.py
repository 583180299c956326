"""Modules from SQL that exists already: a dump, a structure.sql or a database."""
