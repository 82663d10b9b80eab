# Makes the broker's folder where there is none, then becomes the broker:
#     sh start.sh LOG SETTINGS JAVA OPTION...
set -eu
log=$1 settings=$2
shift 2
# The file comes last, so a folder without it is of a start that was cut short.
if [ ! -f "$log/meta.properties" ]; then
    rm -rf "$log"
    id=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | cut -c 1-22)
    "$@" kafka.tools.StorageTool format --standalone --cluster-id "$id" --config "$settings"
fi
exec "$@" kafka.Kafka "$settings"
