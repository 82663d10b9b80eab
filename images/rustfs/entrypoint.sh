#!/bin/sh
# `rustfs` may be left out before its arguments; without a folder among them, it serves those of RUSTFS_VOLUMES.
[ "${1:-}" = rustfs ] && shift
for word; do
    case "$word" in
        /*) exec /usr/bin/rustfs "$@" ;;
    esac
done
# shellcheck disable=SC2086
exec /usr/bin/rustfs "$@" $RUSTFS_VOLUMES
