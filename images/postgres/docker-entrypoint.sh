#!/bin/bash
# Makes the database where there is none (POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, each also as NAME_FILE, and
# POSTGRES_INITDB_ARGS), runs /docker-entrypoint-initdb.d/*.sql and *.sh once, and starts what it is given.
set -euo pipefail
[[ ${1:-} != -* ]] || set -- postgres "$@"
[[ ${1:-} == postgres ]] || exec "$@"

if [[ $(id -u) == 0 ]]; then
    install -d -o postgres -g postgres -m 0700 "$PGDATA"
    chown -R postgres:postgres "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$BASH_SOURCE" "$@"
fi

setting() { # NAME DEFAULT
    local file="$1_FILE"
    if [[ -n ${!file:-} ]]; then cat "${!file}"; else echo "${!1:-$2}"; fi
}

if [[ ! -s $PGDATA/PG_VERSION ]]; then
    user=$(setting POSTGRES_USER postgres)
    password=$(setting POSTGRES_PASSWORD '')
    database=$(setting POSTGRES_DB "$user")
    method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    if [[ -z $password && $method != trust ]]; then
        echo 'error: the database is new and has no password: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE' >&2
        exit 1
    fi
    # shellcheck disable=SC2086
    if [[ -n $password ]]; then
        initdb --username="$user" --pwfile=<(printf '%s\n' "$password") ${POSTGRES_INITDB_ARGS:-}
    else
        initdb --username="$user" ${POSTGRES_INITDB_ARGS:-}
    fi
    printf 'host all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
    # Until the scripts are done it listens on its socket alone.
    pg_ctl --wait --options="-c listen_addresses=''" start
    [[ $database == postgres ]] || createdb --username="$user" "$database"
    for script in /docker-entrypoint-initdb.d/*; do
        case "$script" in
            *.sh) bash "$script" ;;
            *.sql) psql -v ON_ERROR_STOP=1 --no-psqlrc --username="$user" --dbname="$database" --file="$script" ;;
        esac
    done
    pg_ctl --wait --mode=fast stop
fi

exec "$@"
