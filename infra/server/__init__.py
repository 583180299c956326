"""The kinds of servers (embedded, docker, external) and the private scratch server; nothing here imports Pulumi."""
