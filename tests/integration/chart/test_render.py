"""What helm makes of the chart, without a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.helm import Helm, HelmError
from harness.kube import Object, Objects
from harness.paths import CHART, CRDS
from integration.chart.values import SETS
from lenses_operator.kube.leader import UNHELD

DEFINITION = "CustomResourceDefinition"


def only(objects: Objects, kind: str) -> Object:
    (found,) = [one for one in objects if one["kind"] == kind]
    return found


def container(objects: Objects) -> Object:
    (found,) = only(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    return dict(found)


def env(objects: Objects) -> dict[str, str]:
    return {one["name"].removeprefix("LENSES_OPERATOR_"): one.get("value", "") for one in container(objects)["env"]}


@pytest.mark.parametrize("name", SETS)
def test_lint(offline: Helm, name: str) -> None:
    assert "0 chart(s) failed" in offline("lint", "--strict", CHART, values=SETS[name])


def test_definitions_are_the_ones_in_crds(offline: Helm, tmp_path: Path) -> None:
    """In the package too, which is what users may get."""
    offline("package", CHART, "-d", tmp_path, required=False)
    (package,) = tmp_path.glob("*.tgz")
    made = {one["metadata"]["name"]: one for one in offline.template(chart=package) if one["kind"] == DEFINITION}
    for source in (yaml.safe_load(path.read_text()) for path in CRDS.glob("*.yaml")):
        rendered = made.pop(source["metadata"]["name"])
        assert rendered["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
        assert rendered["metadata"].pop("labels")["app.kubernetes.io/name"] == "lenses-operator"
        assert rendered == source
    assert made == {}


def test_definitions_are_optional(offline: Helm) -> None:
    kept = offline.template({"crds": {"keep": False}})
    assert all("annotations" not in one["metadata"] for one in kept if one["kind"] == DEFINITION)
    assert not [one for one in offline.template({"crds": {"enabled": False}}) if one["kind"] == DEFINITION]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a typo": ({"watch": {"namespace": ["a"]}}, "additional properties 'namespace' not allowed"),
    "a typo at the top": ({"leaderelection": {}}, "additional properties 'leaderelection' not allowed"),
    "a typo in a rule": ({"policy": {"rules": [{"namespace": ["a"]}]}}, "additional properties 'namespace'"),
    "no url": ({"lenses": {"url": ""}}, "lenses.url is required: where Lenses is"),
    "no scheme": ({"lenses": {"url": "lenses.example.com"}}, "/lenses/url"),
    "a password in the url": ({"lenses": {"url": "https://me:secret@lenses.example.com"}}, "/lenses/url"),
    "no token": ({"lenses": {"tokenSecret": {"name": ""}}}, "lenses.tokenSecret.name is required: a Secret"),
    "text for a number": ({"pollInterval": "15s"}, "/pollInterval"),
    "a level nobody knows": ({"log": {"level": "TRACE"}}, "/log/level"),
    "two policies": ({"policy": {"rules": [], "existingConfigMap": "p"}}, "cannot both be set"),
    "two CA bundles": ({"lenses": {"ca": {"secretName": "a", "configMapName": "b"}}}, "cannot both be set"),
    "a proxy that is ignored": (
        {"extraEnv": [{"name": "https_proxy", "value": "http://p"}]},
        "extraEnv sets https_proxy, which the operator ignores: lenses.proxy.url",
    ),
    "two proxies": ({"lenses": {"proxy": {"url": "http://p", "secretName": "p"}}}, "cannot both be set"),
    "a password in the proxy": ({"lenses": {"proxy": {"url": "http://me:secret@p"}}}, "/lenses/proxy/url"),
    "no proxy": ({"lenses": {"proxy": {"url": "p:3128"}}}, "/lenses/proxy/url"),
    "admission by nothing": ({"policy": {"admission": True}}, "policy.admission needs policy.rules"),
    "admission by what is not known": (
        {"policy": {"admission": True, "existingConfigMap": "p"}},
        "policy.admission needs policy.rules",
    ),
    "no namespace": ({"namespaceOverride": "Not_One"}, "/namespaceOverride"),
    "no election": ({"leaderElection": {"enabled": False}}, "additional properties 'enabled' not allowed"),
    "all namespaces by Roles": ({"rbac": {"ownKindsClusterWide": False}}, "watch.namespaces is empty"),
    "a monitor of nothing": (
        {"metrics": {"serviceMonitor": {"enabled": True}}, "service": {"enabled": False}},
        "needs service.enabled",
    ),
    "nobody's account": ({"serviceAccount": {"create": False}}, "serviceAccount.name is required"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_refused(offline: Helm, case: tuple[dict[str, Any], str]) -> None:
    values, words = case
    with pytest.raises(HelmError) as caught:
        offline.template(values)
    assert words in str(caught.value)


def test_needs_what_the_definitions_need(offline: Helm) -> None:
    """Their selectableFields are dropped without a word before Kubernetes 1.31."""
    offline("template", CHART, "--kube-version", "1.31.0")
    with pytest.raises(HelmError, match=r"requires kubeVersion: >=1\.31"):
        offline("template", CHART, "--kube-version", "1.30.9")


@pytest.mark.parametrize("replicas", [0, 1, 2])
def test_leader_election_is_always_on(offline: Helm, replicas: int) -> None:
    """The Role too: without it a leader could not renew its Lease while an upgrade ends it."""
    objects = offline.template({"replicas": replicas})
    said = {key: value for key, value in env(objects).items() if key.startswith("LEADER")}
    assert said == {
        "LEADER_ELECTION": "true",
        "LEADER_ELECTION_NAMESPACE": "lenses-system",
        "LEADER_ELECTION_NAME": "lenses-operator",
    }
    [role] = [one for one in objects if one["kind"] == "Role" and one["metadata"]["name"].endswith("leader-election")]
    assert role["rules"][1]["resourceNames"] == ["lenses-operator"]


def test_the_lease_is_made_without_anything_that_a_holder_writes(offline: Helm) -> None:
    """It may be applied again at any time, also while somebody holds it."""
    lease = only(offline.template({"leaderElection": {"name": "the-one"}}), "Lease")
    assert lease["metadata"]["name"] == "the-one"
    assert "spec" not in lease
    assert lease["metadata"]["annotations"] == {UNHELD: "true", "helm.sh/resource-policy": "keep"}


def test_what_a_rolling_update_leaves_unsaid_is_said(offline: Helm) -> None:
    """Else helm could not take it back: Kubernetes would have filled it in."""

    def strategy(said: dict[str, Any]) -> Any:
        return only(offline.template({"strategy": said}), "Deployment")["spec"]["strategy"]

    assert strategy({"type": "Recreate"}) == {"type": "Recreate"}
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    assert strategy({"type": "RollingUpdate"}) == rolling
    rolling = {**rolling, "rollingUpdate": {"maxSurge": "50%", "maxUnavailable": 0}}
    assert strategy({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "50%"}}) == rolling


def test_policy(offline: Helm) -> None:
    """No rules, an empty list of rules, and another's ConfigMap are three different things."""
    assert "POLICY_FILE" not in env(offline.template())
    nothing = offline.template({"policy": {"rules": []}})
    assert yaml.safe_load(only(nothing, "ConfigMap")["data"]["policy.yaml"]) == {"rules": []}
    assert env(nothing)["POLICY_FILE"] == "/etc/lenses-operator/policy/policy.yaml"
    theirs = offline.template({"policy": {"existingConfigMap": "theirs", "key": "rules"}})
    assert env(theirs)["POLICY_FILE"] == "/etc/lenses-operator/policy/rules"
    assert not [one for one in theirs if one["kind"] == "ConfigMap"]


