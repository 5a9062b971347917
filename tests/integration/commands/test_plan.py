"""`lenses-operator plan` as people run it, against Lenses, Kubernetes and one real Kafka Connect."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.controlplane import PERSON, ControlPlane
from harness.kafka import ConnectWorker
from harness.kube import Kube, KubeError
from harness.kubectl import Kubectl
from harness.lenses.environment import LensesEnv
from harness.lenses.operations import CHANGING
from harness.lenses.running import RunningLenses
from harness.operator_fixtures import SOURCE, Operators, Place, conditions
from harness.paths import ROOT
from harness.waiting import HANG, wait_until
from lenses_operator.manifests.documents import read
from lenses_operator.manifests.schema import refusals
from unit.manifests.refused import BAD_NAMES, GOOD, OFFSETS, REFUSED, offsets
from unit.manifests.refused import manifest as plain
from unit.manifests.scalars import TABLE

GIVEN = ROOT / "tests" / "data" / "cases" / "given"


class Cli:
    """`plan` with JSON output, or whatever else is asked for."""

    def __init__(self, lenses: RunningLenses, token_file: Path, kubeconfig: Path | None = None) -> None:
        token_file.write_text(lenses.token)
        self._env = {
            **os.environ,
            "PYTHONPATH": str(ROOT / "operator"),
            "LENSES_OPERATOR_LENSES_URL": lenses.url,
            "LENSES_OPERATOR_LENSES_TOKEN_FILE": str(token_file),
            "KUBECONFIG": str(kubeconfig or "/dev/null"),
        }

    def run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "lenses_operator", "plan", *arguments]
        done = subprocess.run(
            command, env=self._env, input=stdin, capture_output=True, text=True, timeout=HANG, check=False
        )
        assert "Traceback" not in done.stderr
        return done

    def data(self, *arguments: str, code: int, stdin: str | None = None) -> dict[str, Any]:
        done = self.run("-o", "json", *arguments, stdin=stdin)
        assert done.returncode == code, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@pytest.fixture
def cli(lenses: RunningLenses, tmp_path: Path) -> Cli:
    """Without a Kubernetes cluster."""
    return Cli(lenses, tmp_path / "token")


@pytest.fixture
def kube_cli(lenses: RunningLenses, tmp_path: Path, control_plane: ControlPlane) -> Cli:
    """With one."""
    return Cli(lenses, tmp_path / "kube-token", control_plane.kubeconfig)


def manifest(env: LensesEnv, name: str, **spec: Any) -> str:
    config = {"file": "/dev/null", "topic": "lines"}
    return yaml.safe_dump(
        {
            "apiVersion": "connect.lenses.io/v1alpha1",
            "kind": "LensesConnector",
            "metadata": {"name": name},
            "spec": {"environment": env.name, "cluster": env.cluster, "class": SOURCE, "config": config, **spec},
        }
    )


def actions(data: Mapping[str, Any]) -> dict[str, str]:
    return {item["name"]: item["action"] for item in data["items"]}


def test_what_there_is_to_do_and_that_nothing_of_it_is_done(cli: Cli, lenses_env: LensesEnv) -> None:
    api = lenses_env.client()
    for name in ("same", "changed", "paused"):
        api.create(lenses_env.cluster, name, {"connector.class": SOURCE, "file": "/dev/null", "topic": "lines"})
    changed = {"config": {"file": "/dev/null", "topic": "others"}}
    files = [
        manifest(lenses_env, "new"),
        manifest(lenses_env, "same"),
        manifest(lenses_env, "changed", **changed),
        manifest(lenses_env, "paused", state="paused"),
    ]
    before = len(lenses_env.control.requests(lenses_env.name, sorted(CHANGING)))
    data = cli.data("-f", "-", stdin="---\n".join(files), code=2)
    assert actions(data) == {"new": "create", "same": "unchanged", "changed": "change", "paused": "state"}
    (change,) = data["items"][2]["changes"]
    assert (change["old"], change["new"]) == ("lines", "others")
    assert len(lenses_env.control.requests(lenses_env.name, sorted(CHANGING))) == before
    assert len(lenses_env.control.requests(lenses_env.name, ["ListConnectors"])) == 1
    text = cli.run("-f", "-", stdin="---\n".join(files))
    assert text.stdout.splitlines()[-1] == (
        "Plan: 1 to create, 1 to change, 0 to adopt, 1 to pause, stop or resume, 0 refused, 1 unchanged"
    )
    assert text.stderr == ""


def test_many_manifests_take_one_list_and_validate_only_what_is_written(
    cli: Cli, lenses_env: LensesEnv, tmp_path: Path
) -> None:
    api = lenses_env.client()
    for number in range(60):
        (tmp_path / f"{number}.yaml").write_text(manifest(lenses_env, f"c{number}"))
        if number % 2:
            config = {"connector.class": SOURCE, "file": "/dev/null", "topic": "lines"}
            api.create(lenses_env.cluster, f"c{number}", config)
    since = lenses_env.control.requests(lenses_env.name)[-1]["seq"]
    data = cli.data("-f", str(tmp_path), code=2)
    assert (data["summary"]["create"], data["summary"]["unchanged"]) == (30, 30)
    asked = [found["operation"] for found in lenses_env.control.requests(lenses_env.name, None, None, since)]
    assert {
        operation: asked.count(operation) for operation in ("GetConnector", "ValidateConnector", "ListConnectors")
    } == {"GetConnector": 60, "ValidateConnector": 30, "ListConnectors": 1}


def test_on_real_connect(
    cli: Cli, lenses: RunningLenses, connect: ConnectWorker, tmp_path: Path, lenses_env: LensesEnv
) -> None:
    lenses.control.add_cluster(lenses_env.name, "real", {"backend": "connect", "url": connect.url})
    api = lenses_env.client()
    name = f"plan-{lenses_env.name}"
    config = {"connector.class": SOURCE, "file": str(tmp_path / "none"), "topic": "lines", "tasks.max": "1"}
    api.create("real", name, config)
    try:
        wanted = {"cluster": "real", "tasksMax": 1, "config": {"file": str(tmp_path / "none"), "topic": "lines"}}
        files = [
            manifest(lenses_env, name, **wanted),
            manifest(lenses_env, "new", **wanted),
            manifest(
                lenses_env, "class", **{**wanted, "class": "org.apache.kafka.connect.file.FileStreamSourcConnector"}
            ),
            manifest(
                lenses_env, "config", **{**wanted, "tasksMax": 1, "config": {"file": "/dev/null", "transforms": "x"}}
            ),
        ]
        data = cli.data("-f", "-", stdin="---\n".join(files), code=1)
        assert actions(data) == {name: "unchanged", "new": "create", "class": "refused", "config": "refused"}
        _, _, bad_class, bad_config = data["items"]
        assert bad_class["reason"] == "PluginNotFound"
        assert SOURCE in bad_class["problems"][0]["message"]
        assert bad_config["reason"] == "ConfigInvalid"
        assert "topic: Missing required configuration" in bad_config["problems"][0]["message"]
        changed = manifest(
            lenses_env, name, **{**wanted, "config": {"file": str(tmp_path / "none"), "topic": "others"}}
        )
        data = cli.data("-f", "-", stdin=changed, code=2)
        assert [(one["key"], one["old"], one["new"]) for one in data["items"][0]["changes"]] == [
            ("topic", "lines", "others")
        ]
    finally:
        api.delete("real", name)


@dataclass(frozen=True)
class Given:
    """The given cases in namespaces and environments of their own, since another test uses those they name."""

    files: Path
    namespaces: list[str]
    clusters: dict[str, dict[str, set[str]]]
    """Environment, cluster, and the classes that it has to take."""

    @classmethod
    def copied(cls, files: Path) -> Given:
        namespaces: set[str] = set()
        clusters: dict[str, dict[str, set[str]]] = {}
        for expected in sorted(GIVEN.glob("c*.expected.json")):
            manifest = expected.with_name(expected.name.replace(".expected.json", ".yaml"))
            text = re.sub(r"\b(namespace|environment): ([\w-]+)", r"\1: plan-\2", manifest.read_text())
            (files / manifest.name).write_text(text)
            words = dict(re.findall(r"\b(namespace|environment): ([\w-]+)", text))
            namespaces.add(words["namespace"])
            body = json.loads(expected.read_text())
            classes = clusters.setdefault(words["environment"], {}).setdefault(body["cluster"], set())
            classes.add(body["configuration"]["connector.class"])
        return cls(files, sorted(namespaces), clusters)


@pytest.fixture
def given(operator_kube: Kube, lenses: RunningLenses, tmp_path: Path) -> Iterator[Given]:
    files = tmp_path / "files"
    files.mkdir()
    found = Given.copied(files)
    for environment, clusters in found.clusters.items():
        settings = {name: {"backend": "memory", "plugins": sorted(classes)} for name, classes in clusters.items()}
        lenses.control.add_environment(environment, settings)
    for name in found.namespaces:
        operator_kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield found
    for namespace in found.namespaces:
        for environment in found.clusters:
            Place(operator_kube, lenses.control, namespace, environment, {}).leave()


def test_the_given_cases_once_applied_show_nothing_to_do(
    given: Given, operator_kube: Kube, operators: Operators, kubectl: Kubectl, cli: Cli, kube_cli: Cli
) -> None:
    """With the cluster and without it."""
    files = str(given.files)
    before = cli.data("-f", files, code=2)
    assert set(actions(before).values()) == {"create"}
    operators.start(*given.namespaces, DRIFT_INTERVAL=3600)
    kubectl("apply", "-f", files)

    def all_ready() -> bool:
        found = [one for name in given.namespaces for one in operator_kube.list("lc", name)]
        return len(found) == 20 and all(conditions(one).get("Ready", {}).get("status") == "True" for one in found)

    wait_until("everything to be ready", all_ready, 60)
    for found in (cli.data("-f", files, code=0), kube_cli.data("-f", files, "--prune-against-cluster", code=0)):
        assert [action for action in actions(found).values() if action != "unchanged"] == []
        assert len(found["items"]) == 20
        assert found["items"][0]["connector"]["environment"].startswith("plan-")
    (given.files / "c33-scalar-traps-a.yaml").unlink()
    pruned = kube_cli.data("-f", files, "--prune-against-cluster", code=2)
    assert [name for name, action in actions(pruned).items() if action == "delete"] == ["traps-a"]


RIGHTS = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: planner}
rules:
  - apiGroups: [connect.lenses.io]
    resources: [lensesconnectors, lensesconnectoroffsets]
    verbs: [get, list]
  - {apiGroups: [""], resources: [configmaps], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: planner}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: planner}
subjects:
  - {apiGroup: rbac.authorization.k8s.io, kind: User, name: PERSON}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: names}
data: {topic: lines}
---
apiVersion: v1
kind: Secret
metadata: {name: db}
stringData: {login: planted}
"""


