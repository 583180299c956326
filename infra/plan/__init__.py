"""The plan: what a run does to a database, decided from files, ledger and catalog alone; previews print it."""
