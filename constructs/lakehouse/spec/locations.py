"""The claims that the file makes on folders of the store, and the rules between them.

Every catalog, table and path property is in a known bucket, no owner uses a folder of another, and no bucket that holds
any of them lets the store delete or publish its objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pydantic import TypeAdapter, ValidationError

from lakehouse.spec.claims import PATHS, STAGING, Claim, Register, marks, staged
from lakehouse.spec.model import Catalog, Lakehouse
from lakehouse.spec.problems import KeyPath, Problem, dotted
from lakehouse.spec.renames import crosses
from lakehouse.spec.values import S3Location
from lakehouse.text.words import suggest

_FORM: TypeAdapter[str] = TypeAdapter(S3Location)


def claims(lakehouse: Lakehouse) -> Iterator[Claim]:
    """Every folder that the file gives to an owner, explicitly or by default."""
    for name, catalog in lakehouse.catalogs.items():
        at: KeyPath = ("catalogs", name)
        yield Claim(catalog.location, dotted(at), name, holds=name, at=(*at, "location"))
        for namespace, content in catalog.namespaces.items():
            outer = (*at, "namespaces", namespace)
            if _is_location(named := content.properties.get("location", "")):
                # Engines put the tables there that they create in the namespace.
                yield Claim(named, dotted(outer), name, holds=name, at=(*outer, "properties", "location"))
            for table, definition in content.tables.items():
                inner = (*outer, "tables", table)
                default = "/".join([catalog.location, *namespace.split("."), table])
                folder = definition.location or default
                where = (*inner, "location") if definition.location else inner
                yield Claim(folder, dotted(inner), name, at=where, explicit=definition.location is not None)
                for key in PATHS:
                    if _is_location(named := definition.properties.get(key, "")):
                        yield Claim(named, dotted(inner), name, what=key, at=(*inner, "properties", key))
            for view in content.views:  # the folder of its metadata files
                inner = (*outer, "views", view)
                folder = "/".join([catalog.location, *namespace.split("."), view])
                yield Claim(folder, dotted(inner), name, at=inner, explicit=False)


def scattered(catalog: Catalog) -> bool:
    """Whether the file puts a table outside of its namespace's folder, or may have: by a location, or by a rename."""
    tables = (table for namespace in catalog.namespaces.values() for table in namespace.tables.values())
    return any(table.location is not None for table in tables) or crosses(catalog)


def reserved(lakehouse: Lakehouse) -> list[Claim]:
    """Folders of the file's buckets that no table may use: of the bootstrap, of ingest, and of running queries."""
    staging = [staged()] if STAGING in lakehouse.buckets else []
    return [*map(marks, lakehouse.buckets), *staging, *_exchanges(lakehouse)]


def _exchanges(lakehouse: Lakehouse) -> Iterator[Claim]:
    """The folder in which Trino keeps rows of running queries. Its bucket may expire: what is left there is rubbish."""
    trino = lakehouse.engines.trino
    if trino is not None and trino.exchange is not None:
        yield Claim(trino.exchange, "engines.trino", what="exchange", at=("engines", "trino", "exchange"))


def check_locations(lakehouse: Lakehouse, *, everything: bool = True) -> Iterator[Problem]:
    """Locations in unknown buckets, overlapping locations, and buckets whose rules would delete or publish live files.

    Without ``everything``, only the locations of catalogs and tables are checked: for a known bucket and for overlaps.
    """
    register = Register(each for each in claims(lakehouse) if everything or not _is_property(each))
    exchanges = [*_exchanges(lakehouse)] if everything else []
    for claim in (*register, *exchanges):
        bucket = claim.parts[0]
        if claim.explicit and bucket not in lakehouse.buckets:
            fix = suggest(bucket, lakehouse.buckets) or f" Add `{bucket}: {{}}` to `buckets`."
            message = f'"{claim.location}" is in the bucket "{bucket}", which is not one of `buckets`.{fix}'
            yield Problem(claim.at, message, about=(("buckets", bucket),))
    kept = reserved(lakehouse) if everything else []
    for outer, inner in Register([*register, *kept]).clashes():
        if any(claim.explicit and claim.at for claim in (outer, inner)):
            yield _overlap(outer, inner)
    if not everything:
        return
    for name, catalog in lakehouse.catalogs.items():
        for namespace, content in catalog.namespaces.items():
            at: KeyPath = ("catalogs", name, "namespaces", namespace)
            yield from _forms(at, content.properties, ("location",))
            for table, definition in content.tables.items():
                yield from _forms((*at, "tables", table), definition.properties, PATHS)
    yield from _rules(lakehouse, register)
    for each in exchanges:
        bucket = each.parts[0]
        if bucket in lakehouse.buckets and lakehouse.buckets[bucket].access == "public-read":
            message = f'"public-read" lets everybody read rows of running queries, in "{each.location}". Remove it.'
            yield Problem(("buckets", bucket, "access"), message, about=(each.at,), beside=each.at)


