"""What users do with their resources, and others in Lenses behind the operator's back."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import httpx

from chaos.real.cast import BREAKS, EDITED, OURS, PASSWORD_KEY, Object, Role
from chaos.real.ledger import RecordingCluster
from chaos.real.plan import Action
from chaos.real.stage import Stage
from harness.kube import KubeError
from harness.waiting import crowding

PATIENCE = 60.0
"""Seconds in which an API server that was ended is back."""
AGAIN = (403, 409, 429)
"""Answers that pass: an API server that has just started knows no rights yet."""
KIND = "LensesConnector"
OPERATION = "LensesConnectorOffsets"
SPEC_FIELDS = {
    "state": "state",
    "suspend": "suspend",
    "go on": "suspend",
    "deletion policy": "deletionPolicy",
    "update strategy": "updateStrategy",
}


class People:
    """Does an action, and again as long as the API server is away."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._values: dict[int, list[Any]] = defaultdict(list)
        self._operations: dict[int, list[tuple[str, str]]] = defaultdict(list)
        self._awaited: set[int] = set()

    def do(self, action: Action) -> None:
        self._stage.say(str(action))
        if action.what in BY_HAND:
            self._by_hand(action)
        else:
            self._insist(lambda: self._edit(action))

    def create_awaited(self) -> bool:
        """What could not be created yet, since the resource of that name was still on its way out. True: none left."""
        for index in sorted(self._awaited):
            self._insist(lambda index=index: self._create(index))  # type: ignore[misc]
        return not self._awaited

    def _insist(self, call: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE * crowding()
        while True:
            try:
                call()
            except KubeError as error:
                if error.status == 404:
                    return  # gone by now
                refused = error.status < 500 and error.status not in AGAIN
                if refused or time.monotonic() > deadline:
                    raise
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
            else:
                return
            time.sleep(0.1)

    def _edit(self, action: Action) -> None:
        role, args = Role(action.index), action.args
        spec = self._spec(role, action)
        if spec is not None:
            self._change(role, {"spec": spec})
            return
        match action.what:
            case "rotate secret":
                self._stage.plant(role.namespace, f"planted-{role.namespace}-{args['number']}")
            case "delete":
                self._awaited.discard(role.index)
                if args["policy"]:
                    self._change(role, {"spec": {"deletionPolicy": args["policy"]}})
                self._stage.kube.delete(KIND, self._namespace(role), role.name)
            case "create":
                self._awaited.add(role.index)
                self._create(role.index)
            case _:
                self._annotate(role, action)

    def _spec(self, role: Role, action: Action) -> Object | None:
        """What an edit of the spec changes; None where it is another kind of action."""
        args, values = action.args, self._values[role.index]
        key, bad = BREAKS[role.class_name]
        match action.what:
            case "edit config":
                values.append(args["number"])
                return {"config": {EDITED: args["number"]}}
            case "take back":
                return {"config": {EDITED: values[-2] if len(values) > 1 else None}}
            case "break config":
                return {"config": {key: bad}}
            case "mend config":
                return {"config": {key: role.config.get(key)}}
            case "auto-restart":
                return {"autoRestart": {"enabled": args["number"] % 2 == 0, "maxRestarts": 3}}
        return (
            {SPEC_FIELDS[action.what]: args.get("to", action.what == "suspend")} if action.what in SPEC_FIELDS else None
        )

    def _annotate(self, role: Role, action: Action) -> None:
        number = str(action.args["number"])
        match action.what:
            case "annotate restart" | "annotate reconcile":
                which = f"connect.lenses.io/{action.what.split()[1]}"
                self._change(role, {"metadata": {"annotations": {which: number}}})
            case "label":
                self._change(role, {"metadata": {"labels": {"edited": number}, "annotations": {"note": number}}})
            case _:
                self._operate(role, action)

    def _operate(self, role: Role, action: Action) -> None:
        known = self._operations[role.index]
        number = action.args["number"]
        if action.what == "operation":
            name, what = f"{role.name}-{number}", action.args["action"]
            self._stage.kube.apply(self._operation(role, name, what, number))
            known.append((name, what))
        elif known and action.what == "edit operation":
            name, what = known[-1]
            if what == "Alter":
                self._stage.kube.apply(self._operation(role, name, what, number))
        elif known:
            name, _ = known.pop()
            self._stage.kube.delete(OPERATION, self._namespace(role), name)

    def _operation(self, role: Role, name: str, what: str, number: int) -> Object:
        spec: Object = {"connectorRef": {"name": role.name}, "action": what, "refreshInterval": "10s"}
        if what == "Alter":
            spec["offsets"] = role.offsets(number)
        metadata = {"name": name, "namespace": self._namespace(role)}
        return {"apiVersion": OURS, "kind": OPERATION, "metadata": metadata, "spec": spec}

    def _create(self, index: int) -> None:
        role = Role(index)
        found = self._stage.kube.get(KIND, self._namespace(role), role.name)
        if found is not None and found["metadata"].get("deletionTimestamp"):
            return
        if found is None:
            self._stage.kube.create(role.manifest(self._stage.namespaces))
            self._stage.say(f"created {role.name}")
        self._awaited.discard(index)

    def _namespace(self, role: Role) -> str:
        return self._stage.namespaces[role.namespace]

    def _change(self, role: Role, patch: Object) -> None:
        self._stage.kube.patch(KIND, self._namespace(role), role.name, patch)

    # in Lenses
    def _by_hand(self, action: Action) -> None:
        role = Role(action.index)
        cluster = self._stage.ledger.clusters[role.key[0]]
        self._stage.ledger.inside(lambda: by_hand(cluster, role, action))


BY_HAND = frozenset(
    {
        "config by hand",
        "state by hand",
        "delete by hand",
        "create by hand",
        "tasks fail",
        "tasks go on failing",
        "connector fails",
        "offsets move",
    }
)


def by_hand(cluster: RecordingCluster, role: Role, action: Action) -> None:
    """Only a creation makes what is not there; a trace quotes the password that the connector has, if any."""
    name, args = role.connector, action.args
    found = cluster.find(name, hidden=True)
    if found is None or found.gone_from is not None:
        if action.what == "create by hand":
            cluster.put(name, {"config": {**role.config, "connector.class": role.class_name, EDITED: "by hand"}})
        return
    secret = found.config.get(PASSWORD_KEY, "nobody's")
    trace = f"org.apache.kafka.connect.errors.ConnectException: login failed with password={secret} ({secret})\n\tat x"
    match action.what:
        case "config by hand":
            cluster.put(name, {"config_changes": {"by.hand": str(args["number"])}})
        case "state by hand":
            cluster.put(name, {"state": args["to"]})
        case "delete by hand":
            cluster.take_away(name)
        case "tasks fail" if found.target == "running":
            tasks = [{"id": task.id, "state": "FAILED", "trace": trace} for task in found.tasks]
            cluster.put(name, {"tasks": tasks})
        case "tasks go on failing":
            cluster.put(name, {"failing": {0: trace.replace(secret, "nobody's")}})  # what it has then, is not known yet
        case "connector fails" if found.target == "running":
            cluster.put(name, {"state": "FAILED"})
        case "offsets move" if found.state == "RUNNING":
            cluster.stored.write(name, role.offsets(args["number"]))
