"""What a start does not import."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from harness.paths import ROOT
from harness.waiting import HANG

SHOW = """
import json, pkgutil, sys
import lenses_operator
for name in {names}:
    __import__(name)  # none is __main__, which would run
lines = open("/proc/self/status").read().splitlines()
resident = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
print(json.dumps([resident / 1024, [name for name, module in sys.modules.items() if module is not None]]))
"""
EVERY = (
    "[one.name for one in pkgutil.walk_packages(lenses_operator.__path__, 'lenses_operator.') if one.name[-2:] != '__']"
)
LARGEST = 75
"""MiB after the imports of `run`; it was 62 when this was written, and 102 before anything was left out."""
NEVER = re.compile(
    r"(requests|oauthlib|requests_oauthlib|websocket|google|kubernetes_asyncio|pykube)(\.|$)|httpx\._main$"
)


def imported(names: str) -> tuple[float, set[str]]:
    """Resident MiB, and the modules that are there, after importing what is named."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW.format(names=names)], capture_output=True, text=True, timeout=HANG, check=True
    )
    resident, modules = json.loads(done.stdout)
    return resident, set(modules)


def removed() -> list[re.Pattern[str]]:
    """The modules that the image does not hold, as the Dockerfile removes them."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    loop = re.search(r"for part in ([\w/ ]+);", text)
    models = re.search(r"find \S+/kubernetes/([\w/]+) -type f ! -name __init__.py -delete", text)
    assert loop is not None
    assert models is not None
    whole = "|".join(re.escape(part.replace("/", ".")) for part in loop[1].split())
    return [re.compile(rf"kubernetes\.({whole})(\.|$)"), re.compile(rf"kubernetes\.{models[1].replace('/', '[.]')}\.")]


@pytest.mark.parametrize("names", ["['lenses_operator.app']", EVERY], ids=["run", "every-module"])
def test_nothing_is_imported_that_the_image_lacks(names: str) -> None:
    patterns = [*removed(), NEVER]
    _, modules = imported(names)
    assert not [name for name in modules if any(pattern.match(name) for pattern in patterns)]
    assert {"kubernetes.aio.client.api_client", "kubernetes.aio.config"} <= modules


def test_a_start_stays_small() -> None:
    resident, modules = imported("['lenses_operator.app']")
    assert resident < LARGEST
    assert not [name for name in modules if name.startswith(("rich", "lenses_operator.commands", "jsonschema"))]


def test_a_command_imports_no_more_than_the_operator() -> None:
    """`doctor` runs beside the operator, in the same container and below the same limit."""
    _, modules = imported("['lenses_operator.cli', 'lenses_operator.commands.doctor']")
    assert not [name for name in modules if name.startswith(("kopf", "lenses_operator.controllers"))]


OWN_CONTEXT = """
import lenses_operator.kube.connection, lenses_operator.lenses.transport, json, ssl
import kubernetes.aio.client as client
import aiohttp.connector
own = aiohttp.connector._SSL_CONTEXT_VERIFIED
print(json.dumps([
    own.get_ca_certs(), own.verify_mode == ssl.CERT_REQUIRED and own.check_hostname,
    bool(lenses_operator.lenses.transport.trust(None).get_ca_certs()), client.ApiClient.__name__,
    __import__("dateutil.parser").parser.parse("2026-01-01T00:00:00Z").isoformat(),
]))
"""


def test_what_is_left_out_fails_closed_or_is_found_when_it_is_asked_for() -> None:
    """aiohttp's context for whoever gives it none trusts nobody, and checks; contexts made later are whole."""
    done = subprocess.run([sys.executable, "-c", OWN_CONTEXT], capture_output=True, text=True, timeout=HANG, check=True)
    assert json.loads(done.stdout) == [[], True, True, "ApiClient", "2026-01-01T00:00:00+00:00"]
