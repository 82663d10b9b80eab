#!/bin/sh
# `minio` may be left out before its arguments.
[ "${1:-minio}" = minio ] || set -- minio "$@"
exec "$@"