def cautions(lakehouse: Lakehouse) -> Iterator[Problem]:
    """What is allowed but has a consequence that the file does not show: files outside their table's folder."""
    homes = {claim.owner: claim for claim in claims(lakehouse) if claim.what == "location"}
    for claim in claims(lakehouse):
        home = homes[claim.owner]
        if claim.what != "location" and claim.parts[: len(home.parts)] != home.parts:
            message = f'"{claim.location}" is outside the table\'s folder, "{home.location}"'
            yield Problem(claim.at, f"{message}: `lakehouse maintain` looks for orphans only in that folder")


def _overlap(outer: Claim, inner: Claim) -> Problem:
    """Reported at the location that the file names; if it names both, at the inner one."""
    here, there = (inner, outer) if inner.explicit and inner.at else (outer, inner)
    if here.parts == there.parts:
        how = f"is also the {there.what} of {there.owner}"
    else:
        how = f'{"is inside" if here is inner else "contains"} the {there.what} of {there.owner}, "{there.location}"'
    message = f'"{here.location}" {how}: locations must not overlap. Move one of them.'
    if not there.at:
        return Problem(here.at, message.replace("one of them", "it"))
    return Problem(here.at, message, about=(there.at,), beside=there.at)


def _forms(at: KeyPath, properties: Mapping[str, str], keys: Iterable[str]) -> Iterator[Problem]:
    for key in keys:
        if key in properties:
            try:
                _FORM.validate_python(properties[key])
            except ValidationError as error:
                yield Problem((*at, "properties", key), error.errors()[0]["msg"].removeprefix("Value error, "))


def _is_property(claim: Claim) -> bool:
    return "properties" in claim.at


def _is_location(text: str) -> bool:
    try:
        return bool(text and _FORM.validate_python(text))
    except ValidationError:
        return False


def _rules(lakehouse: Lakehouse, register: Register) -> Iterator[Problem]:
    """Rules of a bucket that would apply to the files of tables in it."""
    for name, bucket in lakehouse.buckets.items():
        at: KeyPath = ("buckets", name)
        held = next(register.within(f"s3://{name}"), None)
        whose = f'the {held.what} of {held.owner}, "{held.location}"' if held else ""
        beside, about = (held.at, (held.at,)) if held else (None, ())
        if held and bucket.expire_days is not None:
            message = (
                f"{bucket.expire_days} days, but the bucket holds {whose}: the store would delete files of live "
                "tables, which need old files too. Remove it, or move what has to expire to another "
                "bucket. `maintenance` on tables deletes what no table needs."
            )
            yield Problem((*at, "expire_days"), message, about, beside)
        if bucket.access == "public-read" and (lakehouse.access.roles or lakehouse.access.principals):
            if held:
                reason = f"the bucket holds {whose}, but `access` sets who may read tables"
            elif name == STAGING:
                reason, beside, about = "`lakehouse ingest` stages rows of tables there, but `access` sets who may " \
                    "read tables", ("access",), ()  # fmt: skip
            else:
                continue
            message = f'"public-read" lets everybody read its files: {reason}. Remove it.'
            yield Problem((*at, "access"), message, about, beside)
