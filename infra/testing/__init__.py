"""Databases for an application's tests: a private server, a template made by the modules, and a clone for each test."""
