# Lays out the home folder that SeaTunnel looks for connectors in, then becomes its server:
#     sh start.sh HOME ENGINE CONNECTORS PLUGINS MAPPING COMMAND...
set -eu
home=$1 engine=$2 connectors=$3 plugins=$4 mapping=$5
shift 5
rm -rf "$home"
mkdir -p "$home/connectors" "$home/lib" "$home/plugins/iceberg/lib"
ln -s "$engine"/seatunnel-transforms-v2-*.jar "$engine"/seatunnel-hadoop3-*.jar "$home/lib/"
ln -s "$connectors"/*.jar "$home/connectors/"
# What Iceberg needs for S3 must be in the class loader of its connector, not in the server's.
ln -s "$plugins"/iceberg-*.jar "$home/plugins/iceberg/lib/"
cp "$mapping" "$home/connectors/plugin-mapping.properties"
exec "$@"
