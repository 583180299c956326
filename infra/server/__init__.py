"""Where the server comes from: a real PostgreSQL from a pip wheel, a daemon on loopback. Knows nothing of Pulumi."""
