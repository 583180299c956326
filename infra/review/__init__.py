"""Reviews of a pull request: what `up` would do with its modules, as a comment, without a database of the stack."""
