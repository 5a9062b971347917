"""From a GET's bytes through `before` and the restored YAML to a PATCH's bytes: the very same ones."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.wanted import always
from lenses_operator.domain.offsets_before import before_of
from lenses_operator.domain.offsets_text import request_text
from lenses_operator.lenses.client import LensesClient
from lenses_operator.offsets_files.restore import restoring
from unit.lenses.fakes import rig
from unit.offsets.make import operation, spec

TARGET = ("prod", "connect-eu", "orders")
FILE = '{"filename": "/data/orders"}'
TEXTS = [
    f'[{{"partition":{FILE},"offset":{{"transaction_id":null,"pos":4,"x":1.0,"t":1.7412e12}}}}]',
    f'[ {{ "offset" : {{"n": 123456789012345678901234567890, "e": 1E-7}}, "partition" : {FILE} }} ]',
    f'[{{"partition":{FILE},"offset":{{"s":"\\u2028 \\ud83d\\ude00 é 😀 \\" \\\\ \\/ \u2028 \x85 \ufeff \x7f"}}}}]',
    f'[\n\t{{"partition":{FILE},\r\n"offset":{{"deep":[[],{{}},[null,false,-0.0]]}}}}\n]',
]


async def there_and_back(text: str) -> tuple[str, str]:
    """The bodies of the first operation's read and of the restoring PATCH."""

    def answers(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, content=f'{{"offsets":{text}}}'.encode())
        return httpx.Response(200, json={"message": "done"})

    lenses = rig(answers)
    client: LensesClient = lenses.client
    read = await client.get_offsets(*TARGET)
    kept = before_of(read.text)
    status = {"observedGeneration": 1, "beforeGeneration": 1, "before": kept.plain}
    [found] = yaml.safe_load_all(restoring(operation(status=status)))
    asked = request_text(spec(**found["spec"]))
    assert asked is not None
    await client.alter_offsets(*TARGET, asked, precondition=always)
    return f'{{"offsets":{text}}}', lenses.last.content.decode()


@pytest.mark.parametrize("text", TEXTS)
async def test_the_same_bytes(text: str) -> None:
    read, written = await there_and_back(text)
    assert written == read


@given(
    st.dictionaries(st.text(max_size=5), st.text() | st.floats(allow_nan=False, allow_infinity=False) | st.integers())
)
def test_the_same_bytes_whatever_they_are(offset: dict[str, Any]) -> None:
    import asyncio

    entries = [{"partition": json.loads(FILE), "offset": offset}]
    for ascii_only in (True, False):
        read, written = asyncio.run(there_and_back(json.dumps(entries, ensure_ascii=ascii_only)))
        assert written == read