def test_what_the_user_may_not_read_is_not_known(
    control_plane: ControlPlane,
    operator_kube: Kube,
    namespace: str,
    kubectl: Kubectl,
    lenses: RunningLenses,
    lenses_env: LensesEnv,
    tmp_path: Path,
) -> None:
    person = Cli(lenses, tmp_path / "token", control_plane.kubeconfig_for(PERSON))
    sources = [
        {"key": "topic", "configMapKeyRef": {"name": "names", "key": "topic"}},
        {"key": "login", "secretKeyRef": {"name": "db", "key": "login"}},
    ]
    text = manifest(lenses_env, "orders", config={"file": "/dev/null"}, configFrom=sources)
    arguments = ["-f", "-", "-n", namespace, "--cluster-refs"]
    refused = person.run(*arguments, stdin=text)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("lenses-operator: list lensesconnectors: 403 ")
    assert len(refused.stderr.splitlines()) == 1
    kubectl("create", "-n", namespace, "-f", "-", stdin=RIGHTS.replace("PERSON", PERSON.name))

    def may_read() -> bool:
        with operator_kube.with_token(PERSON.token) as as_person, suppress(KubeError):
            return as_person.get("ConfigMap", namespace, "names") is not None
        return False

    wait_until("the rights", may_read, 20)
    config = {"connector.class": SOURCE, "file": "/dev/null", "topic": "lines", "login": "planted"}
    lenses_env.client().create(lenses_env.cluster, "orders", config)
    (item,) = person.data(*arguments, code=2, stdin=text)["items"]
    assert (item["action"], item["unknown"]) == ("adopt", ["login"])
    assert "Secret db" in item["notes"][0]
    elsewhere = Cli(lenses, tmp_path / "token")
    named = ["--kubeconfig", str(control_plane.kubeconfig_for(PERSON))]
    assert elsewhere.data(*arguments, *named, code=2, stdin=text)["items"] == [item]


