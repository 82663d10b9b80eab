#!/bin/sh
# JAVA_OPTS and JAVA_OPTS_APPEND are words that Java is given; arguments are Nessie's.
# shellcheck disable=SC2086
exec java ${JAVA_OPTS:-} ${JAVA_OPTS_APPEND:-} -jar "$JAVA_APP_JAR" "$@"
