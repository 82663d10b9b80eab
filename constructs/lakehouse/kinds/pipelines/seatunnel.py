"""Apache SeaTunnel with its own engine, Zeta. https://seatunnel.apache.org/docs/2.3.8/

A pipeline is one job, in a file of the service: files are written with their secrets, which neither an API nor a
state has. So a pipeline that is new or changed restarts the server, and all go on where they were.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from lakehouse.kinds.catalog import CatalogEndpoint, credentials
from lakehouse.kinds.pipeline import PipelineKind
from lakehouse.kinds.pipelines import seatunnel_jobs
from lakehouse.kinds.platform import kafka
from lakehouse.services import jvm
from lakehouse.services.service import LOOPBACK, File, Place, Port, Probe, Service
from lakehouse.spec import Lakehouse
from lakehouse.spec.kinds import Listener

WORD, JAVA = seatunnel_jobs.WORD, 21
CLUSTER = f"{WORD}-cluster"
JOBS = "jobs.json"  # among the service's files: its pipelines by name
_VERSION = "2.3.8"
ENGINE, CONNECTORS, PLUGINS = (f"{WORD}{of}-{_VERSION}" for of in ("", "-connectors", "-plugins"))
S3A = "hadoop-s3a-3.1.4"  # for files of a bucket
PACKAGES = (ENGINE, CONNECTORS, PLUGINS, "beanshell-2.0b6")
_DRIVERS = ("postgresql-42.7.14.jar", "mysql-connector-j-8.0.33.jar")
# Which jar has which connector, as `plugin-mapping.properties` of SeaTunnel's own archive says it.
_MAPPING = {
    "source.Kafka": "connector-kafka",
    "source.Jdbc": "connector-jdbc",
    "source.Http": "connector-http-base",
    "source.LocalFile": "connector-file-local",
    "source.S3File": "connector-file-s3",
    "source.Iceberg": "connector-iceberg",
    "sink.Iceberg": "connector-iceberg",
}
_HEAP = 1024  # MiB
# Hazelcast, Hadoop and the serialisation of jobs look into Java's own classes; BeanShell calls its HTTP server's.
_OPENED = (
    *(
        f"--add-opens=java.base/{package}=ALL-UNNAMED"
        for package in ("java.lang", "java.lang.invoke", "java.util", "java.nio", "java.net", "sun.nio.ch")
    ),
    "--add-exports=jdk.httpserver/sun.net.httpserver=ALL-UNNAMED",
)
_LOGGING = """\
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %c - %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
# Its sink closes no connection to the store by itself, and each is a warning of 50 lines.
logger.store.name = org.apache.iceberg.aws.s3.S3FileIO
logger.store.level = error
# A change of branches only, of which each pipeline makes some, is a warning too: it adds no snapshot.
logger.branches.name = org.apache.iceberg.BaseTransaction
logger.branches.level = error
"""


def services(place: Place, lakehouse: Lakehouse, catalogs: Sequence[CatalogEndpoint]) -> tuple[Service, ...]:
    """One server for all pipelines. How far they are is in checkpoints, in its folder."""
    config, data = place.config(WORD), place.data(WORD)
    port, cluster = place.port(WORD), place.port(CLUSTER)
    own = {name: each for name, each in lakehouse.pipelines.items() if each.engine == WORD}
    buckets = any(each.source.files is not None and each.source.files.path.startswith("s3:") for each in own.values())
    jobs = _jobs(place, lakehouse, {each.name: each for each in catalogs})
    keys = credentials([each for each in catalogs if any(of.catalog == each.name for of in own.values())])
    engine, connectors, plugins, shell = (place.package(each) for each in PACKAGES)
    classes = (
        f"{engine}/seatunnel-config-shade-{_VERSION}.jar",  # before the classes of which it has other versions
        f"{engine}/*",
        *(f"{plugins}/{each}" for each in _DRIVERS),
        *((f"{place.package(S3A)}/*",) if buckets else ()),
        shell,
    )
    service = Service(
        name=WORD,
        image=f"temurin-{JAVA}",
        packages=(*PACKAGES, *((S3A,) if buckets else ())),
        java=JAVA,
        command=(
            *("/bin/sh", f"{config}/start.sh", f"{data}/home", engine, connectors, plugins),
            f"{config}/plugin-mapping.properties",
            place.java(JAVA),
            *(jvm.heap(_HEAP), *jvm.QUICK, *_OPENED),
            f"-DSEATUNNEL_HOME={data}/home",
            f"-Dseatunnel.config={config}/seatunnel.yaml",
            f"-Dhazelcast.config={config}/hazelcast.yaml",
            f"-Dlog4j2.configurationFile={config}/log4j2.properties",
            *("bsh.Interpreter", f"{config}/server.bsh", place.bind(), str(port), config, data, kafka.inner(place)),
        ),
        environment=(
            *jvm.ENVIRONMENT,
            ("CLASSPATH", ":".join(classes)),
            ("SEATUNNEL_HOME", f"{data}/home"),
            ("AWS_REGION", next((each.store.region for each in catalogs), "")),
            *(("AWS_SHARED_CREDENTIALS_FILE", f"{config}/{each.path}") for each in keys),
        ),
        files=(
            File("start.sh", Path(__file__).with_suffix(".sh").read_text()),
            File("server.bsh", Path(__file__).with_suffix(".bsh").read_text()),
            *(File(f"{of}.bsh", Path(__file__).with_name(f"{WORD}_{of}.bsh").read_text()) for of in ("rows", "topics")),
            File("log4j2.properties", _LOGGING),
            File("plugin-mapping.properties", "".join(f"seatunnel.{key} = {of}\n" for key, of in _MAPPING.items())),
            File("seatunnel.yaml", json.dumps(_engine(f"{data}/checkpoints/"))),
            File("hazelcast.yaml", json.dumps(_cluster(cluster))),
            *jobs,
            *keys,
        ),
        data=(data,),
        ports=(
            Port(WORD, port, label="SeaTunnel", path="/pipelines", gives="the state of pipelines, and their end"),
            Port(CLUSTER, cluster, "tcp", gives="jobs, with code, and the keys of those that run", inner=True),
        ),
        probe=Probe("http", port, "/health", expect="healthy"),
        memory_mb=_HEAP + 512,
        needs=(kafka.WORD, *dict.fromkeys(each.service for each in catalogs if each.service)),
        stop_seconds=30,
    )
    return (service,)


def _jobs(place: Place, lakehouse: Lakehouse, catalogs: dict[str, CatalogEndpoint]) -> list[File]:
    """The file of each job, and what the server knows of all: their numbers, when they start again, what they read."""
    broker, known, found = kafka.inner(place), {}, []
    for name, pipeline in lakehouse.pipelines.items():
        if pipeline.engine != WORD:
            continue
        number = seatunnel_jobs.number(lakehouse.name, name, pipeline)
        known[name] = {
            "number": str(number),
            "every": seatunnel_jobs.every(pipeline),
            "topic": pipeline.source.topic or "",
            "group": seatunnel_jobs.group(lakehouse, name) if pipeline.source.topic is not None else "",
            "once": seatunnel_jobs.writes_to_branches(pipeline),
        }
        if (of_the_user := pipeline.source.config) is not None:
            found.append(File(f"{name}.conf", place.beside(of_the_user, public=True)))
            found.append(File(f"{name}.values.conf", seatunnel_jobs.values(name, catalogs, broker)))
        else:
            job = seatunnel_jobs.job(name, pipeline, lakehouse, catalogs[pipeline.catalog], broker)
            found.append(File(f"{name}.conf", job))
    return [File(JOBS, json.dumps(known)), *found]


def _engine(checkpoints: str) -> dict[str, object]:
    """https://seatunnel.apache.org/docs/2.3.8/seatunnel-engine/checkpoint-storage"""
    storage = {"type": "localfile", "max-retained": 3, "plugin-config": {"namespace": checkpoints}}
    return {
        "seatunnel": {
            "engine": {
                "backup-count": 0,  # there is one member
                "slot-service": {"dynamic-slot": True},
                "checkpoint": {"interval": 60_000, "timeout": 60_000, "storage": storage},
            }
        }
    }


