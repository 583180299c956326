"""Which properties of a container's plan are decided by looking, and which need a new container when they change."""

RESTARTING = (
    "image",
    "image_id",
    "settings",
    "port",
    "address",
    "memory",
    "shm_size",
    "network",
    "alias",
    "labels",
    "tls",
)
"""The inputs that need a new container; the data stay in the volume."""

FOUND = ("version", "major")
