"""As many connectors over more Connect clusters, and over more tokens of which each sees its own part."""

from __future__ import annotations

from bench.ground import Dimension, Ground
from bench.objects import manifest, secret
from bench.scenarios import NAMESPACE
from bench.stage import ENVIRONMENT, MEMORY

TOKEN_KEY = "token"


async def _clusters(ground: Ground) -> None:
    for number in range(ground.size):
        ground.bench.stage.control.add_cluster(ENVIRONMENT, f"cluster-{number}", MEMORY)
    await ground.create(
        [
            manifest(NAMESPACE, ENVIRONMENT, f"connector-{number}", {"cluster": f"cluster-{number % ground.size}"})
            for number in range(ground.options.connectors)
        ]
    )
    await ground.steady()


async def _tokens(ground: Ground) -> None:
    for number in range(ground.size):
        token = f"bench-token-{number}"
        ground.bench.stage.control.add_token(token, name=f"team-{number}", connectors=[f"team-{number}-*"])
        await ground.bench.objects.apply(secret(NAMESPACE, f"team-{number}", token=token))
    wanted = []
    for number in range(ground.options.connectors):
        team = f"team-{number % ground.size}"
        more = {"tokenSecretRef": {"name": team, "key": TOKEN_KEY}}
        wanted.append(manifest(NAMESPACE, ENVIRONMENT, f"{team}-connector-{number}", more))
    await ground.create(wanted)
    await ground.steady()


CLUSTERS = Dimension("clusters", "Connect clusters", (1, 10, 50), _clusters)
TOKENS = Dimension("tokens", "tokens", (1, 20, 100), _tokens)
