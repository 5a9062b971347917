"""`diff` and `adopt`, which ask Lenses, with the rights of `edit`."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from harness.kube import Kube
from harness.operator_fixtures import SOURCE, Place, message
from harness.waiting import wait_until
from integration.kubectl.support import WIDTH, Person

CONFIG = {"connector.class": SOURCE, "tasks.max": "1", "file": "/dev/null", "topic": "lines"}


def test_diff(place: Place, person: Person) -> None:
    place.apply()
    place.apply("suspended")
    place.wait_running()
    place.wait_running("suspended")
    same = person.with_lenses("diff")
    assert (same.code, same.out) == (0, "Plan: 0 to create, 0 to change, 0 to adopt, 0 refused, 2 unchanged\n")
    place.apply_until("Suspended", "suspended", suspend=True)
    place.change("suspended", config_changes={"file": "/dev/zero"})
    done = person.with_lenses("diff", "suspended", "nobody", "-o", "json")
    assert done.code == 1
    assert "there is no LensesConnector nobody" in done.err
    [item] = json.loads(done.out)["items"]
    assert (item["action"], item["changes"]) == (
        "change",
        [{"key": "file", "old": "/dev/zero", "new": "/dev/null", "line": None}],
    )
    assert item["notes"] == ["It is suspended: nothing of this is done before spec.suspend is false."]
    place.fault(operation="DeleteConnector", status=503)
    place.apply(config={"file": "/dev/zero", "topic": "lines"})
    changed = person.with_lenses("diff", "orders")
    assert changed.code == 2
    assert "~ file: /dev/null -> /dev/zero\n" in changed.out
    assert ":0" not in changed.out
    lenses = ("--lenses-url", person.lenses_url, "--token-file", str(person.token))
    with person.terminal("diff", *lenses) as terminal:
        assert terminal.end() == 2
        frames = terminal.text.split("\r")
        assert max(len(line) for frame in frames for line in frame.split("\n")) <= WIDTH


def unlabelled(place: Place, *words: str) -> tuple[str, ...]:
    """The shared operator does not look after what it makes."""
    return ("adopt", "--environment", place.environment, "--cluster", place.cluster, *words)


def adopt(place: Place, *words: str) -> tuple[str, ...]:
    return unlabelled(place, "-l", "tests/operator=shared", *words)


def test_adopt(place: Place, person: Person, tmp_path: Path) -> None:
    place.change("a", config=CONFIG)
    place.change("b", config={**CONFIG, "db.password": "planted-value"}, state="PAUSED")
    looked = person.with_lenses(*adopt(place))
    assert looked.code == 0, looked.err
    assert "Plan: 0 to create, 0 to change, 2 to adopt" in looked.out
    assert looked.out.endswith("Nothing was changed. --apply takes them over.\n")
    assert place.kube.list("lc", place.namespace) == []
    since = place.mark()
    done = person.with_lenses(*adopt(place, "--apply", "--out", str(tmp_path / "out")))
    assert done.code == 0, done.err
    assert done.out.splitlines()[-2:] == ["a: taken over (1 of 2)", "b: taken over (2 of 2)"]
    place.wait_running("a")
    place.wait_reason("Paused", "b")
    assert place.writes(since=since) == []
    assert "planted-value" not in looked.out + done.out + looked.err + done.err
    written = yaml.safe_load((tmp_path / "out" / "a.yaml").read_text())
    assert written["metadata"]["name"] == "a"
    again = person.with_lenses(*adopt(place, "--apply"))
    assert again.code == 0
    assert f"a on {place.cluster}: LensesConnector {place.namespace}/a already manages it" in again.out


def test_it_stops_at_the_first_surprise(place: Place, person: Person) -> None:
    """Here a Secret of the name that its values would get."""
    for name in ("a", "b", "c"):
        place.change(name, config=CONFIG)
    place.apply_until("NotAdopted", "z", name="b", adoptionPolicy="Never")
    done = person.with_lenses(*adopt(place))
    assert "b on connect: LensesConnector" in done.out
    place.delete_and_wait("z")
    secret = {"apiVersion": "v1", "kind": "Secret", "stringData": {"any": "thing"}}
    place.change("b", config={**CONFIG, "db.password": "planted-value"})
    place.kube.apply({**secret, "metadata": {"name": "b-connector-secrets", "namespace": place.namespace}})
    done = person.with_lenses(*adopt(place, "--apply"))
    assert done.code == 1
    assert "a: taken over (1 of 3)" in done.out
    assert "c: taken over" not in done.out
    assert "1 of 3 taken over, the others were not changed" in done.err
    assert "planted-value" not in done.out + done.err
    assert place.get("c") is None
    assert message(place.wait_running("a"))


def test_what_lenses_hides_is_written_to_be_filled_in(place: Place, person: Person, tmp_path: Path) -> None:
    place.change("a", config={**CONFIG, "db.password": "********"})
    done = person.with_lenses(*adopt(place, "--apply", "--out", str(tmp_path)))
    assert done.code == 1
    assert "Lenses hides db.password: write it with --out, fill it in and apply it yourself" in done.err
    assert place.get("a") is None
    assert yaml.safe_load((tmp_path / "a.yaml").read_text())["metadata"]["name"] == "a"
    [secret] = (tmp_path / "secrets").glob("*.yaml")
    assert set(yaml.safe_load(secret.read_text())["stringData"]) == {"db.password"}


def test_what_is_refused_leaves_nothing_behind(place: Place, person: Person, kube: Kube) -> None:
    """Here for a right that is missing; a policy, a quota or a webhook does the same."""
    place.change("a", config={**CONFIG, "db.password": "planted-value"})
    group, namespace = "rbac.authorization.k8s.io", kube.create_namespace()
    head = {"apiVersion": f"{group}/v1", "metadata": {"name": "looks", "namespace": namespace}}
    rules = [
        {"apiGroups": ["connect.lenses.io"], "resources": ["*"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "create"]},
    ]
    kube.apply({**head, "kind": "Role", "rules": rules})
    reference, subjects = {"apiGroup": group, "kind": "Role", "name": "looks"}, [{"kind": "User", "name": "person"}]
    kube.apply({**head, "kind": "RoleBinding", "roleRef": reference, "subjects": subjects})
    lenses = ("--lenses-url", person.lenses_url, "--token-file", str(person.token))
    wait_until("the rights", lambda: person.run(*adopt(place, *lenses), namespace=namespace).code == 0, 20)
    done = person.run(*adopt(place, "--apply", *lenses), namespace=namespace)
    assert done.code == 1
    assert f"a: person has no right to create lensesconnectors in namespace {namespace}" in done.err
    assert "0 of 1 taken over" in done.err
    assert kube.get("Secret", namespace, "a-connector-secrets") is None


def test_ctrl_c_leaves_the_one_that_was_made_to_the_operator(place: Place, person: Person) -> None:
    for name in ("a", "b"):
        place.change(name, config=CONFIG)
    lenses = ("--lenses-url", person.lenses_url, "--token-file", str(person.token))
    with person.terminal(*unlabelled(place, "--apply", *lenses)) as terminal:
        terminal.wait(lambda text: "a: the operator has not processed it" in text)
        terminal.press_ctrl_c()
        assert terminal.end() == 130
        assert "interrupted: a has its resource, and the operator continues with it" in terminal.text
        assert "0 of 2 taken over before it, the others were not changed" in terminal.text
        assert "Traceback" not in terminal.text
    assert place.get("a") is not None
    assert place.get("b") is None
