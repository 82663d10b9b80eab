"""DuckDB's statements. https://duckdb.org/docs/stable/core_extensions/iceberg/iceberg_rest_catalogs"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from bootstrap.tools import reach
from bootstrap.tools.reach import Reach
from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.text.placeholders import Secret, Text, parts


def write(stack: Reach) -> str:
    """Statements that attach each catalog that DuckDB can read. It reads the keys from their files."""
    return "\n".join(_lines(stack))


def _lines(stack: Reach) -> Iterator[str]:
    yield "-- DuckDB 1.4 or newer. " + (
        "Keys are the shell's for AWS." if stack.account else "It reads keys from their files."
    )
    yield "INSTALL httpfs; LOAD httpfs; INSTALL avro; LOAD avro; INSTALL iceberg; LOAD iceberg;"
    yield from _store(stack)
    for each in stack.catalogs:
        yield from _attach(stack, each)


def _store(stack: Reach) -> Iterator[str]:
    store = stack.store
    if not store.service:
        yield "INSTALL aws; LOAD aws;"
        yield f"CREATE OR REPLACE SECRET store (TYPE s3, PROVIDER credential_chain, REGION '{store.region}');"
        return
    yield from _variable(stack, "store_key", store.access_key)
    yield from _variable(stack, "store_secret", store.secret_key)
    yield (
        "CREATE OR REPLACE SECRET store (TYPE s3, KEY_ID getvariable('store_key'), SECRET getvariable('store_secret'), "
        f"ENDPOINT '{urlsplit(store.external).netloc}', REGION '{store.region}', URL_STYLE 'path', "
        f"USE_SSL {'true' if stack.trust else 'false'});"
    )
    if stack.trust:
        yield f"SET ca_cert_file = {_quoted(stack.trust)}; SET enable_server_cert_verification = true;"


def _attach(stack: Reach, each: CatalogEndpoint) -> Iterator[str]:
    if stack.account:
        kind = "s3_tables" if each.kind.signs else "glue"
        warehouse = each.warehouse if each.kind.signs else stack.account
        yield f"ATTACH '{warehouse}' AS \"{each.name}\" (TYPE iceberg, ENDPOINT_TYPE '{kind}');"
        return
    if not _served(each):
        yield f"-- {each.name}: DuckDB cannot read {each.kind.label} here."
        return
    settings = reach.client(each)
    uri = settings["uri"]
    how = "AUTHORIZATION_TYPE 'none'"
    if (login := each.kind.login) is not None:
        yield from _variable(stack, f"{each.name}_id", login.credential.name)
        yield from _variable(stack, f"{each.name}_secret", login.credential.value)
        yield (
            f"CREATE OR REPLACE SECRET \"{each.name}_login\" (TYPE iceberg, CLIENT_ID getvariable('{each.name}_id'), "
            f"CLIENT_SECRET getvariable('{each.name}_secret'), "
            f"OAUTH2_SERVER_URI '{settings['oauth2-server-uri']}', OAUTH2_SCOPE '{login.scope}');"
        )
        how = f'SECRET "{each.name}_login"'
    elif isinstance(token := settings.get("token"), Secret):
        yield from _variable(stack, f"{each.name}_token", token)
        yield f"CREATE OR REPLACE SECRET \"{each.name}_login\" (TYPE iceberg, TOKEN getvariable('{each.name}_token'));"
        how = f'SECRET "{each.name}_login"'
    # A server that vends no keys must not be asked for them.
    vends = "s3.access-key-id" not in settings
    how += "" if vends else ", ACCESS_DELEGATION_MODE 'none'"
    yield f"ATTACH '{settings['warehouse']}' AS \"{each.name}\" (TYPE iceberg, ENDPOINT '{uri}', {how});"


def _variable(stack: Reach, name: str, value: Text) -> Iterator[str]:
    [part] = parts(value)
    where = stack.where(part) if isinstance(part, Secret) else str(part)
    if isinstance(where, str):
        yield f"SET VARIABLE {name} = {_quoted(where)};"
    else:
        content = f"SELECT trim(content, E'\\n') FROM read_text({_quoted(str(where))})"  # noqa: S608 - DuckDB's user runs it
        yield f"SET VARIABLE {name} = ({content});"


def _served(each: CatalogEndpoint) -> bool:
    """Whether DuckDB reaches the catalog: over Iceberg REST, and signed only at AWS's own addresses."""
    return reach.client(each)["type"] == "rest" and not each.kind.signs


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
