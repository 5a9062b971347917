"""Many Secrets that rotate at once, offsets operations one after the other, and a policy of many rules."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

from bench.ground import Dimension, Ground
from bench.objects import OFFSETS, alteration, manifest, secret
from bench.scenarios import LONG, NAMESPACE
from bench.stage import ENVIRONMENT

PASSWORD = "connection.password"


async def _secrets(ground: Ground) -> None:
    """Each with a connector of its own."""
    bench = ground.bench
    names = [f"connector-{number}" for number in range(ground.size)]
    source = [{"key": PASSWORD, "secretKeyRef": {"name": "", "key": "password"}}]

    async def rotate(turn: str) -> None:
        await bench.objects.apply_all([secret(NAMESPACE, name, password=f"{turn} of {name}") for name in names])

    def referring(name: str) -> Mapping[str, object]:
        return {"configFrom": [{**one, "secretKeyRef": {"name": name, "key": "password"}} for one in source]}

    await rotate("first")
    await ground.create([manifest(NAMESPACE, ENVIRONMENT, name, referring(name)) for name in names])
    await ground.steady()
    before = dict(bench.seen.applied)
    async with ground.phase("all rotate", "Secret", len(names)):
        await rotate("second")
        await bench.seen.until(
            names, lambda name: bench.seen.applied[name] != before[name] and bench.seen.reason[name] == "Running", LONG
        )


async def _operations(ground: Ground) -> None:
    """Each about a connector of its own."""
    names = await ground.create(
        [manifest(NAMESPACE, ENVIRONMENT, f"connector-{number}") for number in range(ground.size)]
    )
    await ground.steady()
    async with (
        ground.bench.objects.watched(NAMESPACE, OFFSETS) as seen,
        ground.phase("offsets operations", "operation", len(names)),
    ):
        for name in names:
            partition = {"filename": f"/data/{name}.txt"}
            await ground.bench.objects.apply(alteration(NAMESPACE, name, partition, {"position": 7}))
            await asyncio.sleep(ground.options.every)
        await seen.all_ready(names, LONG)


def _rules(size: int) -> str:
    """Only the last of them matches."""
    others = [{"namespaces": [f"team-{number}", f"team-{number}-*"]} for number in range(size - 1)]
    return json.dumps({"rules": [*others, {"namespaces": [NAMESPACE], "connectors": ["connector-*"]}]})


def _policy_file(folder: Path) -> Path:
    return folder / "policy.yaml"


def _with_policy(folder: Path, size: int) -> Mapping[str, str]:
    path = _policy_file(folder)
    path.write_text(_rules(size))
    return {"POLICY_FILE": str(path)}


async def _policy(ground: Ground) -> None:
    count: int = ground.options.connectors
    await ground.create([manifest(NAMESPACE, ENVIRONMENT, f"connector-{number}") for number in range(count)])
    await ground.steady()
    passes = (await asyncio.to_thread(ground.ours.work)).passes
    async with ground.phase("the policy changes", "connector", count):
        _policy_file(ground.folder).write_text(_rules(ground.size + 1))
        await ground.until(lambda: ground.ours.work().done(passes + count), "not every connector was looked at again")


SECRETS = Dimension("secrets", "Secrets", (20, 200), _secrets, lambda _folder, _size: {"WATCH_REFERENCES": "true"})
OPERATIONS = Dimension("operations", "offsets operations", (50, 500), _operations)
POLICY = Dimension("policy", "rules", (1, 50, 500), _policy, _with_policy)
