"""Writing the company into the two servers, through their public interfaces, as root."""

from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from sm_access.sandbox import company
from sm_access.sandbox.loopback import require_loopback
from sm_access.stores.dynamodb_table import table_parameters


def client(service: str, url: str, key_id: str, secret: str, *, session: Any = None) -> Any:
    """A boto3 client for one of the two servers, past any proxy. Raises SandboxUnavailable for another
    endpoint.
    """
    import boto3
    from botocore.config import Config

    make: Any = (session or boto3.Session()).client
    return make(
        service,
        endpoint_url=require_loopback(url),
        region_name=company.REGION,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        config=Config(proxies={}, max_pool_connections=16, read_timeout=30),
    )


def root_client(service: str, url: str, *, account: str = company.ACCOUNT, session: Any = None) -> Any:
    """A client that the servers take for the root of `account`: its number is its own access key there."""
    return client(service, url, account, "test", session=session)


def seed(enforcer_url: str, shapes_url: str, session: Any) -> tuple[str, dict[str, tuple[str, str]]]:
    """Write everything; return the vault key's ARN and each user's long-term key pair (id, secret).

    `session` makes all clients, here in one thread: making them is not thread-safe, using them is.
    """
    iam = root_client("iam", enforcer_url, session=session)
    s3 = root_client("s3", enforcer_url, session=session)
    partner_s3 = root_client("s3", enforcer_url, session=session, account=company.PARTNER_ACCOUNT)
    kms = root_client("kms", enforcer_url, session=session)
    dynamodb = root_client("dynamodb", enforcer_url, session=session)
    sagemaker = root_client("sagemaker", shapes_url, session=session)

    with ThreadPoolExecutor(max_workers=8) as pool:
        alone = [pool.submit(_seed_notebooks, sagemaker), pool.submit(_seed_table, dynamodb)]
        key = pool.submit(_seed_key, kms)
        users = {user: pool.submit(_create_user, iam, user) for user in company.USERS}
        _all([pool.submit(_create_policy, iam, *policy) for policy in company.MANAGED_POLICIES.items()])
        alone += [pool.submit(_create_role, iam, role) for role in company.ROLES]
        user_keys = {user: pair.result() for user, pair in users.items()}
        alone += [pool.submit(_create_group, iam, group) for group in company.GROUPS]
        key_arn = key.result()
        owners = {company.ACCOUNT: s3, company.PARTNER_ACCOUNT: partner_s3}
        alone += [pool.submit(_create_bucket, owners[one.owner], one, key_arn) for one in company.BUCKETS]
        _all(alone)
    return key_arn, user_keys


def _all(jobs: list[Future[None]]) -> None:
    """Wait for them, and raise what the first of them raised."""
    for job in jobs:
        job.result()


def _create_policy(iam: Any, name: str, document: company.Document) -> None:
    iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document))


def _create_role(iam: Any, role: company.Role) -> None:
    extra: dict[str, Any] = {"PermissionsBoundary": role.boundary} if role.boundary else {}
    iam.create_role(
        RoleName=role.name,
        Description=role.description,
        AssumeRolePolicyDocument=json.dumps(role.trust_policy),
        Tags=[{"Key": key, "Value": value} for key, value in role.tags.items()],
        **extra,
    )
    for arn in role.attached:
        iam.attach_role_policy(RoleName=role.name, PolicyArn=arn)
    for name, document in role.inline.items():
        iam.put_role_policy(RoleName=role.name, PolicyName=name, PolicyDocument=json.dumps(document))


def _create_user(iam: Any, name: str) -> tuple[str, str]:
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def _create_group(iam: Any, group: company.Group) -> None:
    iam.create_group(GroupName=group.name)
    for arn in group.attached:
        iam.attach_group_policy(GroupName=group.name, PolicyArn=arn)
    for name, document in group.inline.items():
        iam.put_group_policy(GroupName=group.name, PolicyName=name, PolicyDocument=json.dumps(document))
    for user in group.members:
        iam.add_user_to_group(GroupName=group.name, UserName=user)


def _seed_key(kms: Any) -> str:
    key = kms.create_key(Description="acme-vault", Policy=json.dumps(company.VAULT_KEY_POLICY))["KeyMetadata"]
    kms.create_alias(AliasName=company.KEY_ALIAS, TargetKeyId=key["KeyId"])
    return str(key["Arn"])


def _create_bucket(s3: Any, bucket: company.Bucket, key_arn: str) -> None:
    s3.create_bucket(Bucket=bucket.name)
    s3.put_public_access_block(
        Bucket=bucket.name,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
    if bucket.encrypted:
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_arn}
        s3.put_bucket_encryption(
            Bucket=bucket.name,
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
            },
        )
    for key, text in bucket.objects.items():
        s3.put_object(Bucket=bucket.name, Key=key, Body=text.encode())
    if bucket.policy is not None:
        s3.put_bucket_policy(Bucket=bucket.name, Policy=json.dumps(bucket.policy))


def _seed_table(dynamodb: Any) -> None:
    dynamodb.create_table(**table_parameters(company.LEDGER_TABLE))
    dynamodb.create_table(
        TableName="acme-features",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    dynamodb.put_item(TableName="acme-features", Item={"id": {"S": "1"}, "tenure": {"N": "24"}})


def _seed_notebooks(sagemaker: Any) -> None:
    for name, role in company.NOTEBOOKS.items():
        sagemaker.create_notebook_instance(
            NotebookInstanceName=name, InstanceType="ml.t3.medium", RoleArn=company.role_arn(role)
        )
