"""`migrate` over texts: what it prints, what it tells, and what it refuses."""

from __future__ import annotations

from typing import Any

import yaml
from click.testing import CliRunner, Result

from lenses_operator.cli import main
from lenses_operator.domain.render import render
from lenses_operator.resources.connector import ConnectorSpec

WHERE = ("--environment", "prod")
CLASS = "org.apache.kafka.connect.file.FileStreamSourceConnector"
STRIMZI = f"""\
apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaConnector
metadata:
  name: my-source
  labels:
    strimzi.io/cluster: connect-eu
spec:
  class: {CLASS}
"""
CONFLUENT = f"""\
apiVersion: platform.confluent.io/v1beta1
kind: Connector
metadata:
  name: my-source
spec:
  class: {CLASS}
  taskMax: 3
  connectClusterRef:
    name: connect-cfk
  restartPolicy:
    type: Never
"""


def migrate(kind: str, text: str | bytes, *options: str) -> Result:
    given = text.encode() if isinstance(text, str) else text
    return CliRunner().invoke(main, ["migrate", kind, *WHERE, "-f", "-", *options], input=given)


def converted(kind: str, text: str | bytes, *options: str) -> tuple[dict[str, Any], list[str]]:
    """The one resource, and what was told without the name of the file."""
    done = migrate(kind, text, *options)
    assert done.exit_code == 0, done.stderr
    (body,) = yaml.safe_load_all(done.stdout)
    return body, [line.removeprefix("standard input:").strip() for line in done.stderr.splitlines()]


def sent(body: dict[str, Any]) -> dict[str, str]:
    return dict(render(ConnectorSpec.model_validate(body["spec"])).config)


def refused(kind: str, text: str | bytes, *options: str) -> str:
    done = migrate(kind, text, *options)
    assert done.exit_code == 1
    assert done.stdout == ""
    (line,) = [line for line in done.stderr.splitlines() if line.endswith("(not converted)")]
    return line