def test_mounts_follow_changes(offline: Helm) -> None:
    """A subPath would be a copy for ever; and nothing is writable."""
    objects = offline.template(SETS["everything"])
    mounts = container(objects)["volumeMounts"]
    assert {one["name"] for one in mounts} >= {"token", "ca", "policy"}
    assert all("subPath" not in one and one["readOnly"] for one in mounts)
    assert container(objects)["securityContext"]["readOnlyRootFilesystem"] is True


def test_image(offline: Helm) -> None:
    assert container(offline.template())["image"] == "lenses-operator:0.1.0"
    digest = f"sha256:{'0' * 64}"
    image = {"repository": "registry.example.com/operator", "tag": "1", "digest": digest}
    assert container(offline.template({"image": image}))["image"] == f"registry.example.com/operator@{digest}"


def test_releases_of_one_name_do_not_meet(offline: Helm) -> None:
    """Outside its own namespace a release's names carry that namespace's name."""

    def outside(namespace: str) -> set[tuple[str, str]]:
        objects = offline.template({"watch": {"namespaces": ["a"]}, "crds": {"enabled": False}}, namespace=namespace)
        return {
            (one["kind"], one["metadata"]["name"]) for one in objects if one["metadata"].get("namespace") != namespace
        }

    first, second = outside("first"), outside("second")
    assert len(first) == len(second) == 6
    assert not first & second


def test_common_labels_are_everywhere(offline: Helm) -> None:
    objects = [one for one in offline.template(SETS["everything"]) if one["metadata"]["name"] != "extra"]
    assert all(one["metadata"]["labels"]["team"] == "streams" for one in objects)
    assert only(objects, "Deployment")["spec"]["template"]["metadata"]["labels"]["team"] == "streams"
    assert "team" not in only(objects, "Deployment")["spec"]["selector"]["matchLabels"]


