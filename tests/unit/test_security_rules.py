"""What no module of the operator may do, and the only places where connections are opened.

Ruff's rules `S` (bandit's) look at the same code; these add what they leave out, and fail where a new place comes up.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

import pytest

from harness.paths import ROOT

PACKAGE = ROOT / "operator" / "lenses_operator"
MODULES = [str(path.relative_to(PACKAGE)) for path in sorted(PACKAGE.rglob("*.py"))]

IMPORTS = frozenset(
    [
        "pickle",
        "marshal",
        "shelve",
        "dill",
        "subprocess",
        "multiprocessing",
        "ctypes",
        "pty",
        "code",
        "requests",
        "urllib3",
        "websocket",
        "ftplib",
        "smtplib",
        "poplib",
        "imaplib",
        "nntplib",
        "telnetlib",
        "xmlrpc",
        "http.client",
        "urllib.request",
        "xml",
        "jinja2",
    ]
)
CALLS = frozenset(
    [
        "eval",
        "exec",
        "compile",
        "__import__",
        "os.system",
        "os.popen",
        "os.execv",
        "os.spawnv",
        "tempfile.mktemp",
        "yaml.load",
        "yaml.load_all",
        "yaml.unsafe_load",
        "yaml.unsafe_load_all",
        "yaml.full_load",
        "yaml.full_load_all",
        "ssl._create_unverified_context",
        "yaml.Loader",
        "yaml.UnsafeLoader",
        "yaml.FullLoader",
    ]
)
OPENS = {
    "httpx.AsyncClient": {"lenses/probe.py": 1},
    "Connections": {"lenses/transport.py": 1},
    "ssl.create_default_context": {"lenses/transport.py": 1},
    "asyncio.open_connection": {"lenses/probe.py": 2},
    "DeepClient": {"kube/connection.py": 1},
    "ClientSession": {"kube/watch_session.py": 1, "lenses/connections.py": 1},
    "TCPConnector": {"kube/watch_session.py": 1, "lenses/connections.py": 1},
    "watching": {"handlers.py": 1},
    "kopf.operator": {"handlers.py": 1},
    "loop.create_server": {"observability/health.py": 1},
}
"""What opens or accepts a connection, and how often each module does. docs/threat-model.md names the tests of each."""
ALSO_OPENS = ("httpx.", "aiohttp.Client", "asyncio.start_", "asyncio.open_", "ssl.create", "ssl.SSLContext")
SOCKETS = (
    "ClientSession",
    "AsyncClient",
    "TCPConnector",
    "create_connection",
    "create_server",
    "create_datagram_endpoint",
    "sock_connect",
    "TCPSite",
    "UnixSite",
)
HARMLESS = frozenset(
    {"httpx.URL", "httpx.Request", "httpx.Response", "httpx.Proxy", "httpx.ProxyError", "httpx.Timeout"}
)


@cache
def tree_of(module: str) -> ast.Module:
    """Parsed by the worker that runs these tests, and by none that only collects them."""
    return ast.parse((PACKAGE / module).read_text())


def calls() -> Iterator[tuple[str, ast.Call]]:
    for module in MODULES:
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.Call):
                yield module, node


def test_there_is_something_to_look_at() -> None:
    assert len(MODULES) > 100


@pytest.mark.parametrize("module", MODULES)
def test_no_module_that_runs_what_it_is_given_or_talks_past_our_clients(module: str) -> None:
    for node in ast.walk(tree_of(module)):
        names = []
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        if isinstance(node, ast.ImportFrom):
            names = [str(node.module), *(f"{node.module}.{one.name}" for one in node.names)]
        for name in names:
            parents = {name, name.partition(".")[0]}
            assert not parents & IMPORTS, f"{module} imports {name}"
        if isinstance(node, ast.Call | ast.Attribute):
            said = ast.unparse(node.func if isinstance(node, ast.Call) else node)
            assert said not in CALLS, f"{module}: {said}"


def _opens(name: str) -> bool:
    if name in HARMLESS:
        return False
    return name in OPENS or name.startswith(ALSO_OPENS) or name.rpartition(".")[2] in SOCKETS


def test_connections_are_opened_in_the_places_known_and_in_no_other() -> None:
    found: dict[str, dict[str, int]] = {}
    patterns = {
        module: {ast.unparse(one.cls) for one in ast.walk(tree_of(module)) if isinstance(one, ast.MatchClass)}
        for module in MODULES
    }
    for module, call in calls():
        name = ast.unparse(call.func)
        if _opens(name) and name not in patterns[module]:
            found.setdefault(name, {}).setdefault(module, 0)
            found[name][module] += 1
    assert found == OPENS


def test_our_clients_follow_no_redirects_and_no_environment() -> None:
    for module, call in calls():
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        name = ast.unparse(call.func)
        if name in {"httpx.AsyncClient", "httpx.AsyncHTTPTransport"}:
            assert given["trust_env"] == "False", module
        if name == "ClientSession":
            assert given["trust_env"] == "False", module
        if name == "httpx.AsyncClient":
            assert given["follow_redirects"] == "False", module


def test_certificates_are_never_not_checked() -> None:
    for module in MODULES:
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"CERT_NONE", "CERT_OPTIONAL", "verify_mode", "check_hostname"}, module
            if isinstance(node, ast.keyword) and node.arg in {"verify", "verify_ssl", "ssl", "insecure"}:
                handed_on = module in ("lenses/connections.py", "kube/watch_session.py")
                assert ast.unparse(node.value) == ("context" if handed_on else "trust(ca_file)"), module
    given = [ast.unparse(call.args[0]) for _, call in calls() if ast.unparse(call.func) == "watching"]
    assert given == ["info.as_ssl_context()"], "the context that kube/watch_session.py is given: kopf's own"
    given = [ast.unparse(call.args[0]) for _, call in calls() if ast.unparse(call.func) == "Connections"]
    assert given == ["trust(ca_file)"], "the context that lenses/connections.py is given"
