"""Variables of a shell, in which every tool finds the addresses and, in files that the shell reads, the keys."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bootstrap.tools import reach
from bootstrap.tools.reach import Reach
from lakehouse.errors import LakehouseError
from lakehouse.kinds.engines import spark
from lakehouse.text.placeholders import Secret, Text, parts


def write(stack: Reach) -> str:
    """Lines of ``export``."""
    lines = [f"# For a shell: {reach.EVAL}"]
    lines += [f"export {name}={_value(stack, value)}" for name, value in _variables(stack)]
    return "\n".join(lines)


def values(stack: Reach) -> dict[str, str]:
    """The same variables with their values, for a program that is started here.

    Raises LakehouseError if a key cannot be read, as before the first deploy.
    """
    return {name: "".join(_read(stack, part) for part in parts(value)) for name, value in _variables(stack)}


def of_pyiceberg(catalog: str, key: str) -> str:
    """The variable from which PyIceberg takes a setting of a catalog."""
    return f"PYICEBERG_CATALOG__{catalog.upper()}__{key.upper().replace('.', '__').replace('-', '_')}"


def _read(stack: Reach, part: object) -> str:
    where = stack.where(part) if isinstance(part, Secret) else str(part)
    if isinstance(where, str):
        return where
    try:
        return where.read_text().rstrip("\n")
    except FileNotFoundError:
        raise LakehouseError(f"The key {where} is missing. `lakehouse deploy` makes it.") from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise LakehouseError(f"The key {where} cannot be read: {why}. Restore the former file.") from error


def _variables(stack: Reach) -> Iterator[tuple[str, Text]]:
    if stack.trust:
        for name in _TRUSTED:
            yield name, stack.trust
    for at in stack.catalogs:
        for key, value in reach.client(at).items():
            yield of_pyiceberg(at.name, key), value
    if stack.store.service:
        # Not AWS_ACCESS_KEY_ID: it would replace the keys for AWS of everything else in this shell.
        yield f"{_DLT}AWS_ACCESS_KEY_ID", stack.store.access_key
        yield f"{_DLT}AWS_SECRET_ACCESS_KEY", stack.store.secret_key
        yield f"{_DLT}ENDPOINT_URL", stack.store.external
        yield f"{_DLT}REGION_NAME", stack.store.region
    if (connect := stack.addresses.get(spark.CONNECT)) is not None:
        yield "SPARK_REMOTE", connect.url("sc", stack.connect)
    if stack.token is not None:
        yield "SPARK_CONNECT_AUTHENTICATE_TOKEN", stack.token
    if stack.owner is not None:
        yield reach.TRINO_PASSWORD, stack.owner.password


# Where Arrow (so PyIceberg) and OpenSSL, requests (so PyIceberg and Trino's client), boto3 (so s3fs and dlt), and gRPC
# (so Spark Connect) look for the authorities to trust. Those that a shell has already would replace the stack's, in
# silence.
_TRUSTED = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH")
_DLT = "DESTINATION__FILESYSTEM__CREDENTIALS__"


def _value(stack: Reach, text: Text) -> str:
    words = []
    for part in parts(text):
        where = stack.where(part) if isinstance(part, Secret) else str(part)
        words.append(shlex.quote(where) if isinstance(where, str) else f'"$(cat {shlex.quote(str(where))})"')
    return "".join(words)
