"""Files are read as those read them whose files they are: kubectl and Java."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from click.testing import CliRunner

from harness.kube import Kube
from harness.kubectl import Kubectl
from harness.operator_fixtures import Operators, Place
from harness.waiting import HANG
from lenses_operator.cli import main
from lenses_operator.conversion.properties import parse
from lenses_operator.conversion.scalars import config_entry
from lenses_operator.conversion.yaml_source import documents
from unit.conversion.traps import TRAPS

HEAD = "apiVersion: connect.lenses.io/v1alpha1\nkind: LensesConnector\nmetadata: {name: a}\nspec:\n  config:\n"
SCALARS = """
y Y yes Yes YES yEs n N no No NO on On ON off Off OFF true True TRUE tRue false False FALSE ~ null Null NULL nUll
0 -0 +1 1_000 1__0 0644 08 09.5 0x1F 0X1F 0b11 0B11 0o17 0O17 -0x1f +0b1 1.0 1. .5 -.5 +.5 1e3 1E3 1e-3 1.5e3 .5e1
1_0.5 60.0 100. 12:30:45 12:30 2001-01-01 2001-12-14t21:59:43.10-05:00 1.2.3 1e 0x 0b 0o 9223372036854775807
-9223372036854775808 1e20 0.1 1e-7 0.0001 12345678.5 _1 1_ a1 1a . .. + ++1 = ~~
"""
WORDS = SCALARS.split()
PROPERTIES = r"""
a=1
 b : 2
c	3
d\ e=4
f\=g\:h = 5
i = 6 \
    7\
  8
# comment \
j=9
! k=10
l
m=
=n
o=\u0041\t\n\r\f\q\\
p=a\\
q=b\\\
r=c
s==t
u:=v
w = x # no comment
y=\
# no comment either
z=\uD83D\uDE00é
	aa=1

bb=a=b:c
cc\
dd=1
ee=last\
"""
JAVA = """
import java.io.*; import java.nio.file.*; import java.util.*;
public class Read { public static void main(String[] a) throws Exception {
  Properties p = new Properties();
  p.load(new InputStreamReader(Files.newInputStream(Path.of(a[0])), "UTF-8"));
  for (String k : p.stringPropertyNames())
    for (String s : new String[] {k, p.getProperty(k)})
      System.out.println(HexFormat.of().formatHex(s.getBytes("UTF-8")));
} }
"""


def through_kubectl(kubectl: Kubectl, lines: list[str]) -> dict[str, object]:
    """The config as the API server would get it."""
    text = HEAD + "".join(f"{line}\n" for line in lines)
    arguments = ("create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-")
    found: dict[str, object] = json.loads(kubectl(*arguments, stdin=text))["spec"]["config"]
    return found


def test_plain_scalars_are_what_kubectl_makes_of_them(operator_kube: Kube, kubectl: Kubectl) -> None:
    lines = [f"    k{number}: {word}" for number, word in enumerate(WORDS)]
    found = through_kubectl(kubectl, lines)
    (body,) = documents(HEAD + "\n".join(lines))
    ours = body["spec"]["config"]
    wrong = {
        word: (ours[f"k{number}"], found.get(f"k{number}"))
        for number, word in enumerate(WORDS)
        if json.dumps(ours[f"k{number}"]) != json.dumps(found.get(f"k{number}"))
    }
    assert wrong == {}


def test_what_is_written_comes_back_through_kubectl(operator_kube: Kube, kubectl: Kubectl) -> None:
    lines = [line for number, value in enumerate(TRAPS) for line in config_entry(f"k{number}", value, 4)]
    lines += [line for number, value in enumerate(TRAPS) if value for line in config_entry(value, str(number), 4)]
    found = through_kubectl(kubectl, lines)
    assert [found[f"k{number}"] for number in range(len(TRAPS))] == TRAPS
    assert [found[value] for value in TRAPS if value] == [number for number, value in enumerate(TRAPS) if value]


def test_properties_are_what_java_makes_of_them(tmp_path: Path) -> None:
    (tmp_path / "Read.java").write_text(JAVA)
    file = tmp_path / "a.properties"
    file.write_text(PROPERTIES)
    done = subprocess.run(
        ["java", "-Xshare:auto", str(tmp_path / "Read.java"), str(file)], capture_output=True, timeout=HANG, check=True
    )
    words = [bytes.fromhex(line.decode()).decode() for line in done.stdout.splitlines()]
    assert {one.key: one.value for one in parse(PROPERTIES)} == dict(zip(words[::2], words[1::2], strict=True))


STRIMZI = """\
apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaConnector
metadata: {name: orders, labels: {strimzi.io/cluster: connect}}
spec:
  class: org.apache.kafka.connect.file.FileStreamSourceConnector
  tasksMax: 1
  state: paused
  config: {file: /dev/null, topic: lines, batch.size: 0400, note: "0400"}
"""


def test_a_migrated_connector_takes_over_the_one_that_runs(
    own_place: Place, operators: Operators, kubectl: Kubectl
) -> None:
    place = own_place
    running = {"connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "tasks.max": "1"}
    running |= {"file": "/dev/null", "topic": "lines", "batch.size": "256", "note": "0400"}
    place.change(config=running)
    place.change(state="PAUSED")
    arguments = ["migrate", "strimzi", "--environment", place.environment, "-n", place.namespace, "-f", "-"]
    done = CliRunner().invoke(main, arguments, input=STRIMZI)
    assert done.exit_code == 0, done.stderr
    assert "batch.size is not quoted" in done.stderr
    kubectl("apply", "-f", "-", stdin=done.stdout)
    operators.start(place.namespace)
    place.wait_reason("Paused")
    place.wait_polls()
    assert place.writes() == []
