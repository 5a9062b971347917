"""`lenses-operator doctor` against a Lenses that has something: each fault is named, with what to do."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.lenses.environment import LensesEnv
from harness.lenses.operations import CHANGING
from harness.listener import Handler
from harness.waiting import wait_until
from integration.commands.support import Checks, CommandLine
from integration.lenses_client.wire import Authority, listener, read_request

CLASS = "org.apache.kafka.connect.file.FileStreamSourceConnector"


@pytest.fixture
def line(lenses_env: LensesEnv, tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path, lenses_env.url, lenses_env.token)


def look(line: CommandLine, env: LensesEnv, **options: Any) -> Checks:
    return line.doctor("--environment", env.name, "--skip-kubernetes", **options)


def _stopped(env: LensesEnv) -> bool:
    found = env.control.get_connector(env.name, "connect", "orders")
    return found is not None and (found["state"], found["tasks"]) == ("STOPPED", [])


def test_everything_as_it_should_be(line: CommandLine, lenses_env: LensesEnv) -> None:
    config = {"name": "orders", "connector.class": CLASS, "file": "/dev/null", "topic": "lines"}
    lenses_env.client().create("connect", "orders", config)
    lenses_env.client().act("connect", "orders", "stop")
    wait_until("orders to stop", lambda: _stopped(lenses_env), 10)
    before = lenses_env.control.get_connector(lenses_env.name, "connect", "orders")
    lenses_env.control.reset(lenses_env.name)
    found = look(line, lenses_env)
    assert (found.code, found.verdicts("failed")) == (0, [])
    assert found.verdicts("warning") == ["TLS"]
    assert found.one("connect: Kafka Connect")["message"] == "4.3.1"
    for check in ("get connector", "get topics", "get offsets", "validate"):
        assert found.one(f"connect: {check}")["verdict"] == "ok"
    tried = lenses_env.control.counts(lenses_env.name)
    assert {"ListConnectors", "GetConnector", "ListPlugins", "ValidateConnector", "GetConnectorTopics"} <= {*tried}
    assert {"GetClusterInfo", "GetConnectorOffsets", "GetEnvironment"} <= {*tried}
    assert not CHANGING & {*tried}
    assert lenses_env.control.get_connector(lenses_env.name, "connect", "orders") == before
    untried = {*found.verdicts("not tried")} - {"environments"}
    assert len(untried) == 6
    assert all("Forbidden" in found.one(check)["remedy"] for check in untried)


def test_what_is_printed_for_people_and_each_call(line: CommandLine, lenses_env: LensesEnv) -> None:
    done = line.run("doctor", "--environment", lenses_env.name, "--skip-kubernetes", "--verbose")
    assert done.code == 0
    assert f"Environment {lenses_env.name}\n" in done.out
    assert done.out.splitlines()[-1].endswith(" not tried")
    assert f"list connectors in {lenses_env.name}: 200, " in done.err


HTML = {"text": "<html><title>Sign in</title></html>", "content_type": "text/html"}
FAULTS = [
    ({"status": 401}, "token", "not accepted (401)", "expired, revoked"),
    ({"status": 402, "shape": "hq", "type": "licence_limitation"}, "token", "licence (402)", "licence"),
    (HTML, "API", "a page (HTML)", "ingress"),
    ({"status": 502, "shape": "html"}, "API", "answers 502 in Lenses' place", "does not reach Lenses"),
    ({"drop": "before"}, "API", "no HTTP answer comes", "scheme"),
    ({"status": 302, "headers": {"Location": "https://sso.example.com/login"}}, "API", "to a login page", "sign-on"),
    (
        {"status": 301, "headers": {"Location": "https://other.example.com/"}},
        "API",
        "another host",
        "https://other.exam",
    ),
    ({"status": 308, "headers": {"Location": "/lenses/api"}}, "API", "redirected to /lenses/api", "path in the URL"),
    ({"status": 403}, "list connectors", "may not do this", "role"),
    ({"agent_down": True}, "agent", "its agent is not connected", "agent's log"),
    ({"agent_down": True}, "list plugins", "agent of this environment is not connected", "agent's log"),
    (
        {"operation": "ListConnectors", "status": 501, "shape": "hq", "type": "missing_agent_capabilities"},
        "list connectors",
        "does not know the operation",
        "Upgrade the agent",
    ),
    (
        {"operation": "ListPlugins", "body": {"data": [{"name": "x"}]}},
        "list plugins",
        "data.0.class: missing",
        "report",
    ),
    ({"operation": "GetClusterInfo", "status": 403}, "connect: cluster info", "may not do this", "role"),
    ({"operation": "GetClusterInfo", "status": 500}, "connect: cluster info", "answered 500", "logs"),
    ({"operation": "ValidateConnector", "status": 403}, "connect: validate", "may not do this", "role"),
    ({"status": 500, "operation": "ListConnectors", "shape": "text"}, "list connectors", "answered 500", "logs"),
]


@pytest.mark.parametrize(("fault", "check", "message", "remedy"), FAULTS)
def test_what_fails_is_named(
    line: CommandLine, lenses_env: LensesEnv, fault: dict[str, Any], check: str, message: str, remedy: str
) -> None:
    lenses_env.control.add_fault(lenses_env.name, **fault)
    found = look(line, lenses_env)
    assert found.code == 1
    result = found.one(check)
    assert result["verdict"] == "failed"
    assert message in result["message"]
    assert remedy in result["remedy"]


def test_an_answer_is_shown_as_it_came(line: CommandLine, lenses_env: LensesEnv) -> None:
    """The first one on a live Lenses sends us this."""
    lenses_env.control.add_fault(lenses_env.name, operation="ListConnectors", status=500, message="out of luck")
    seen = look(line, lenses_env).one("list connectors")["seen"]
    assert seen == "status 500, agent's shape, InternalError: out of luck"


def test_a_token_that_is_quoted_back_is_not_shown(line: CommandLine, lenses_env: LensesEnv) -> None:
    lenses_env.control.add_fault(lenses_env.name, operation="ListPlugins", status=500, message=f"who is {line.token}?")
    assert "who is ***?" in look(line, lenses_env).one("list plugins")["seen"]


def test_a_token_nobody_knows(line: CommandLine, lenses_env: LensesEnv) -> None:
    found = look(line, lenses_env, token="no-such-token")
    assert found.verdicts("failed") == ["token"]
    assert not any(one["group"].startswith("Environment") for one in found.checks)


def test_an_environment_the_token_may_not_see(line: CommandLine, lenses_env: LensesEnv) -> None:
    lenses_env.control.add_token("of-others", environments=["other"])
    found = look(line, lenses_env, token="of-others")
    assert found.one("token")["verdict"] == "warning"
    assert found.one("agent")["verdict"] == "failed"


def test_an_environment_that_is_none(line: CommandLine, lenses_env: LensesEnv) -> None:
    found = line.doctor("--environment", "nowhere", "--skip-kubernetes")
    assert found.code == 1
    assert "no such environment" in found.one("agent")["message"]


@pytest.mark.parametrize(
    ("version", "words"),
    [("3.4.1", "state: stopped, offsets"), ("3.5.2", "Alter and Reset, do not work"), ("?", "a version that is none")],
)
def test_old_clusters(line: CommandLine, lenses_env: LensesEnv, version: str, words: str) -> None:
    lenses_env.control.add_cluster(lenses_env.name, "old", {"backend": "memory", "version": version})
    result = look(line, lenses_env).one("old: Kafka Connect")
    assert result["verdict"] == "warning"
    assert words in result["message"]


def test_a_configuration_that_is_hidden(line: CommandLine, lenses_env: LensesEnv) -> None:
    config = {"name": "orders", "connector.class": CLASS, "file": "/dev/null", "topic": "lines"}
    lenses_env.client().create("connect", "orders", config)
    lenses_env.control.add_fault(lenses_env.name, operation="GetConnector", omit_config=True)
    assert "is hidden from this token" in look(line, lenses_env).one("connect: get connector")["message"]


def test_nothing_listens(line: CommandLine) -> None:
    found = line.doctor("--environment", "prod", "--skip-kubernetes", url="http://127.0.0.1:1")
    assert (found.code, found.verdicts("failed")) == (1, ["connection"])


def test_a_name_nobody_has(line: CommandLine) -> None:
    found = line.doctor("--environment", "prod", "--skip-kubernetes", url="https://lenses.invalid")
    assert (found.code, found.verdicts("failed")) == (1, ["name"])


@pytest.mark.parametrize(
    "words",
    [
        ["--skip-kubernetes"],
        ["--service-account", "no-slash"],
        ["--environment", "prod", "--skip-kubernetes", "--token-file", "/no/such/file"],
        ["--environment", "prod", "--skip-kubernetes", "--lenses-url", "lenses"],
    ],
)
def test_wrong_usage(line: CommandLine, words: list[str]) -> None:
    done = line.run("doctor", *words)
    assert (done.code, done.out) == (2, "")
    assert "Error: " in done.err


# TLS, and what no Lenses says


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Listeners on a loop of their own, since the command runs as a process."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    opened = []

    def open_one(handler: Handler, context: ssl.SSLContext | None = None) -> str:
        manager = listener(handler, context)
        opened.append(manager)
        return asyncio.run_coroutine_threadsafe(manager.__aenter__(), loop).result(10)

    yield open_one
    for manager in opened:
        asyncio.run_coroutine_threadsafe(manager.__aexit__(None, None, None), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def saying(answer: bytes) -> Handler:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()

    return say


EMPTY = saying(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"data":[]}')


def expired(folder: Path) -> ssl.SSLContext:
    """A self-signed certificate of yesterday."""
    key = "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=old -keyout key -out request"
    key += " -addext subjectAltName=IP:127.0.0.1"
    for command in (key, "x509 -req -in request -signkey key -days -1 -copy_extensions copyall -out certificate"):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate", folder / "key")
    return context


def tls(line: CommandLine, url: str, *words: str) -> dict[str, str]:
    return line.doctor("--environment", "prod", "--skip-kubernetes", *words, url=url).one("TLS")


def test_a_certificate_of_an_unknown_ca(line: CommandLine, authority: Authority, serve: Callable[..., str]) -> None:
    result = tls(line, serve(EMPTY, authority.server()))
    assert result["verdict"] == "failed"
    assert "CA unknown here" in result["message"]
    assert "--ca-file" in result["remedy"]


def test_with_that_ca(line: CommandLine, authority: Authority, serve: Callable[..., str]) -> None:
    result = tls(line, serve(EMPTY, authority.server()), "--ca-file", str(authority.ca))
    assert result["verdict"] == "warning"
    assert "stops working that day" in result["remedy"]  # it is valid for two days


def test_a_certificate_for_another_name(line: CommandLine, authority: Authority, serve: Callable[..., str]) -> None:
    url = serve(EMPTY, authority.server()).replace("127.0.0.1", "localhost")
    result = tls(line, url, "--ca-file", str(authority.ca))
    assert "for another name" in result["message"]


def test_a_self_signed_certificate(line: CommandLine, tmp_path: Path, serve: Callable[..., str]) -> None:
    context = expired(tmp_path)
    assert "self-signed" in tls(line, serve(EMPTY, context))["message"]


def test_an_expired_certificate(line: CommandLine, tmp_path: Path, serve: Callable[..., str]) -> None:
    result = tls(line, serve(EMPTY, expired(tmp_path)), "--ca-file", str(tmp_path / "certificate"))
    assert "has expired" in result["message"]
    assert "Renew" in result["remedy"]


def test_https_where_http_is_spoken(line: CommandLine, lenses_env: LensesEnv) -> None:
    result = tls(line, lenses_env.url.replace("http:", "https:"))
    assert "no TLS handshake" in result["message"]
    assert "plain HTTP" in result["remedy"]


def test_a_clock_that_is_off(line: CommandLine, serve: Callable[..., str]) -> None:
    answer = b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nDate: Tue, 01 Jan 2019 00:00:00 GMT\r\n"
    url = serve(saying(answer + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}"))
    result = line.doctor("--environment", "prod", "--skip-kubernetes", url=url).one("clock")
    assert result["verdict"] == "warning"
    assert "ahead of Lenses'" in result["message"]


def test_a_listener_that_says_nothing_of_http(line: CommandLine, serve: Callable[..., str]) -> None:
    found = line.doctor("--environment", "prod", "--skip-kubernetes", url=serve(saying(b"SSH-2.0\r\n")))
    assert "no HTTP answer" in found.one("API")["message"]


# What stands in front of Lenses, or what this one has beside the Kafka Connect API


def in_front_of(url: str, answers: Callable[[bytes], bytes | None]) -> Handler:
    """Passes each request on, but for those that `answers` has something for, by their path."""
    host, port = url.removeprefix("http://").split(":")

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        answer = answers(request.split(b" ", 2)[1])
        if answer is None:
            back, forth = await asyncio.open_connection(host, int(port))
            forth.write(request.replace(b"\r\nConnection: keep-alive", b"\r\nConnection: close"))
            answer = await back.read()
            forth.close()
        writer.write(answer)
        await writer.drain()

    return pass_on


def saying_of(status: str, content_type: str, body: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close"
    return f"{head}\r\n\r\n{body}".encode()


def create(env: LensesEnv, name: str = "orders") -> None:
    config = {"name": name, "connector.class": CLASS, "file": "/dev/null", "topic": "lines", "password": "planted"}
    env.client().create("connect", name, config)


def test_names_with_something_special_reach_the_agent(line: CommandLine, lenses_env: LensesEnv) -> None:
    found = look(line, lenses_env)
    for what in ("a space", "'->'"):
        assert found.one(f"connector names with {what}")["verdict"] == "ok"


@pytest.mark.parametrize(
    ("status", "body"), [("400 Bad Request", "<html>Bad Request</html>"), ("404 Not Found", "no route")]
)
def test_a_proxy_that_refuses_an_encoded_space(
    line: CommandLine, lenses_env: LensesEnv, serve: Callable[..., str], status: str, body: str
) -> None:
    refusal = saying_of(status, "text/html", body)
    url = serve(in_front_of(lenses_env.url, lambda path: refusal if b"%20" in path else None))
    found = look(line, lenses_env, url=url)
    assert found.code == 0
    result = found.one("connector names with a space")
    assert result["verdict"] == "warning"
    assert "cannot be reached" in result["message"]
    assert found.one("connector names with '->'")["verdict"] == "ok"


def test_environments_are_compared_with_what_was_asked_for(
    line: CommandLine, lenses_env: LensesEnv, serve: Callable[..., str]
) -> None:
    items = [{"name": "other", "display_name": lenses_env.name, "status": {"agent_connected": True}}]
    listed = saying_of("200 OK", "application/json", json.dumps({"items": items}))
    url = serve(in_front_of(lenses_env.url, lambda path: listed if path == b"/api/v1/environments" else None))
    done = line.run("doctor", "--environment", lenses_env.name, "--skip-kubernetes", url=url)
    assert done.code == 1
    assert "environments: the token sees other\n" in done.out
    assert f"the token does not see '{lenses_env.name}', which --environment names" in done.out
    assert "is the display name of environment other" in done.out


@pytest.mark.parametrize("status", ["404 Not Found", "405 Method Not Allowed", "501 Not Implemented", "200 OK"])
def test_a_lenses_without_a_list_of_environments(
    line: CommandLine, lenses_env: LensesEnv, serve: Callable[..., str], status: str
) -> None:
    odd = saying_of(status, "text/html", "<html>")
    url = serve(in_front_of(lenses_env.url, lambda path: odd if path == b"/api/v1/environments" else None))
    found = look(line, lenses_env, url=url)
    assert found.code == 0
    assert found.one("environments")["verdict"] == "not tried"


@pytest.mark.parametrize(
    ("status", "words"), [("200 OK", "InPlace can be used"), ("404 Not Found", "only updateStrategy Recreate works")]
)
def test_resource_as_code(
    line: CommandLine, lenses_env: LensesEnv, serve: Callable[..., str], status: str, words: str
) -> None:
    assert "there is no connector" in look(line, lenses_env).one("resource as code")["message"]
    create(lenses_env)
    document = saying_of(status, "application/yaml", "kind: KafkaConnector\nspec: {config: {password: planted}}\n")
    url = serve(in_front_of(lenses_env.url, lambda path: document if b"/v1/resource/" in path else None))
    done = line.run("doctor", "--environment", lenses_env.name, "--skip-kubernetes", url=url)
    assert words in done.out
    assert "planted" not in done.out + done.err


def test_what_is_hidden_of_a_configuration_is_named(line: CommandLine, lenses_env: LensesEnv) -> None:
    create(lenses_env)
    hidden = [{"field": "config.password"}]
    lenses_env.control.add_fault(lenses_env.name, operation="GetConnector", errors=hidden)
    result = look(line, lenses_env).one("connect: get connector")
    assert result["message"] == "allowed, but password of orders is hidden from this token"
    assert "kafka-connect:GetConnectorConfiguration" in result["remedy"]


def test_names_that_lenses_may_not_take(line: CommandLine, lenses_env: LensesEnv) -> None:
    lenses_env.control.add_cluster(lenses_env.name, "connect_2", {"backend": "memory"})
    create(lenses_env, "a:b")
    found = look(line, lenses_env)
    assert found.code == 0
    assert {"connect_2: name", "connect: connector names"} <= {*found.verdicts("warning")}
    assert "connect: name" not in {one["check"] for one in found.checks}
