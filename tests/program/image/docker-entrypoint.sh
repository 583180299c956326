#!/bin/bash
# A stand-in for the entrypoint of the official postgres image, where no registry can be reached: it does the same with
# PGDATA (which moves in 18), POSTGRES_USER, POSTGRES_PASSWORD(_FILE), POSTGRES_INITDB_ARGS and the arguments of `postgres`.
set -Eeuo pipefail
[ "${1:0:1}" != - ] || set -- postgres "$@"
[ "${1:-}" = postgres ] || exec "$@"

if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
  [ -z "${POSTGRES_PASSWORD:-}" ] || { echo "error: both POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are set" >&2; exit 1; }
  POSTGRES_PASSWORD="$(<"$POSTGRES_PASSWORD_FILE")"
  export POSTGRES_PASSWORD
  unset POSTGRES_PASSWORD_FILE
fi
user="${POSTGRES_USER:-postgres}"
if [ "$PGDATA" = "/var/lib/postgresql/${PG_MAJOR:-}/docker" ] && [ ! -s "$PGDATA/PG_VERSION" ] &&
  grep -q ' /var/lib/postgresql/data ' /proc/self/mountinfo; then  # from 18 on, where PGDATA is not given
  echo "error: there is a volume at /var/lib/postgresql/data, and the data would be in $PGDATA" >&2
  exit 1
fi
mkdir -p "$PGDATA"
if [ "$(id -u)" = 0 ]; then
  chmod 0700 "$PGDATA"
  find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
  mkdir -p /var/run/postgresql && chown postgres /var/run/postgresql
  exec gosu postgres "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  [ -n "${POSTGRES_PASSWORD:-}" ] || { echo "error: POSTGRES_PASSWORD must not be empty" >&2; exit 1; }
  eval 'initdb --username="$user" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") '"${POSTGRES_INITDB_ARGS:-}"
  printf '\nhost all all all %s\n' "$(postgres -C password_encryption)" >>"$PGDATA/pg_hba.conf"
  pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -p 5432" -w start
  pg_ctl -D "$PGDATA" -m fast -w stop
  echo 'PostgreSQL init process complete; ready for start up.'
fi
exec "$@"
