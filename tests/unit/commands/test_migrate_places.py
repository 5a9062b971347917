"""Migrated connectors keep out of each other's way and out of other tools' hands; nothing at all is no success."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from lenses_operator.cli import main
from lenses_operator.conversion.marks import owner_of

CLASS = "org.apache.kafka.connect.file.FileStreamSourceConnector"


def strimzi(name: str = "orders", cluster: str = "eu", group: str = "kafka.strimzi.io/v1beta2", **metadata: Any) -> str:
    prefix = "strimzi.io" if "strimzi" in group else group.partition("/")[0]
    labels = {f"{prefix}/cluster": cluster, **metadata.pop("labels", {})}
    body = {"apiVersion": group, "kind": "KafkaConnector", "metadata": {"name": name, "labels": labels, **metadata}}
    return yaml.safe_dump(body | {"spec": {"class": CLASS, "config": {"topic": "a"}}})


def migrate(kind: str, *arguments: str, text: str = "", environment: str = "prod") -> Result:
    given = [] if not text else ["-f", "-"]
    return CliRunner().invoke(main, ["migrate", kind, "--environment", environment, *given, *arguments], input=text)


def written(out: Path) -> dict[str, dict[str, Any]]:
    """The resource of each file."""
    found = {path.name: list(yaml.safe_load_all(path.read_text())) for path in sorted(out.glob("*.yaml"))}
    return {name: next(one for one in bodies if one["kind"] == "LensesConnector") for name, bodies in found.items()}


# marks
MARKS = (
    *("app.kubernetes.io/instance", "app.kubernetes.io/managed-by", "argocd.argoproj.io/instance", "helm.sh/chart"),
    *("argocd.argoproj.io/tracking-id", "argocd.argoproj.io/installation-id", "kustomize.toolkit.fluxcd.io/name"),
    *("kustomize.toolkit.fluxcd.io/namespace", "kustomize.toolkit.fluxcd.io/checksum", "helm.toolkit.fluxcd.io/name"),
    *("helm.toolkit.fluxcd.io/namespace", "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"),
    *("kubectl.kubernetes.io/last-applied-configuration", "applyset.kubernetes.io/part-of", "kapp.k14s.io/app"),
    *("config.k8s.io/owning-inventory", "objectset.rio.cattle.io/hash", "configmanagement.gke.io/managed"),
    *("fluxcd.io/sync-gc-mark", "kapp.k14s.io/identity", "internal.config.kubernetes.io/path"),
)
WORDS = (
    *("team", "argocd.argoproj.io/sync-wave", "argocd.argoproj.io/sync-options", "helm.sh/resource-policy"),
    *("kustomize.toolkit.fluxcd.io/prune", "kustomize.toolkit.fluxcd.io/substitute", "app.kubernetes.io/name"),
    *("app.kubernetes.io/part-of", "example.com/owner", "helm.sh/hook-weight"),
)


@pytest.mark.parametrize("part", ["labels", "annotations"])
def test_marks_stay_behind_and_words_go_along(part: str) -> None:
    given: dict[str, Any] = {part: dict.fromkeys((*MARKS, *WORDS), "x")}
    text = strimzi(**given)
    done = migrate("strimzi", text=text)
    assert done.exit_code == 0
    assert set(yaml.safe_load(done.stdout)["metadata"][part]) == set(WORDS)
    for key in MARKS:
        assert (key in done.stderr) is (owner_of(key) != "kubectl")


# other vendors of the same resource
def test_event_streams() -> None:
    group = "eventstreams.ibm.com/v1beta2"
    annotations = {"eventstreams.ibm.com/pause-reconciliation": "true", "eventstreams.ibm.com/restart": "true"}
    done = migrate("strimzi", text=strimzi(group=group, annotations=annotations))
    body = yaml.safe_load(done.stdout)
    assert done.exit_code == 0
    assert (body["spec"]["cluster"], body["spec"]["suspend"]) == ("eu", True)
    assert set(body["metadata"]) == {"name"}
    assert "eventstreams.ibm.com/restart is left out: annotate the LensesConnector" in done.stderr


# nothing converted
@pytest.mark.parametrize(
    ("kind", "text", "hint"),
    [
        ("strimzi", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n", "v1 Secret is skipped"),
        ("confluent", strimzi(), "migrate strimzi reads it"),
        ("strimzi", "apiVersion: platform.confluent.io/v1beta1\nkind: Connector\n", "migrate confluent reads it"),
        ("strimzi", "apiVersion: lenses.io/v0beta\nkind: KafkaConnector\nspec: {}\n", "migrate lenses reads it"),
        ("lenses", strimzi(group="eventstreams.ibm.com/v1beta2"), "migrate strimzi reads it"),
        ("strimzi", "apiVersion: v1\nkind: List\nitems: []\n", ""),
        ("strimzi", "# nothing but a remark\n", ""),
        ("strimzi", "---\n---\n", ""),
        ("json", "[]", ""),
        ("json", "{}", ""),
        ("properties", "# nothing\n", ""),
    ],
)
def test_nothing_converted_is_no_success(kind: str, text: str, hint: str) -> None:
    done = migrate(kind, "--cluster", "eu", text=text)
    assert (done.exit_code, done.stdout) == (1, "")
    assert hint in done.stderr
    assert "(not converted)" in done.stderr


def test_each_argument_has_to_hold_something(tmp_path: Path) -> None:
    """A directory as a whole: others' manifests may lie beside the connectors."""
    (tmp_path / "in").mkdir()
    good, other = tmp_path / "in" / "a.yaml", tmp_path / "in" / "b.yaml"
    good.write_text(strimzi())
    other.write_text("apiVersion: v1\nkind: Secret\n")
    assert migrate("strimzi", "-f", str(good.parent)).exit_code == 0
    done = migrate("strimzi", "-f", str(good), "-f", str(other))
    assert done.exit_code == 1
    assert f"{other}: there is no connector in it" in done.stderr