def test_monitoring_objects(offline: Helm) -> None:
    objects = offline.template(SETS["everything"])
    alerts = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())
    assert only(objects, "PrometheusRule")["spec"] == alerts
    (dashboard,) = [one for one in objects if one["metadata"]["name"] == "lenses-operator-dashboard"]
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"
    text = (CHART / "files" / "dashboard.json").read_text()
    assert dashboard["data"]["lenses-operator.json"].strip() == text.strip()
    (endpoint,) = only(objects, "ServiceMonitor")["spec"]["endpoints"]
    ports = [port["name"] for port in only(objects, "Service")["spec"]["ports"]]
    assert endpoint["port"] in ports
    selected = only(objects, "ServiceMonitor")["spec"]["selector"]["matchLabels"].items()
    assert selected <= only(objects, "Service")["metadata"]["labels"].items()


def test_proxy(offline: Helm) -> None:
    assert "LENSES_PROXY" not in env(offline.template())
    url = "http://proxy.example.com:3128"
    assert env(offline.template({"lenses": {"proxy": {"url": url}}}))["LENSES_PROXY"] == url
    objects = offline.template({"lenses": {"proxy": {"secretName": "proxy", "key": "address"}}})
    (found,) = [one for one in container(objects)["env"] if one["name"].endswith("_PROXY")]
    assert found["valueFrom"] == {"secretKeyRef": {"name": "proxy", "key": "address"}}


@pytest.mark.parametrize("name", SETS)
def test_another_namespace(offline: Helm, name: str) -> None:
    """Whatever was in the release's namespace is in that one, and nothing speaks of the release's any more."""
    values = {**SETS[name], "namespaceOverride": "elsewhere"}
    here = offline.template(SETS[name], namespace="lenses-system")
    there = offline.template(values, namespace="lenses-system")
    assert "lenses-system" not in str(there)
    places = [(one["kind"], one["metadata"].get("namespace")) for one in here]
    moved = {None: None, "lenses-system": "elsewhere"}
    expected = sorted((kind, str(moved.get(where, where))) for kind, where in places)
    assert sorted((one["kind"], str(one["metadata"].get("namespace"))) for one in there) == expected


PARENT = """\
apiVersion: v2
name: platform
version: 0.1.0
dependencies:
  - {name: lenses-operator, version: ">=0.0.0-0", condition: CONDITION.enabled, alias: CONDITION}
"""


@pytest.mark.parametrize("name", ["lo", "lenses-operator"])
def test_as_a_dependency(offline: Helm, tmp_path: Path, name: str) -> None:
    """With a condition and with what a parent chart says to all."""
    parent = tmp_path / "platform"
    (parent / "charts").mkdir(parents=True)
    (parent / "charts" / "lenses-operator").symlink_to(CHART)
    text = PARENT.replace("CONDITION", name).replace(f", alias: {name}" if name == "lenses-operator" else "\0", "")
    (parent / "Chart.yaml").write_text(text)
    own = {"lenses": {"url": "https://lenses.example.com", "tokenSecret": {"name": "t"}}}
    secrets = [{"name": "mirror"}, "other"]
    everybody = {"imageRegistry": "registry.example.com/", "imagePullSecrets": secrets, "other": {"a": 1}}
    for enabled in (None, True, False):
        said = {} if enabled is None else {"enabled": enabled}
        objects = offline.template({"global": everybody, name: {**own, **said}}, chart=parent, required=False)
        assert bool(objects) is (enabled is not False)
        if objects:
            assert container(objects)["image"] == "registry.example.com/lenses-operator:0.1.0"
            pod = only(objects, "Deployment")["spec"]["template"]["spec"]
            assert pod["imagePullSecrets"] == [{"name": "mirror"}, {"name": "other"}]
    image = {"repository": "ghcr.io/me/lenses-operator", "digest": f"sha256:{'0' * 64}"}
    objects = offline.template({"global": everybody, name: {**own, "image": image}}, chart=parent, required=False)
    assert container(objects)["image"] == f"{image['repository']}@{image['digest']}"


def test_the_digest_key_is_the_operators_to_fill(offline: Helm) -> None:
    """Empty: what renders again, as GitOps tools do, makes no other key; and nobody takes the right to make Secrets."""
    objects = offline.template({"watch": {"namespaces": ["payments"]}})
    made = only(objects, "Secret")
    assert not made.keys() & {"data", "stringData", "immutable"}
    assert env(objects)["DIGEST_KEY_SECRET"] == made["metadata"]["name"]
    roles = [rule for one in objects if one["kind"] in ("Role", "ClusterRole") for rule in one["rules"]]
    on_secrets = [rule for rule in roles if "secrets" in rule["resources"]]
    assert [rule["verbs"] for rule in on_secrets if made["metadata"]["name"] in rule.get("resourceNames", [])] == [
        ["get", "patch"]
    ]
    assert not any("create" in rule["verbs"] for rule in on_secrets)
    assert all(rule.get("resourceNames") or rule["verbs"] == ["get"] for rule in on_secrets)
