"""The enforcing half of the sandbox: ministack on a socket that the host already holds. Run as a script.

It runs in the environment that `installation.py` makes, without sm_access, hence no import of it;
`lifeline.py` and `iam_answers.py` beside this file are loaded by their path. Arguments: one JSON object with the keys

    fd        the listening socket, inherited: nobody else can take the port in between
    parent    process id of the host
    lifeline  file descriptor of the pipe that ends with the host

Beyond what ministack does itself, five things are added that AWS does and whose absence would mislead:

- an object under SSE-KMS is read and written only with the key's consent, as AWS requires kms:Decrypt or
  kms:GenerateDataKey for it (Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys");
- a missing object answers 403, not 404, to who may not list its bucket (Amazon S3 API Reference, GetObject);
- aws:PrincipalArn of an assumed role is the role's ARN, not the session's;
- a denial names the layer that denied, in AWS's words (IAM User Guide, "Troubleshoot access denied error
  messages");
- two answers of IAM (`iam_answers.py`).
"""

# ruff: noqa: SLF001 - ministack has no public interface; its version is pinned and the tests try each use.

from __future__ import annotations

import asyncio
import json
import os
import runpy
import signal
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

_READS = frozenset({"s3:GetObject", "s3:GetObjectVersion"})
_WRITES = frozenset({"s3:PutObject"})
_S3_ARN = "arn:aws:s3:::"


def add_managed_policies() -> None:
    """Publish the AWS-managed policies ministack lacks, as AWS does: readable from every account, writable
    from none.
    """
    iam = import_module("ministack.services.iam")

    policies: dict[str, Any] = json.loads(
        Path(__file__).with_name("aws_managed_policies.json").read_text("utf-8")
    )
    for name, document in policies.items():
        arn = f"arn:aws:iam::aws:policy/{name}"
        record = iam._make_aws_managed_record(name, json.dumps(document), "AWS-managed policy")
        iam._aws_managed_policies[arn] = record


def kms_key_of(action: str, object_arn: str) -> str | None:
    """The ARN of the KMS key that reading or writing this object needs; None when it needs none.

    Reading goes by how the object was stored, writing by the default encryption of its bucket.
    """
    kms, s3 = import_module("ministack.services.kms"), import_module("ministack.services.s3")

    if not object_arn.startswith(_S3_ARN):
        return None
    bucket, _, key = object_arn[len(_S3_ARN) :].partition("/")
    if action in _READS:
        stored = (s3._buckets.get(bucket) or {}).get("objects", {}).get(key) or {}
        headers = s3._stored_sse_headers(stored)
    else:
        headers = s3._bucket_default_sse_headers(bucket)
    key_id = headers.get("x-amz-server-side-encryption-aws-kms-key-id")
    record = kms._resolve_key(key_id) if key_id else None
    return str(record["Arn"]) if record else key_id


def named_resource(service: str, arn: str) -> str:
    """How AWS writes the resource of a denial: S3 in quotation marks, IAM as `role NAME`, others as the
    ARN.
    """
    if service == "s3":
        return f'"{arn}"'
    if service == "iam" and ":iam::" in arn:
        kind, _, name = arn.split(":", 5)[5].partition("/")
        return f"policy {arn}" if kind == "policy" else f"{kind} {name.rsplit('/', 1)[-1]}"
    return arn


def layer_that_denied(evaluator: ModuleType, key_id: str, result: Any, request: dict[str, Any]) -> str:
    """The end of AWS's sentence: which layer denied, and whether a statement or the lack of one."""
    action = request["action"]
    resource_denied = bool(result.resource_policy_arn)
    if resource_denied:
        return "with an explicit deny in a resource-based policy"
    principal = evaluator.resolve_principal(key_id, request["account"])
    context = {k.lower(): v for k, v in (request["service_context"] or {}).items()}
    context.setdefault("aws:tagkeys", None)
    ctx = evaluator.EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=principal.account,
        action=action,
        resource_arn=request["resource_arn"],
        region=request["region"],
        service_context=context,
        principal_keys=principal.keys,
    )
    names = ["an identity-based policy", *request["limit_names"](principal)]
    layers = [principal.policies, *principal.limits]
    explicit = result.decision == "Deny"
    for name, layer in zip(names, layers, strict=False):
        decision = evaluator.evaluate(ctx, layer).decision
        if explicit and decision == "Deny":
            return f"with an explicit deny in {name}"
        if not explicit and decision != "Allow":
            without_article = name.split(" ", 1)[1]
            return f"because no {without_article} allows the {action} action"
    if explicit:
        return "with an explicit deny"
    return f"because no resource-based policy allows the {action} action"