# directories
def test_a_directory_with_all_below_it(tmp_path: Path) -> None:
    for place, name in (("base", "a"), ("overlays/prod/deep", "b"), (".git", "c"), ("base/.hidden", "d")):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / place / "x.yaml").write_text(strimzi(name))
    (tmp_path / "base" / ".e.yaml").write_text(strimzi("e"))
    done = migrate("strimzi", "-f", str(tmp_path))
    assert [body["metadata"]["name"] for body in yaml.safe_load_all(done.stdout)] == ["a", "b"]
    assert done.exit_code == 0


def test_a_directory_that_is_to_be_rendered(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(strimzi())
    (tmp_path / "kustomization.yaml").write_text("resources: [x.yaml]\n")
    done = migrate("strimzi", "-f", str(tmp_path))
    assert done.exit_code == 0
    assert "kustomize build" in done.stderr


# names
def test_names_that_fall_together(tmp_path: Path) -> None:
    whole = [{"name": name, "config": {"connector.class": CLASS}} for name in ("Orders", "orders", "ORDERS", "or/ders")]
    out = tmp_path / "out"
    done = migrate("json", "--cluster", "eu", "--out", str(out), text=json.dumps(whole))
    assert done.exit_code == 1  # or/ders is no name
    found = written(out)
    names = [body["metadata"]["name"] for body in found.values()]
    assert len(set(names)) == 3
    assert {body["spec"].get("name", body["metadata"]["name"]) for body in found.values()} == {
        "Orders",
        "orders",
        "ORDERS",
    }
    assert "orders is that of another connector" in done.stderr


def test_one_name_on_two_clusters() -> None:
    done = migrate("strimzi", text="---\n".join([strimzi(), strimzi(cluster="us")]))
    bodies = list(yaml.safe_load_all(done.stdout))
    assert [body["metadata"]["name"] for body in bodies] == ["orders", "orders-us"]
    assert [body["spec"].get("name") for body in bodies] == [None, "orders"]
    assert done.exit_code == 0


def test_one_name_in_two_namespaces_has_two_files(tmp_path: Path) -> None:
    two = "---\n".join([strimzi(namespace="a"), strimzi(namespace="b")])
    done = migrate("strimzi", "--out", str(tmp_path), text=two)
    assert done.exit_code == 0
    assert {name: body["metadata"]["namespace"] for name, body in written(tmp_path).items()} == {
        "orders.yaml": "a",
        "orders.b.yaml": "b",
    }
    assert "only one of the two can have it" in done.stderr
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert migrate("strimzi", "--out", str(tmp_path), text=two).exit_code == 0
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_second_run_overwrites_nobody_else(tmp_path: Path) -> None:
    runs = [("prod", "eu"), ("dev", "eu"), ("prod", "us"), ("dev", "us")]
    for environment, cluster in (*runs, *reversed(runs)):
        done = migrate("strimzi", "--out", str(tmp_path), text=strimzi(cluster=cluster), environment=environment)
        assert done.exit_code == 0, done.output
    found = [(body["spec"]["environment"], body["spec"]["cluster"]) for body in written(tmp_path).values()]
    assert sorted(found) == sorted(runs)
    assert len({body["metadata"]["name"] for body in written(tmp_path).values()}) == 4


def test_a_second_run_writes_its_own_file_again(tmp_path: Path) -> None:
    migrate("strimzi", "--out", str(tmp_path), text=strimzi())
    (tmp_path / "orders.yaml").rename(tmp_path / "10-orders.yaml")
    done = migrate("strimzi", "--out", str(tmp_path), "-n", "payments", text=strimzi())
    assert done.exit_code == 0
    assert {name: body["metadata"]["namespace"] for name, body in written(tmp_path).items()} == {
        "10-orders.yaml": "payments"
    }


@pytest.mark.parametrize(
    "there", ["resources: []\n", "not: [yaml", "\x00", "", strimzi(), "- 1\n", "kind: LensesConnector\n"]
)
def test_a_file_of_somebody_else_stays(tmp_path: Path, there: str) -> None:
    file = tmp_path / "kustomization.yaml"
    file.write_text(there)
    done = migrate("strimzi", "--out", str(tmp_path), text=strimzi("kustomization"))
    assert done.exit_code == 0
    assert file.read_text() == there
    assert (tmp_path / "kustomization-2.yaml").exists()


def test_a_name_that_leads_elsewhere(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = migrate("strimzi", "--out", str(out), text=strimzi("../up"))
    assert [path.name for path in tmp_path.iterdir()] in (["out"], [])
    assert done.exit_code == 1  # nor is it a connector's name


# Lenses' own files
CONFIG = {"connector.class": CLASS, "topics": "orders", "tasks.max": "2", "name": "orders-s3"}
CLI_EXPORT = {"name": "orders-s3", "clusterName": "eu", "config": CONFIG}
AS_CODE = {
    "apiVersion": "lenses.io/v0beta",
    "kind": "KafkaConnector",
    "spec": {"cluster": "eu", "name": "orders-s3", "config": CONFIG},
}


@pytest.mark.parametrize("dump", [json.dumps, yaml.safe_dump])
@pytest.mark.parametrize("body", [CLI_EXPORT, AS_CODE])
def test_files_of_lenses(body: dict[str, Any], dump: Any) -> None:
    done = migrate("lenses", text=dump(body))
    assert (done.exit_code, done.stderr) == (0, "")
    expected = {"environment": "prod", "cluster": "eu", "class": CLASS, "tasksMax": 2, "config": {"topics": "orders"}}
    assert yaml.safe_load(done.stdout)["spec"] == expected
    other = migrate("lenses", "--cluster", "us", text=dump(body))
    assert yaml.safe_load(other.stdout)["spec"]["cluster"] == "us"


@pytest.mark.parametrize("state", ["PAUSED", "stopped", "Running"])
def test_the_state_of_a_resource_of_lenses(state: str) -> None:
    body = AS_CODE | {"spec": AS_CODE["spec"] | {"state": state}}  # type: ignore[operator]
    spec = yaml.safe_load(migrate("lenses", text=yaml.safe_dump(body)).stdout)["spec"]
    assert spec.get("state", "running") == state.lower()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"apiVersion": "lenses.io/v0beta", "kind": "KafkaConnector", "spec": {"config": CONFIG}}, "--cluster"),
        (AS_CODE | {"spec": {"cluster": "eu", "config": {"a": "b"}}}, "spec.name is missing"),
        (AS_CODE | {"spec": {**CLI_EXPORT, "state": "lost"}}, "spec.state is none of"),
        (CLI_EXPORT | {"clusterName": 1}, "clusterName is not a text"),
        (CLI_EXPORT | {"config": {"connector.class": CLASS, "a": ["planted"]}}, "config.a is neither"),
    ],
)
def test_files_of_lenses_that_cannot_be_converted(body: dict[str, Any], words: str) -> None:
    done = migrate("lenses", text=yaml.safe_dump(body))
    assert done.exit_code == 1
    assert words in done.stderr
    assert "planted" not in done.stderr


