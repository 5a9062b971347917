"""Whatever a Secret or ConfigMap holds: it is sent to the letter, or told of by name and key, and nobody waits."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from lenses_operator.domain.references import RefData, ReferenceNotFound, RefName
from lenses_operator.kube.references import data_of
from unit.controllers.fakes import KEY, RUNNING, Operator, operator
from unit.controllers.virtualtime import virtual_time
from unit.resources.make import SENT

PLANTED = b"planted"
SECRET = RefName("Secret", "settings")
MEBIBYTE = 1024 * 1024
WHOLE: dict[str, Any] = {"configFrom": [{"secretRef": {"name": "settings"}}]}
ONE: dict[str, Any] = {"configFrom": [{"key": "password", "secretKeyRef": {"name": "settings", "key": "k"}}]}
TOKEN: dict[str, Any] = {"tokenSecretRef": {"name": "settings", "key": "k"}}

BAD: dict[str, tuple[dict[str, Any], dict[str, bytes] | None, str]] = {
    "whole: binary": (WHOLE, {"k": PLANTED + b"\xff\xfe\x00"}, "ConfigInvalid"),
    "whole: binary of a mebibyte": (WHOLE, {"k": (PLANTED + b"\x80") * (MEBIBYTE // 8)}, "ConfigInvalid"),
    "whole: half a surrogate": (WHOLE, {"k": PLANTED + b"\xed\xa0\x80"}, "ConfigInvalid"),
    "whole: none": (WHOLE, None, "ReferenceNotFound"),
    "whole: a file": (WHOLE, {"k": b'{"connector.class": "planted"}'}, "ConfigInvalid"),
    "whole: a file of a mebibyte": (
        WHOLE,
        {"k": b"a=planted\n" * (MEBIBYTE // 11) + b"connector.class=x"},
        "ConfigInvalid",
    ),
    "whole: reserved": (WHOLE, {"tasks.max": PLANTED}, "ConfigInvalid"),
    "one: binary": (ONE, {"k": PLANTED + b"\xff"}, "ConfigInvalid"),
    "one: no such key": (ONE, {"K": PLANTED, "k ": PLANTED}, "ReferenceNotFound"),
    "one: empty data": (ONE, {}, "ReferenceNotFound"),
    "one: none": (ONE, None, "ReferenceNotFound"),
    "token: none": (TOKEN, None, "ReferenceNotFound"),
    "token: empty data": (TOKEN, {}, "ReferenceNotFound"),
    "token: empty": (TOKEN, {"k": b""}, "ConfigInvalid"),
    "token: white space": (TOKEN, {"k": b" \r\n\t"}, "ConfigInvalid"),
    "token: a header of its own": (TOKEN, {"k": PLANTED + b"\r\nX-Evil: planted"}, "ConfigInvalid"),
    "token: two words": (TOKEN, {"k": PLANTED + b" " + PLANTED}, "ConfigInvalid"),
    "token: not ASCII": (TOKEN, {"k": "planted-é".encode()}, "ConfigInvalid"),
    "token: binary": (TOKEN, {"k": PLANTED + b"\xff\x00"}, "ConfigInvalid"),
    "token: NUL": (TOKEN, {"k": PLANTED + b"\0"}, "ConfigInvalid"),
    "token: a mebibyte": (TOKEN, {"k": PLANTED * (MEBIBYTE // 7)}, "ConfigInvalid"),
}
GOOD: dict[str, tuple[dict[str, Any], dict[str, bytes]]] = {
    "empty data": (WHOLE, {}),
    "an empty value": (WHOLE, {"a": b""}),
    "a newline at the end": (WHOLE, {"a": b"x\n"}),
    "CR and LF, NUL, escapes": (WHOLE, {"a": b"\r\n\0\x1b[31m"}),
    "an empty value of one key": (ONE, {"k": b""}),
    "a mebibyte": (WHOLE, {"a": b"x" * MEBIBYTE}),
    "many keys": (WHOLE, {f"key.{number}": b"v%d" % number for number in range(3_000)}),
    "odd keys": (WHOLE, {"..a": b"1", "-": b"2", "A_b": b"3", "x" * 253: b"4", "0": b"5"}),
}


def put(op: Operator, data: dict[str, bytes] | None) -> None:
    if data is not None:
        op.kube.references["payments", SECRET] = RefData("7", data)


@pytest.mark.parametrize("case", BAD)
@virtual_time
async def test_it_is_told_by_name_and_key_and_nothing_is_sent(case: str) -> None:
    spec, data, reason = BAD[case]
    async with operator() as op:
        put(op, data)
        op.kube.apply(**spec)
        await op.applies("good", seconds=60)
        assert op.said("good") == RUNNING
        assert op.said() == ("False", reason, "None")
        words = op.message()
        assert "Secret settings" in words
        if data is not None:
            assert "'tasks.max'" in words or "'k'" in words
        assert "planted" not in words + "".join(event.message for event in op.events)
        assert len(words) < 500
        assert not [call for call in op.lenses.calls if "orders" in call]
        assert len([event for event in op.events if event.reason == reason]) == 1
        passes = op.passes.count(KEY)
        await asyncio.sleep(600)
        assert op.passes.count(KEY) - passes < 20  # looked for once a minute


@pytest.mark.parametrize("case", GOOD)
@virtual_time
async def test_it_is_sent_to_the_letter(case: str) -> None:
    spec, data = GOOD[case]
    async with operator() as op:
        put(op, data)
        op.kube.apply(**spec)
        await op.applies("good", seconds=60)
        assert op.said("good") == op.said() == RUNNING
        wanted = {"password" if spec is ONE else key: value.decode() for key, value in data.items()}
        assert op.held.config == wanted | SENT


@virtual_time
async def test_a_bad_value_that_comes_later_leaves_the_connector_as_it_is() -> None:
    async with operator(drift=40) as op:
        put(op, {"k": b"one"})
        await op.applies(seconds=60, **ONE)
        assert op.said() == RUNNING
        op.lenses.calls.clear()
        put(op, {"k": b"\xff"})
        await asyncio.sleep(120)
        assert op.said() == ("False", "ConfigInvalid", "Owned")
        put(op, None)
        op.kube.references.clear()
        await asyncio.sleep(120)
        assert op.said() == ("False", "ReferenceNotFound", "Owned")
        assert op.lenses.asked("delete_connector", "create_connector", "set_state") == []
        put(op, {"k": b"one"})
        await asyncio.sleep(120)
        assert op.said() == RUNNING
        assert op.lenses.asked("delete_connector", "create_connector", "set_state") == []


def answer(kind: str, **parts: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "settings", "resourceVersion": "7"}, **parts}


@pytest.mark.parametrize("value", ["planted!", "a", "YQ", "====", "YQ==\n\x00", "é", "WQ=="[:-1]])
@pytest.mark.parametrize(("kind", "part"), [("Secret", "data"), ("ConfigMap", "binaryData")])
def test_what_is_no_base64(kind: str, part: str, value: str) -> None:
    with pytest.raises(ReferenceNotFound, match=f"^Key 'k' of {kind} settings ") as caught:
        data_of(answer(kind, **{part: {"good": "YQ==", "k": value}}))
    assert "planted" not in str(caught.value)


def test_raw_answers() -> None:
    raw = bytes(range(256))
    encoded = base64.b64encode(raw).decode()
    assert data_of(answer("Secret", data={"a": encoded, "b": "", "c": None})).data == {"a": raw, "b": b"", "c": b""}
    both = answer("ConfigMap", data={"a": "é", "n": None}, binaryData={"b": encoded})
    assert data_of(both).data == {"a": "é".encode(), "b": raw, "n": b""}
    for parts in ({}, {"data": None}, {"data": {}, "type": "kubernetes.io/tls"}, {"immutable": True}):
        assert data_of(answer("Secret", **parts)).data == {}
