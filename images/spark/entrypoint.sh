#!/bin/bash
# Runs what it is given. The modes `driver` and `executor`, which Kubernetes asks for, are the official image's alone.
case "${1:-}" in
    driver | executor)
        echo "error: this image has no $1 mode: for Spark on Kubernetes use the official one" >&2
        exit 2
        ;;
esac
exec "$@"
