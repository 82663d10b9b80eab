"""``python -m tests.synth.aws.enforced PORT``: moto's server, in which ``simulator`` makes IAM's decisions.

moto checks who signs a request and which policies they have. It does not know Glue's resources, or conditions of any
service; so the decision itself is ours, made from the request as it arrived.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from moto.iam.access_control import IAMRequestBase
from moto.server import main

from tests.synth.aws import simulator

ACCOUNT = "123456789012"
REGION = "eu-west-1"


def _decide(request: Any, resource: str) -> None:
    if request._action == "sts:GetCallerIdentity":
        return
    documents = [_document(policy) for policy in request._access_key.collect_policies()]
    of = _OF.get(request._service)
    wanted = of(request) if of else None
    if wanted is None or not simulator.allowed(documents, wanted):
        print(f"denied {wanted}", file=sys.stderr, flush=True)
        request._raise_access_denied()


def _document(policy: Any) -> Any:
    """Of an inline policy, or of one that is attached."""
    return json.loads(policy if isinstance(policy, str) else policy.versions[0].document)


def _glue(request: Any) -> simulator.Request:
    action = request._action.partition(":")[2]
    body = json.loads(request._body or b"{}")
    inside = body.get("TableInput") or body.get("DatabaseInput") or {}
    about_table = "DatabaseName" in body
    database = body.get("DatabaseName") or body.get("Name") or inside.get("Name", "")
    table = (body.get("Name") or inside.get("Name", "")) if about_table else ""
    return simulator.glue(f"arn:aws:glue:{REGION}:{ACCOUNT}", action, database, table)


def _s3(request: Any) -> simulator.Request:
    url = urlsplit(request._path)
    bucket, _, key = unquote(url.path).lstrip("/").partition("/")
    prefix = parse_qs(url.query).get("prefix", [""])[0]
    action = request._action.partition(":")[2]
    if action.startswith("List") and not key:
        return simulator.s3("ListBucket", bucket, prefix=prefix)
    return simulator.s3({"HeadObject": "GetObject", "HeadBucket": "ListBucket"}.get(action, action), bucket, key)


def _athena(request: Any) -> simulator.Request:
    """Who asks for an execution names no workgroup: it is the one in which the latest was started."""
    global _workgroup
    _workgroup = json.loads(request._body or b"{}").get("WorkGroup", _workgroup)
    return simulator.Request(request._action, (f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/{_workgroup}",))


_workgroup = ""
_OF: Mapping[str, Callable[[Any], simulator.Request]] = {"athena": _athena, "glue": _glue, "s3": _s3}

if __name__ == "__main__":
    setattr(IAMRequestBase, "check_action_permitted", _decide)  # noqa: B010 - mypy takes no assignment of a method
    main(["--host", "127.0.0.1", "--port", sys.argv[1]])