def _cluster(port: int) -> dict[str, object]:
    """A cluster of one member, which nobody else can join from another machine."""
    network = {
        "port": {"auto-increment": False, "port": port},
        "interfaces": {"enabled": True, "interfaces": [LOOPBACK]},
        "join": {
            "multicast": {"enabled": False},
            "auto-detection": {"enabled": False},
            "tcp-ip": {"enabled": True, "member-list": [f"{LOOPBACK}:{port}"]},
        },
        "rest-api": {"enabled": False},  # it asks nobody who they are
    }
    properties = {
        "hazelcast.logging.type": "log4j2",
        "hazelcast.phone.home.enabled": "false",
        "hazelcast.socket.bind.any": "false",
        "hazelcast.socket.server.bind.any": "false",
        "hazelcast.invocation.max.retry.count": "20",
        "hazelcast.operation.generic.thread.count": "4",  # 50 by default
    }
    return {"hazelcast": {"cluster-name": WORD, "network": network, "properties": properties}}


SEATUNNEL = PipelineKind(
    word=WORD,
    label="SeaTunnel",
    on=("process", "docker"),
    listeners=(
        Listener(WORD, 8088, 8088, "pipelines of SeaTunnel: their state"),
        Listener(CLUSTER, 5801, 5801),
    ),
    catalogs=("rest", "polaris", "glue"),
    sources=("topic", "jdbc", "files", "http", "config"),
    takes=("columns", "transforms"),
    failure="what it reads, its table or its SQL is not as it takes it, or does not answer",
    needs=(kafka.WORD,),
    check=seatunnel_jobs.check,
    services=services,
)
