# Makes the cluster where there is none and what names.sql and databases.sql ask for, then becomes the PostgreSQL server:
#     sh start.sh HOME DATA ADDRESS PORT DATABASE...
set -eu
home=$1 data=$2 address=$3 port=$4
shift 4
# The package's programs find their libraries beside them on macOS only.
export LD_LIBRARY_PATH="$home/lib"
major=$("$home/bin/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')

# PostgreSQL refuses to run as root. In a user namespace it is another user, and what it writes belongs to root outside.
# User 1 has an entry in every system's list of users, which initdb looks for.
within() { "$@"; }
if [ "$(id -u)" = 0 ]; then
    within() { unshare --user --map-user=1 --map-group=1 -- "$@"; }
    if ! within true; then
        echo "PostgreSQL does not run as root, and this machine refuses a user namespace (unshare --user)." \
            "Deploy as an ordinary user." >&2
        exit 1
    fi
fi

# Statements, each up to an empty line, from standard input. An error ends it, and none is logged with its statement: it
# has a password.
single() {
    within "$home/bin/postgres" --single -j -D "$data/cluster" -c exit_on_error=true -c log_checkpoints=off \
        -c log_min_error_statement=panic postgres
}

if [ ! -d "$data/cluster" ]; then
    rm -rf "$data/new" # of a start that was cut short
    # Who may log in is in hba.conf of the folder of configuration; without that file nobody can.
    within "$home/bin/initdb" -D "$data/new" --username=postgres --auth=reject --encoding=UTF8 --no-locale --no-instructions
    mv "$data/new" "$data/cluster"
elif [ "$(cat "$data/cluster/PG_VERSION")" != "$major" ]; then
    echo "PostgreSQL $major cannot read $data/cluster, which PostgreSQL $(cat "$data/cluster/PG_VERSION") wrote." \
        "Go back to the version of this project that wrote it, or dump its databases there (pg_dumpall) and restore" \
        "them here." >&2
    exit 1
fi

# The file of a killed server holds the number of a process, which by now may be another program's.
# An image has no ps, and macOS no /proc.
if pid=$(head -n 1 "$data/cluster/postmaster.pid" 2>/dev/null); then
    pid=${pid#-}
    case $(cat "/proc/$pid/comm" 2>/dev/null || ps -p "$pid" -o comm= 2>/dev/null || true) in
        *postgres*) ;;
        *) rm -f "$data/cluster/postmaster.pid" ;;
    esac
fi

there=$(single <names.sql)
for name in "$@"; do
    case $there in *"\"$name\""*) ;; *) printf 'CREATE DATABASE "%s"\n' "$name" | single >/dev/null ;; esac
done
single <databases.sql >/dev/null

set -- -D "$data/cluster" -c listen_addresses="$address" -p "$port" -k '' -c hba_file="$PWD/hba.conf" \
    -c shared_buffers=32MB -c log_checkpoints=off
if [ "$(id -u)" = 0 ]; then
    exec unshare --user --map-user=1 --map-group=1 -- "$home/bin/postgres" "$@"
fi
exec "$home/bin/postgres" "$@"
