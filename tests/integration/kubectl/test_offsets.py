"""`kubectl lenses offsets` with the rights of `edit` and no access to Lenses."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from harness.kube import Kube
from harness.lenses import exactjson
from integration.kubectl.support import WIDTH, Person
from integration.offsets.support import ANY, KIND, S3, S3_CONFIG, Offsets

EXACT = (
    '[{"partition": {"server": "s", "database": "d"}, "offset": {"transaction_id": null, "pos": 1e3, "x": 1.0, '
    '"huge": 123456789012345678901234567890, "words": "a\\u2028b \\u00e9 \\" : # \\\\n"}}]'
)
SINK = (
    '[{"partition": {"kafka_topic": "orders", "kafka_partition": 0}, "offset": {"kafka_offset": 9007199254740993}}, '
    '{"partition": {"kafka_topic": "orders", "kafka_partition": 1}, "offset": {"kafka_offset": 4711}}]'
)


def left(offsets: Offsets) -> list[str]:
    """Resources that are there, by name."""
    return sorted(one["metadata"]["name"] for one in offsets.place.kube.list(KIND, offsets.place.namespace))


def source(offsets: Offsets, name: str = "orders", text: str = EXACT) -> None:
    offsets.runs(name, class_name=ANY["class"], config={}, offsets=text)


def test_there_and_back_to_the_letter(offsets: Offsets, person: Person, tmp_path: Path) -> None:
    """`show -o json`, edit, `set --json`: what is not edited goes back as it was, key order and notation included."""
    source(offsets)
    there = offsets.now()
    shown = person.run("offsets", "show", "orders", "-o", "json")
    assert shown.code == 0
    assert left(offsets) == []
    file = tmp_path / "offsets.json"
    file.write_text(shown.out)
    same = person.run("offsets", "set", "orders", "--json", str(file), "--yes")
    assert (same.code, same.out.splitlines()[-1]) == (0, "Nothing would change.")
    file.write_text(shown.out.replace("1e3", "2e3"))
    done = person.run("offsets", "set", "orders", "--json", str(file), "--yes")
    assert done.code == 0, done.err
    assert "1 partition to change" in done.out
    assert offsets.now() == there.replace("1e3", "2e3")
    assert offsets.bodies() == [there.replace("1e3", "2e3")]
    [made] = left(offsets)
    assert f"{made}: Applied: " in done.out

    back = person.run("offsets", "restore", made, "--yes")
    assert back.code == 0, back.err
    assert offsets.now() == there
    printed = person.run("offsets", "restore", made)
    assert printed.out.startswith("# Sets the offsets that")
    offsets.wait_state("RUNNING")


def test_a_sink(offsets: Offsets, person: Person) -> None:
    place = offsets.place
    place.control.set_plugins(place.environment, place.cluster, [{"class": S3, "type": "sink"}])
    offsets.runs(class_name=S3, config=S3_CONFIG, offsets=SINK)
    shown = person.run("offsets", "show", "orders")
    assert shown.code == 0
    assert "orders          0  9007199254740993" in shown.out
    assert "orders is RUNNING, so its offsets move on" in shown.err
    words = ("offsets", "set", "orders", "--topic", "orders", "--partition")
    done = person.run(*words, "0", "--offset", "1000", "--yes")
    assert done.code == 0, done.err
    assert "orders          0  9007199254740993   1000" in done.out
    assert "This sink seeks to the position in its own index" in done.err
    assert json.loads(offsets.now())[0]["offset"] == {"kafka_offset": 1000}
    dropped = person.run(*words, "1", "--drop", "--yes")
    assert dropped.code == 0, dropped.err
    assert [entry["partition"]["kafka_partition"] for entry in json.loads(offsets.now())] == [0]
    reset = person.run("offsets", "reset", "orders", "--yes")
    assert reset.code == 0, reset.err
    assert offsets.now() == "[]"
    assert person.run("offsets", "reset", "orders", "--yes").out.endswith("Nothing would change.\n")


def test_a_copy(offsets: Offsets, person: Person) -> None:
    offsets.runs(class_name=ANY["class"], config={}, offsets=EXACT, state="stopped")
    source(offsets, "other", "[]")
    done = person.run("offsets", "copy", "orders", "--to", "other", "--yes")
    assert (done.code, done.err) == (0, "")
    assert offsets.now("other") == offsets.now()
    offsets.wait_state("RUNNING", "other")
    empty = person.run("offsets", "copy", "other", "--to", "nobody", "--yes")
    assert (empty.code, empty.out) == (1, "")
    assert "there is no LensesConnector nobody" in empty.err


def test_a_copy_to_another_cluster_under_another_name(offsets: Offsets, person: Person) -> None:
    place = offsets.place
    place.control.add_cluster(place.environment, "connect-us", {"backend": "memory"})
    place.control.set_plugins(place.environment, "connect-us", [ANY])
    offsets.runs(class_name=ANY["class"], config={}, offsets=EXACT, state="stopped")
    place.apply("there", class_name=ANY["class"], config={}, name="orders.us", cluster="connect-us")
    place.wait_running("there")
    done = person.run("offsets", "copy", "orders", "--to", "there", "--yes")
    assert (done.code, done.err) == (0, "")
    assert "orders.us on cluster connect-us" in done.out
    found = place.control.get_offsets(place.environment, "connect-us", "orders.us")
    assert exactjson.dumps(found) == offsets.now()


def test_it_asks_at_a_terminal(offsets: Offsets, person: Person) -> None:
    source(offsets)
    there = offsets.now()
    nobody = person.run("offsets", "reset", "orders")
    assert nobody.code == 2
    assert "There is no terminal to ask for confirmation: pass --yes." in nobody.err
    with person.terminal("offsets", "reset", "orders") as terminal:
        terminal.wait(lambda text: "Change them? [y/N]" in text)
        terminal.press_ctrl_c_at_a_prompt()
        assert terminal.end() in (1, -signal.SIGINT)
        assert "Traceback" not in terminal.text
    assert (offsets.now(), left(offsets)) == (there, [])
    with person.terminal("offsets", "reset", "orders") as terminal:
        terminal.wait(lambda text: "Change them? [y/N]" in text)
        terminal.type("y\n")
        assert terminal.end() == 0
        table = terminal.text.partition("Change them?")[0]
        assert max(len(line) for part in table.split("\r") for line in part.split("\n")) <= WIDTH
    assert offsets.now() == "[]"


def test_ctrl_c_leaves_the_operation_to_the_operator(offsets: Offsets, person: Person) -> None:
    source(offsets)
    place = offsets.place
    place.fault(operation="ConnectorState", status=503)
    with person.terminal("offsets", "reset", "orders", "--yes") as terminal:
        terminal.wait(lambda text: "orders-reset-" in text)
        terminal.press_ctrl_c()
        assert terminal.end() == 130
        [made] = left(offsets)
        assert f"kubectl delete lco {made} -n {place.namespace}" in " ".join(terminal.text.split())
    place.control.clear_faults(place.environment)
    offsets.wait_reason("Applied", made, 60)


def test_what_is_refused(offsets: Offsets, person: Person) -> None:
    """By a Lenses that does not offer it; the connector goes on."""
    source(offsets)
    offsets.place.fault(operation="AlterConnectorOffsets", status=405)
    done = person.run("offsets", "set", "orders", "--partition", '{"server": "s"}', "--offset", '{"pos": 1}', "--yes")
    assert done.code == 1
    assert ": NotSupported: " in done.err
    missing = person.run("offsets", "restore", "nobody", "--yes")
    assert (missing.code, missing.out) == (1, "")
    assert "there is no such LensesConnectorOffsets" in missing.err


def test_the_rights_of_view_do_not_suffice(offsets: Offsets, person: Person, operator_kube: Kube) -> None:
    """It takes the right to make the resource that reads them; which one is missing is said."""
    source(offsets)
    operator_kube.delete("RoleBinding", offsets.place.namespace, "edit")
    group, namespace = "rbac.authorization.k8s.io", offsets.place.namespace
    head = {"apiVersion": f"{group}/v1", "metadata": {"name": "reads", "namespace": namespace}}
    rules = [{"apiGroups": ["connect.lenses.io"], "resources": ["*"], "verbs": ["get", "list", "watch"]}]
    operator_kube.apply({**head, "kind": "Role", "rules": rules})
    reference = {"apiGroup": group, "kind": "Role", "name": "reads"}
    subjects = [{"kind": "User", "name": "person"}]
    operator_kube.apply({**head, "kind": "RoleBinding", "roleRef": reference, "subjects": subjects})
    offsets.until("the rights", lambda: "create lensesconnectoroffsets" in person.run("offsets", "show", "orders").err)
