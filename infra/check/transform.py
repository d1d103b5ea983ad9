"""Transforms SAM templates offline: a JSON list of template texts on stdin, the list of results on stdout."""

import json
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies:
    """Stands in for IAM: a template that names a managed policy fails instead of asking AWS for its ARN."""

    def load(self):
        return {}


def expand(text):
    template = yaml_parse(text)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            folder = resource["Properties"]["CodeUri"].strip("/")
            resource["Properties"]["CodeUri"] = "s3://code/" + folder
    return transform(template, {}, NoManagedPolicies())


json.dump([expand(text) for text in json.load(sys.stdin)], sys.stdout)