def limit_names(evaluator: ModuleType, account: str) -> Any:
    """In ministack a principal's limits are an unnamed list: the boundary first when there is one, then the
    session.
    """

    def names(principal: Any) -> list[str]:
        if len(principal.limits) == 2:
            return ["a permissions boundary", "a session policy"]
        iam = import_module("ministack.services.iam")

        kind, _, rest = principal.arn.split(":", 5)[5].partition("/")
        name = rest.split("/")[0] if kind == "assumed-role" else rest.rsplit("/", 1)[-1]
        store = iam._roles if kind == "assumed-role" else iam._users
        bounded = evaluator._permissions_boundary(store, name, account)
        return ["a permissions boundary" if bounded else "a session policy"] if principal.limits else []

    return names


def is_missing(object_arn: str) -> bool:
    """Whether this names an object that a bucket of the caller's account does not have."""
    s3 = import_module("ministack.services.s3")
    bucket, _, key = object_arn[len(_S3_ARN) :].partition("/")
    held = s3._buckets.get(bucket)
    return held is not None and key not in held.get("objects", {})


def name_the_role_in_principal_arn() -> None:
    """aws:PrincipalArn of an assumed role is the role's ARN on AWS ("AWS global condition context keys")."""
    evaluator = import_module("ministack.core.iam_evaluator")
    iam = import_module("ministack.services.iam")
    resolve = evaluator._resolve_condition_key

    def resolve_as_aws_does(key: str, ctx: Any) -> Any:
        if key.lower() == "aws:principalarn" and ctx.principal_type == "AssumedRole":
            name = evaluator._role_name_from_assumed_arn(ctx.principal_arn)
            role = iam._roles.get_scoped(ctx.principal_account, None, name) or {}
            return role.get("Arn") or ctx.principal_arn
        return resolve(key, ctx)

    setattr(evaluator, "_resolve_condition_key", resolve_as_aws_does)  # noqa: B010 - as below


def enforce_as_aws_does() -> None:
    """Put the KMS check and the worded denial around ministack's own decision; never turn a denial into an
    allow.
    """
    iam_actions = import_module("ministack.core.iam_actions")
    iam_evaluator = import_module("ministack.core.iam_evaluator")
    get_account_id = import_module("ministack.core.responses").get_account_id

    decide = iam_evaluator.enforce

    def decide_in_words(
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str,
        service_context: dict[str, Any] | None,
    ) -> Any:
        result = decide(access_key_id, iam_action, service, region, resource_arn, service_context)
        if result is None or isinstance(result, iam_evaluator.AuthError):
            return result
        account = get_account_id()
        why = layer_that_denied(
            iam_evaluator,
            access_key_id,
            result,
            {
                "action": iam_action,
                "resource_arn": resource_arn,
                "region": region,
                "account": account,
                "service_context": service_context,
                "limit_names": limit_names(iam_evaluator, account),
            },
        )
        on = f" on resource: {named_resource(service, resource_arn)}" if resource_arn != "*" else ""
        code = iam_actions._DENIED_CODES.get(service, "AccessDenied")
        return iam_evaluator.AuthError(
            code, f"User: {result.principal_arn} is not authorized to perform: {iam_action}{on} {why}"
        )

    def enforce(
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        denied = decide_in_words(access_key_id, iam_action, service, region, resource_arn, service_context)
        if denied is not None or service != "s3" or iam_action not in _READS | _WRITES:
            return denied
        if not access_key_id:
            return None
        bucket_arn = resource_arn.split("/", 1)[0]
        if iam_action in _READS and is_missing(resource_arn):
            return decide_in_words(access_key_id, "s3:ListBucket", service, region, bucket_arn, None)
        key_arn = kms_key_of(iam_action, resource_arn)
        if key_arn is None:
            return None
        context = {
            "kms:ViaService": f"s3.{region}.amazonaws.com",
            "kms:EncryptionContext:aws:s3:arn": bucket_arn,
        }
        kms_action = "kms:Decrypt" if iam_action in _READS else "kms:GenerateDataKey"
        return decide_in_words(access_key_id, kms_action, "kms", region, key_arn, context)

    setattr(iam_evaluator, "enforce", enforce)  # noqa: B010 - a module attribute, which types do not know


def main() -> None:
    given = json.loads(sys.argv[1])
    lifeline = runpy.run_path(str(Path(__file__).with_name("lifeline.py")))
    lifeline["die_with_parent"](given["parent"])
    lifeline["end_with_pipe"](given["lifeline"], lambda: os._exit(0))
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))

    serve = import_module("hypercorn.asyncio").serve
    config = import_module("hypercorn.config").Config()
    app = import_module("ministack.app").app
    add_managed_policies()
    name_the_role_in_principal_arn()
    enforce_as_aws_does()
    runpy.run_path(str(Path(__file__).with_name("iam_answers.py")))["install"]()
    config.bind = [f"fd://{given['fd']}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    asyncio.run(serve(app, config))


if __name__ == "__main__":
    main()
