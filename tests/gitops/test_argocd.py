"""What docs/gitops.md says of Argo CD, with Argo CD itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from gitops.application import SERVER_SIDE, App
from gitops.support import BOOLEANS, INVALID, TIMEOUT, Cluster, connector, offsets
from harness.argocd import ArgoCD
from harness.waiting import wait_until
from lenses_operator.resources.base import FINALIZER, RECONCILE, RESTART

Apps = Callable[..., App]
LONG = 2**53 + 1


@pytest.fixture
def apps(argocd: ArgoCD, cluster: Cluster) -> Iterator[Apps]:
    made: list[App] = []

    def make(name: str, options: tuple[str, ...] = SERVER_SIDE) -> App:
        made.append(App(name, argocd, cluster, options))
        return made[-1]

    yield make
    for app in made:
        if app.find():
            app.delete()


@pytest.mark.parametrize(("name", "options"), [("ssa", SERVER_SIDE), ("csa", ())], ids=["server-side", "client-side"])
def test_an_applications_life(apps: Apps, name: str, options: tuple[str, ...]) -> None:
    app = apps(name, options)
    first, second, bad = (f"{name}-{one}" for one in ("a", "b", "bad"))
    app.create({
        "a.yaml": connector(first, "tasksMax: 1", config=BOOLEANS),
        "b.yaml": connector(second, "state: stopped", "suspend: false"),
    })  # fmt: skip
    app.wait("Synced", "Healthy")
    found = app.object(first)
    assert found is not None
    assert FINALIZER in found["metadata"]["finalizers"]

    syncs = app.syncs()
    for _ in range(3):
        app.refresh("hard")
        app.wait("Synced", "Healthy")
    again = app.object(first)
    assert again is not None
    assert (app.syncs(), again["metadata"]["generation"]) == (syncs, 1), "no diff, and nothing synced again"

    app.commit({"bad.yaml": connector(bad, config=INVALID)})
    app.wait("Synced", "Degraded", synced=False)
    app.wait_health(bad, "Degraded", "ConfigInvalid")
    app.commit({"bad.yaml": connector(bad)})
    app.wait("Synced", "Healthy")

    app.commit({"bad.yaml": None, "a.yaml": connector(first, "suspend: true")})
    app.wait("Synced", "Suspended", synced=False)
    app.cluster.wait_connectors([first, second], absent=[bad])
    app.commit({"a.yaml": connector(first), "o.yaml": offsets(f"{name}-o", second, "action: Reset")})
    app.wait("Synced", "Healthy")
    assert app.cluster.ready(name, f"{name}-o", "lco")[1] == "Applied"

    app.delete()
    wait_until(f"end of {name}", lambda: app.find() is None, TIMEOUT)
    app.cluster.wait_connectors(absent=[first, second])


def test_actions(apps: Apps) -> None:
    app = apps("acts")
    app.create({"a.yaml": connector("acts-a"), "s.yaml": connector("acts-s", "suspend: true")})
    app.wait("Synced", "Suspended")
    assert app.actions("acts-a") == {"restart": True, "reconcile": True}
    for action, key, handled in (
        ("restart", RESTART, "lastHandledRestart"),
        ("reconcile", RECONCILE, "lastHandledReconcile"),
    ):
        app.act("acts-a", action)

        def check(key: str = key, handled: str = handled) -> bool:
            found = app.object("acts-a") or {}
            asked = found["metadata"].get("annotations", {}).get(key)
            return asked is not None and found["status"].get(handled) == asked

        wait_until(f"{action} to be handled", check, TIMEOUT)
    app.refresh("hard")
    app.wait("Synced", "Suspended")


def test_waves(apps: Apps) -> None:
    """A Degraded object fails the sync, and the next wave waits until everything in this one is Healthy."""

    def wave(number: int) -> dict[str, str]:
        return {"argocd.argoproj.io/sync-wave": str(number)}

    app = apps("waves")
    app.create({
        "a.yaml": connector("waves-a", config=INVALID, annotations=wave(1)),
        "o.yaml": offsets("waves-o", "waves-a", annotations=wave(2)),
        "s.yaml": connector("waves-s", "suspend: true", annotations=wave(3)),
    })  # fmt: skip
    app.wait_sync("Failed", "Error")
    assert app.object("waves-o", "lco") is None
    app.commit({"a.yaml": connector("waves-a", annotations=wave(1))})
    app.wait("Synced", "Suspended")
    made = [app.object(name, kind) or {} for name, kind in (("waves-a", "lc"), ("waves-o", "lco"), ("waves-s", "lc"))]
    assert [one["metadata"]["creationTimestamp"] for one in made] == sorted(
        one["metadata"]["creationTimestamp"] for one in made
    )


def test_self_heal_puts_back_what_git_names_and_leaves_the_rest(apps: Apps) -> None:
    app = apps("heal")
    app.create({
        "a.yaml": connector("heal-a", "state: running", "suspend: false"),
        "b.yaml": connector("heal-b"),
    })  # fmt: skip
    app.wait("Synced", "Healthy")
    app.cluster.patch("heal", "heal-b", {"state": "paused", "suspend": True})
    app.wait_health("heal-b", "Suspended")
    app.cluster.patch("heal", "heal-a", {"state": "paused", "suspend": True})
    wait_until(
        "heal-a to be put back",
        lambda: (app.spec("heal-a")["state"], app.spec("heal-a")["suspend"]) == ("running", False),
        TIMEOUT,
    )
    app.refresh("hard")
    app.wait("Synced", "Suspended", synced=False)
    assert (app.spec("heal-b")["state"], app.spec("heal-b")["suspend"]) == ("paused", True)


def test_argo_cd_forces_conflicts(apps: Apps) -> None:
    """What another manager owns and Git names is taken over without a word."""
    app = apps("owned")
    app.create({"a.yaml": connector("owned-a")})
    app.wait("Synced", "Healthy")
    kube = app.cluster.kube
    theirs = {"file": "/theirs"}
    body = {
        "apiVersion": "connect.lenses.io/v1alpha1",
        "kind": "LensesConnector",
        "metadata": {"name": "owned-a", "namespace": "owned"},
        "spec": {"config": theirs},
    }
    kube.apply(body, field_manager="somebody")
    wait_until("owned-a to be taken over", lambda: app.spec("owned-a")["config"]["file"] == "/dev/null", TIMEOUT)
    app.wait("Synced", "Healthy", synced=False)


REFUSED = {
    "unchangeable": ("cannot be changed", {"cluster": "other"}),
    "schema": ("spec.config", {"config": {"errors.retry.timeout": "1.5"}}),
}


@pytest.mark.parametrize(("about", "changed"), REFUSED.values(), ids=REFUSED.keys())
def test_server_side_apply_cannot_compare_a_refused_object(apps: Apps, about: str, changed: dict[str, str]) -> None:
    """Force=true does not help. What of the commit is synced meanwhile is left to chance, so nothing is said of it."""
    name = "stop" if "cluster" in changed else "float"
    app = apps(name)
    app.create({"a.yaml": connector(f"{name}-a"), "b.yaml": connector(f"{name}-b")})
    app.wait("Synced", "Healthy")
    before = app.spec(f"{name}-a")
    for force in (None, {"argocd.argoproj.io/sync-options": "Force=true"}):
        app.commit({
            "a.yaml": connector(f"{name}-a", annotations=force, **changed),  # type: ignore[arg-type]
            "b.yaml": connector(f"{name}-b", config={"batch.size": "9"}),
        })  # fmt: skip
        app.wait_condition(about)
        assert app.spec(f"{name}-a") == before
    app.commit({"a.yaml": connector(f"{name}-a")})
    app.wait("Synced", "Healthy", synced=False)
    assert app.spec(f"{name}-b")["config"]["batch.size"] == 9


def test_client_side_apply_goes_on_beside_a_refused_object(apps: Apps) -> None:
    app = apps("beside", ())
    app.create({"a.yaml": connector("beside-a"), "b.yaml": connector("beside-b")})
    app.wait("Synced", "Healthy")
    app.commit({"a.yaml": connector("beside-a", cluster="other"), "c.yaml": connector("beside-c")})
    app.wait_sync("Failed", "Error")
    assert app.object("beside-c") is not None
    forced = {"argocd.argoproj.io/sync-options": "Force=true,Replace=true"}
    app.commit({"a.yaml": connector("beside-a", "name: beside-other", annotations=forced)})
    app.wait("Synced", "Healthy")
    app.cluster.wait_connectors(["beside-other", "beside-b", "beside-c"], absent=["beside-a"])


def test_integers_beyond_2_53(apps: Apps) -> None:
    """They arrive whole and stay OutOfSync; quoted, they do not. The actions would write them back rounded."""
    app = apps("long")
    app.create({"a.yaml": connector("long-a", config={"errors.retry.timeout": str(LONG)})})
    app.wait_sync("Succeeded")
    app.refresh("hard")
    app.wait("OutOfSync", "Healthy", synced=False)
    assert app.spec("long-a")["config"]["errors.retry.timeout"] == LONG
    assert app.actions("long-a") == {"restart": False, "reconcile": False}
    with pytest.raises(httpx.HTTPStatusError):
        app.act("long-a", "reconcile")
    assert app.spec("long-a")["config"]["errors.retry.timeout"] == LONG
    app.commit({"a.yaml": connector("long-a", config={"errors.retry.timeout": f'"{LONG}"'})})
    app.wait("Synced", "Healthy")


def test_replace(apps: Apps) -> None:
    """The same object, its finalizer back, and nothing changed in Lenses."""
    app = apps("whole")
    app.create({"a.yaml": connector("whole-a")})
    app.wait("Synced", "Healthy")
    before = app.object("whole-a")
    assert before is not None
    since = app.cluster.control.requests("demo")[-1]["seq"]
    replaced = {"argocd.argoproj.io/sync-options": "Replace=true"}
    app.commit({"a.yaml": connector("whole-a", "autoRestart: {enabled: true}", annotations=replaced)})
    app.wait("Synced", "Healthy")

    def check() -> bool:
        found = app.object("whole-a") or {"metadata": {}}
        return (
            FINALIZER in found["metadata"].get("finalizers", [])
            and found["metadata"]["uid"] == before["metadata"]["uid"]
        )

    wait_until("the finalizer", check, TIMEOUT)
    changing = {"CreateConnector", "DeleteConnector", "ConnectorState", "PutResource"}
    asked = app.cluster.control.requests("demo", sorted(changing), "whole-a", since)
    assert asked == []
