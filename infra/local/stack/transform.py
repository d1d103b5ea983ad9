"""Expands a SAM template to plain CloudFormation without AWS: transform.py TEMPLATE > plain.json

CodeUri stays readable in the result: s3://local/functions/x becomes {"S3Bucket": "local", "S3Key": "functions/x"}.
"""

import json
import logging
import os
import sys

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from samtranslator.model.exceptions import InvalidDocumentException  # noqa: E402
from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402


class NoManagedPolicies:
    """The roles in the template are its own, so no managed policy has to be looked up."""

    def load(self):
        return {}


def main():
    logging.disable(logging.WARNING)
    with open(sys.argv[1], encoding="utf-8") as f:
        template = yaml_parse(f.read())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            code = resource["Properties"]["CodeUri"]
            resource["Properties"]["CodeUri"] = "s3://local/" + os.path.normpath(code)
    try:
        plain = transform(template, {}, NoManagedPolicies())
    except InvalidDocumentException as e:
        sys.exit("; ".join(cause.message for cause in e.causes))
    json.dump(plain, sys.stdout)


if __name__ == "__main__":
    main()