def test_scalars_are_those_of_kubectl(kubectl: Kubectl, tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    lines = [f"  k{number}: {text}" for number, text in enumerate(TABLE)]
    file.write_text("apiVersion: example.org/v1\nkind: Any\nmetadata: {name: a}\nspec:\n" + "\n".join(lines) + "\n")
    found = json.loads(kubectl("annotate", "--local", "-f", str(file), "a=b", "-o", "json"))["spec"]
    assert [found[f"k{number}"] for number in range(len(TABLE))] == list(TABLE.values())


def test_the_api_server_agrees_about_what_it_takes(operator_kube: Kube, namespace: str, tmp_path: Path) -> None:
    """Every case of the unit tests, and every name that is none."""
    named = [plain(**{field: name}) for field in ("environment", "cluster", "name") for name in BAD_NAMES]
    bodies = [
        *named,
        *(plain(**spec) for spec in (*GOOD, *(spec for spec, _ in REFUSED.values()))),
        *(offsets(**spec) for spec, _ in OFFSETS),
    ]
    file = tmp_path / "m.yaml"
    differing = []
    for body in bodies:
        plural = "lensesconnectors" if body["kind"] == "LensesConnector" else "lensesconnectoroffsets"
        path = f"/apis/connect.lenses.io/v1alpha1/namespaces/{namespace}/{plural}"
        answer = operator_kube.raw("POST", path, body, params={"dryRun": "All", "fieldValidation": "Strict"})
        file.write_text(yaml.safe_dump(body, allow_unicode=True))
        found = read([file], namespace)
        said = refusals((found.connectors + found.offsets)[0])
        if answer.is_success == bool(said):
            differing.append((body["spec"], answer.text[:300], said))
    assert differing == []
