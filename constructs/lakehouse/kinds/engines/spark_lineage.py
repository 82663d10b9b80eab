"""How Spark's drivers send the lineage of jobs: OpenLineage's listener, a jar on the class path of the cluster.

https://openlineage.io/docs/integrations/spark/configuration/spark_conf
"""

from __future__ import annotations

from lakehouse.kinds.platform.lineage import Receiver
from lakehouse.text.openlineage import PATH
from lakehouse.text.placeholders import Text

OWN = ("spark.extraListeners", "spark.openlineage.*")  # keys of spark-defaults.conf
_TRANSPORT = "spark.openlineage.transport"


def package(scala: str) -> str:
    """The listener for that version of Scala."""
    return f"openlineage-spark-{scala}"


def settings(to: Receiver | None) -> dict[str, Text]:
    """Properties of a driver; none if it sends no lineage."""
    if to is None:
        return {}
    return {
        "spark.extraListeners": "io.openlineage.spark.agent.OpenLineageSparkListener",
        "spark.openlineage.namespace": to.jobs,
        f"{_TRANSPORT}.type": "http",
        f"{_TRANSPORT}.url": to.url,
        f"{_TRANSPORT}.endpoint": PATH,
        f"{_TRANSPORT}.auth.type": "api_key",
        f"{_TRANSPORT}.auth.apiKey": to.key,
    }


def redacted(to: Receiver | None) -> str:
    """What the pattern of settings that Spark's pages do not show needs besides."""
    return "" if to is None else "|api[.-]?key"