def test_json_keeps_the_cluster_of_a_file_of_lenses() -> None:
    done = migrate("json", text=json.dumps(CLI_EXPORT))
    assert (yaml.safe_load(done.stdout)["spec"]["cluster"], done.stderr) == ("eu", "")
    assert "migrate lenses" in migrate("json", "--cluster", "eu", text=yaml.safe_dump(CLI_EXPORT)).stderr
    assert "lenses" in migrate("json", "--cluster", "eu", text=json.dumps(AS_CODE)).stderr


# comments, backslashes, restarts
def test_a_comment_that_cuts_a_value_is_told() -> None:
    text = strimzi().replace("topic: a", "kcql: insert into a select * from planted # WITHKEY(b)")
    done = migrate("strimzi", text=text)
    assert "spec.config.kcql ends where ` #` begins a comment" in done.stderr
    assert "planted" not in done.stderr
    assert "comment" not in migrate("strimzi", text=strimzi().replace("topic: a", "topic: a # the one")).stderr


@pytest.mark.parametrize(
    ("value", "told"), [(r"a\Gb", True), (r"a\\Gb", False), (r"a\=b\ c\tq", False), (r"C:\data", True)]
)
def test_a_backslash_that_java_drops_is_told(value: str, told: bool) -> None:
    done = migrate("properties", "--cluster", "eu", text=f"name=a\nconnector.class=B\nx={value}\n")
    assert done.exit_code == 0
    assert ("x: a backslash before" in done.stderr) is told


def test_confluent_that_restarts_nothing() -> None:
    text = (
        "apiVersion: platform.confluent.io/v1beta1\nkind: Connector\nmetadata: {name: a}\n"
        "spec:\n  class: B\n  connectClusterRef: {name: eu}\n  restartPolicy: {type: OnFailure, maxRetry: 0}\n"
    )
    done = migrate("confluent", text=text)
    assert "autoRestart" not in yaml.safe_load(done.stdout)["spec"]
    assert "maxRetry is 0" in done.stderr
