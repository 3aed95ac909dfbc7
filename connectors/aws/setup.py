"""How a person connects AWS: the fields, the steps, the least privilege, and the template that makes it all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from connectors.aws.cur_columns import COLUMNS
from connectors.live import Field, Setup

#: Days that AWS may still restate: the month before, until the 15th.
OVERLAP_DAYS: Final = 45
#: Months that Cost Explorer shows, and exports reach back where AWS Support has filled them.
HISTORY_DAYS: Final = 396
ROLE: Final = "SpendProofRead"
EXPORT: Final = "spendproof"

#: Every action on `*` that a connection uses; test_connectors_aws_live.py holds the list against what is called.
ACTIONS: Final = (
    "bcm-data-exports:GetExport",
    "bcm-data-exports:ListExports",
    "bedrock:ListFoundationModels",
    "bedrock:ListInferenceProfiles",
    "ce:GetCostAndUsage",
    "cloudwatch:GetMetricData",
    "cloudwatch:ListMetrics",
)
#: Columns of the legacy report alone; CUR 2.0 holds them as keys of `product`.
_LEGACY: Final = ("product_product_name", "product_region", "product_servicename")


def policy(bucket: str, prefix: str) -> dict[str, Any]:
    """The least-privilege IAM policy of the role: read the export, ask for totals and token counts, nothing else."""
    arn = f"arn:aws:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{arn}/{prefix}/*" if prefix else f"{arn}/*"},
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn},
            {"Effect": "Allow", "Action": list(ACTIONS), "Resource": "*"},
        ],
    }


def query() -> str:
    """The SQL of a CUR 2.0 export with every column that the ledger keeps."""
    places = (column.places[0] for column in COLUMNS)
    names = [place for place in places if place not in _LEGACY and "[" not in place]
    return f"SELECT {', '.join(names)} FROM COST_AND_USAGE_REPORT"


def template() -> str:
    """A CloudFormation template: bucket, export and role. Data Exports are made in us-east-1."""
    source = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    bucket = {"Fn::Sub": "arn:aws:s3:::${Bucket}"}
    delivers = {
        "Effect": "Allow",
        "Principal": {"Service": "bcm-data-exports.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": {"Fn::Sub": "arn:aws:s3:::${Bucket}/*"},
        "Condition": source
        | {"ArnLike": {"aws:SourceArn": {"Fn::Sub": "arn:aws:bcm-data-exports:*:${AWS::AccountId}:export/*"}}},
    }
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${VendorAccountId}:root"}},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}},
    }
    reads = policy("", EXPORT)
    reads["Statement"][0]["Resource"] = {"Fn::Sub": f"arn:aws:s3:::${{Bucket}}/{EXPORT}/*"}
    reads["Statement"][1]["Resource"] = bucket
    resources = {
        "Bucket": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"},
        "Delivery": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": _document(delivers)},
        },
        "Export": {"Type": "AWS::BCMDataExports::Export", "DependsOn": "Delivery", "Properties": {"Export": _export()}},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": ROLE,
                "MaxSessionDuration": 3600,
                "AssumeRolePolicyDocument": _document(trust),
                "Policies": [{"PolicyName": "spendproof-read", "PolicyDocument": reads}],
            },
        },
    }
    document = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Lets SpendProof read this account's costs: a bucket, a CUR 2.0 export, a read-only role.",
        "Parameters": {
            "VendorAccountId": {"Type": "String", "AllowedPattern": "^[0-9]{12}$"},
            "ExternalId": {"Type": "String", "MinLength": 16},
        },
        "Resources": resources,
        "Outputs": {
            "RoleArn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}},
            "Export": {"Value": {"Fn::Sub": f"s3://${{Bucket}}/{EXPORT}/{EXPORT}"}},
        },
    }
    return json.dumps(document, indent=2)


def _document(statement: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [statement]}


def _export() -> dict[str, Any]:
    return {
        "Name": EXPORT,
        "DataQuery": {
            "QueryStatement": query(),
            "TableConfigurations": {
                "COST_AND_USAGE_REPORT": {
                    "TIME_GRANULARITY": "HOURLY",
                    "INCLUDE_RESOURCES": "TRUE",
                    "INCLUDE_IAM_PRINCIPAL_DATA": "TRUE",
                }
            },
        },
        "DestinationConfigurations": {
            "S3Destination": {
                "S3Bucket": {"Ref": "Bucket"},
                "S3Prefix": EXPORT,
                "S3Region": {"Ref": "AWS::Region"},
                "S3OutputConfigurations": {
                    "OutputType": "CUSTOM",
                    "Format": "PARQUET",
                    "Compression": "PARQUET",
                    "Overwrite": "OVERWRITE_REPORT",
                },
            }
        },
        "RefreshCadence": {"Frequency": "SYNCHRONOUS"},
    }


def quick_create(template_url: str, vendor_account: str, external_id: str) -> str:
    """A link that opens the console with the stack filled in, for a template that lies in S3 (AWS takes no other)."""
    asked = {
        "templateURL": template_url,
        "stackName": EXPORT,
        "param_VendorAccountId": vendor_account,
        "param_ExternalId": external_id,
    }
    page = "https://us-east-1.console.aws.amazon.com/cloudformation/home?region=us-east-1#/stacks/create/review"
    # Names in braces are filled in by whoever shows the link.
    return f"{page}?{urlencode(asked, quote_via=quote, safe='{}')}"


_FIELDS: Final = (
    Field(
        "vendor_account",
        "Account of SpendProof",
        "The AWS account whose credentials SpendProof runs with: `aws sts get-caller-identity --query Account`.",
        required=False,
        pattern="[0-9]{12}",
    ),
    Field(
        "external_id",
        "External id",
        "A word of at least 16 characters in the role's trust policy, one for each connection "
        "(`openssl rand -hex 16`).",
        required=False,
        pattern=r"[\w+=,.@:/-]{16,1224}",
    ),
    Field(
        "role_arn",
        "Role",
        "ARN of the role to assume, from the stack's outputs. Empty: SpendProof's own credentials read the account.",
        required=False,
        pattern=r"arn:aws[\w-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+",
    ),
    Field(
        "export",
        "Export",
        "Where the export is delivered: s3://bucket/prefix/export-name. Empty: it is looked up in Data Exports.",
        required=False,
        pattern=r"s3://[a-z0-9][a-z0-9.-]+/.+",
    ),
    Field(
        "regions",
        "Regions of Amazon Bedrock",
        "Where models are called, separated by commas; us-east-1 where it is empty. `none` asks for no token metrics.",
        required=False,
        pattern=r"none|[a-z]{2}[a-z-]*-[0-9]( *, *[a-z]{2}[a-z-]*-[0-9])*",
    ),
    Field("profile", "Profile", "Profile of the AWS configuration to start from.", required=False),
    Field("access_key_id", "Access key id", "Only where there is no profile and no role.", required=False),
    Field("secret_access_key", "Secret access key", "The other half of the access key.", required=False, secret=True),
    Field(
        "template_url",
        "Template in S3",
        "Only for the quick-create link: the https address of a copy of the template in an S3 bucket of yours.",
        required=False,
    ),
)

_STEPS: Final = (
    "Sign in to the **management (payer) account**: a member account sees its own cost only.",
    (
        "Save this template as `spendproof.json`. It makes a bucket, a Cost and Usage Report 2.0 that AWS delivers "
        f"there, and a role that may read that and nothing else.\n\n```json\n{template()}\n```"
    ),
    (
        "Make the stack, with a new random word for the external id (`openssl rand -hex 16`), one for each connection:"
        "\n\n```sh\naws cloudformation deploy --region us-east-1 --stack-name spendproof "
        "--template-file spendproof.json --capabilities CAPABILITY_NAMED_IAM "
        "--parameter-overrides VendorAccountId={vendor_account} ExternalId={external_id}\n```\n\n"
        "or copy the template to a bucket and open the "
        f"[quick-create link]({quick_create('{template_url}', '{vendor_account}', '{external_id}')})."
    ),
    "Enter `RoleArn` and `Export` of the stack's outputs here.",
    (
        "With an export of your own, give the role this policy instead, and where the bucket is encrypted with a key "
        "of KMS also `kms:Decrypt` on that key:\n\n```json\n"
        f"{json.dumps(policy('BUCKET', 'PREFIX'), indent=2)}\n```"
    ),
)

SETUP: Final = Setup(
    title="Amazon Web Services",
    fields=_FIELDS,
    steps=_STEPS,
    overlap_days=OVERLAP_DAYS,
    history_days=HISTORY_DAYS,
    later=(
        (
            "A new export is delivered for the first time within 24 hours, and begins with the present month; AWS "
            "Support fills earlier months on request."
        ),
        "Until then the totals of Cost Explorer stand beside the ledger, marked provisional. They are never charges.",
        "A month is final about the 15th of the next; credits and refunds may still come later.",
        "Token metrics go back 455 days; those of a model that Amazon Bedrock no longer offers, two weeks.",
    ),
    price="AWS charges the account $0.01 for each request to Cost Explorer (one for each month that a sync changed, "
    "one a day for each open month without an export, once for a closed one, one for each test) and $0.01 for every "
    "1,000 token metrics that are read.",
)
