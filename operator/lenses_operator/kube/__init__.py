"""Everything that talks to the Kubernetes API."""

from lenses_operator.spare import aiohttp_without_authorities

aiohttp_without_authorities()
