"""Status and finalizer: conditional, whole, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from lenses_operator.kube.api import KubeError
from lenses_operator.kube.writer import TRIES, Writer
from lenses_operator.resources.base import FINALIZER
from lenses_operator.resources.connector import ConnectorStatus, LensesConnector
from unit.kube.fakes import OUTDATED, REFUSED, FakeApi
from unit.resources.make import body, resource

STATUS = ConnectorStatus(observed_generation=3, state="RUNNING")
BEFORE: dict[str, tuple[str, ...]] = {"add": (), "remove": (FINALIZER,)}


class Rig:
    def __init__(self, **changes: Any) -> None:
        self.api = FakeApi()
        self.api.hold(body(**changes))
        self.writer = Writer(self.api.as_api())

    async def change(self, verb: str, **changes: Any) -> LensesConnector | None:
        """Of an object whose finalizers are as they were before."""
        call = self.writer.add_finalizer if verb == "add" else self.writer.remove_finalizer
        return await call(resource(finalizers=BEFORE[verb], **changes))

    def meta(self) -> dict[str, Any]:
        found: dict[str, Any] = self.api.objects["payments", "orders"]["metadata"]
        return found


async def test_status_is_written_whole_in_one_patch_of_the_subresource() -> None:
    rig = Rig(status={"state": "OLD", "version": "old"})
    after = await rig.writer.write_status(resource(), STATUS)
    assert rig.api.patches == [
        (
            [
                {"op": "test", "path": "/metadata/uid", "value": "uid-1"},
                {"op": "add", "path": "/status", "value": {"observedGeneration": 3, "state": "RUNNING"}},
            ],
            True,
        )
    ]
    assert after is not None
    assert after.status == STATUS


async def test_a_new_object_of_the_name_never_gets_an_old_ones_status() -> None:
    rig = Rig(uid="uid-2")
    assert await rig.writer.write_status(resource(), STATUS) is None
    assert "status" not in rig.api.objects["payments", "orders"]


async def test_status_of_an_object_that_is_gone() -> None:
    rig = Rig()
    rig.api.objects.clear()
    assert await rig.writer.write_status(resource(), STATUS) is None


@pytest.mark.parametrize("failure", [REFUSED, OUTDATED, KubeError("patch", 0, "no answer")])
async def test_any_other_failure_of_a_status_is_raised(failure: KubeError) -> None:
    rig = Rig()
    rig.api.fail("patch", failure)
    with pytest.raises(KubeError) as raised:
        await rig.writer.write_status(resource(), STATUS)
    assert raised.value is failure


async def test_the_finalizer_is_added_beside_others_under_a_test_of_uid_and_version() -> None:
    rig = Rig(finalizers=("other/one",), version=5)
    after = await rig.writer.add_finalizer(resource(finalizers=("other/one",), version=5))
    assert rig.api.patches == [
        (
            [
                {"op": "test", "path": "/metadata/resourceVersion", "value": "5"},
                {"op": "test", "path": "/metadata/uid", "value": "uid-1"},
                {"op": "add", "path": "/metadata/finalizers", "value": ["other/one", FINALIZER]},
            ],
            False,
        )
    ]
    assert after is not None
    assert after.metadata.finalizers == ("other/one", FINALIZER)


async def test_one_that_is_there_already_is_not_written() -> None:
    rig = Rig()
    assert await rig.writer.add_finalizer(resource()) == resource()
    assert rig.api.patches == []


async def test_none_is_taken_off_that_is_not_there() -> None:
    rig = Rig(finalizers=())
    after = await rig.writer.remove_finalizer(resource(finalizers=()))
    assert after is not None
    assert rig.api.patches == []


@pytest.mark.parametrize("verb", ["add", "remove"])
async def test_a_conflict_is_read_again_and_others_finalizers_survive(verb: str) -> None:
    rig = Rig(version=5, finalizers=BEFORE[verb])

    def meddle() -> None:
        rig.api.before_patch = lambda: None
        rig.api.hold(body(version=6, finalizers=("other/one", *BEFORE[verb])))

    rig.api.before_patch = meddle
    after = await rig.change(verb, version=5)
    assert after is not None
    assert after.metadata.finalizers == (("other/one", FINALIZER) if verb == "add" else ("other/one",))
    assert len(rig.api.patches) == 2


@pytest.mark.parametrize("seen", [False, True], ids=["only on the server", "also here"])
async def test_no_finalizer_for_an_object_that_is_being_deleted(seen: bool) -> None:
    rig = Rig(version=6, finalizers=("other/one",), deleting=True)
    mine = resource(version=5 + seen, finalizers=("other/one",), deleting=seen)
    assert await rig.writer.add_finalizer(mine) is None
    assert rig.meta()["finalizers"] == ["other/one"]


@pytest.mark.parametrize("verb", ["add", "remove"])
@pytest.mark.parametrize("what", ["gone", "another uid"])
async def test_an_object_that_is_gone_or_another_is_left_alone(verb: str, what: str) -> None:
    rig = Rig(uid="uid-2", finalizers=BEFORE[verb])
    if what == "gone":
        rig.api.objects.clear()
    assert await rig.change(verb) is None
    if what != "gone":
        assert rig.meta()["finalizers"] == list(BEFORE[verb])


@pytest.mark.parametrize("verb", ["add", "remove"])
async def test_an_object_that_keeps_changing_is_given_up_for_now(verb: str) -> None:
    rig = Rig(finalizers=BEFORE[verb])
    rig.api.always("patch", OUTDATED)
    with pytest.raises(KubeError, match="keeps changing"):
        await rig.change(verb)
    assert len(rig.api.patches) == TRIES


@pytest.mark.parametrize("verb", ["add", "remove"])
async def test_any_other_failure_of_a_finalizer_is_raised_at_once(verb: str) -> None:
    rig = Rig(finalizers=BEFORE[verb])
    rig.api.always("patch", REFUSED)
    with pytest.raises(KubeError):
        await rig.change(verb)
    assert len(rig.api.patches) == 1


async def test_current_is_the_object_of_this_uid() -> None:
    rig = Rig(version=9)
    found = await rig.writer.current(resource())
    assert found is not None
    assert found.metadata.resource_version == "9"
    assert await rig.writer.current(resource(uid="uid-2")) is None
    assert await rig.writer.current(resource("other")) is None


async def test_of_an_object_that_does_not_fit_only_what_is_said_is_written() -> None:
    kept = {"ownership": {"state": "Lent"}, "state": "RUNNING", "ofAnotherVersion": [1]}
    rig = Rig(status=kept, environment=5)
    found = await rig.writer.current(resource())
    assert found is not None
    assert found.schema_mismatch is not None
    after = await rig.writer.write_status(found, STATUS)
    assert rig.api.patches[-1][0][-1]["value"] == kept | {"observedGeneration": 3}
    assert after is not None
    assert after.schema_mismatch == found.schema_mismatch.model_copy(
        update={"status": kept | {"observedGeneration": 3}}
    )


@pytest.mark.parametrize("present", [True, False])
async def test_the_finalizer_of_one_that_ceased_to_fit_meanwhile(present: bool) -> None:
    rig = Rig(version=2, finalizers=() if present else (FINALIZER,), tasksMax="many")
    held = resource(finalizers=() if present else (FINALIZER,))
    after = await (rig.writer.add_finalizer if present else rig.writer.remove_finalizer)(held)
    assert after is not None
    assert after.metadata.has_finalizer is present
