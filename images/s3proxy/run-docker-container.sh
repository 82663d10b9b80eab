#!/bin/bash
# Turns the environment into S3Proxy's properties, in a file: credentials do not belong among arguments.
# S3PROXY_CORS_ALLOW_ALL is s3proxy.cors-allow-all, JCLOUDS_FILESYSTEM_BASEDIR is jclouds.filesystem.basedir.
set -euo pipefail
umask 077
properties=$(mktemp)

for name in "${!S3PROXY_@}" "${!JCLOUDS_@}"; do
    key=${name%_FILE}
    value=${!name}
    [[ $name == *_FILE ]] && value=$(<"$value")
    key=${key,,}
    case "$key" in
        s3proxy_java_opts) continue ;;
        s3proxy_virtualhost) key=s3proxy.virtual-host ;;
        s3proxy_metrics_*) key=${key//_/.} ;;
        s3proxy_*) key=${key//_/-} key=${key/-/.} ;;
        *) key=${key//_/.} ;;
    esac
    [[ -z $value ]] || printf '%s=%s\n' "$key" "${value//\\/\\\\}" >>"$properties"
done

mkdir -p "$JCLOUDS_FILESYSTEM_BASEDIR"
# shellcheck disable=SC2086
exec java -XX:MaxRAMPercentage=75 ${S3PROXY_JAVA_OPTS:-} "-DLOG_LEVEL=$LOG_LEVEL" \
    -jar /opt/s3proxy/s3proxy --properties "$properties"
