"""What a plan warns of: whatever YAML, the API server or a tool before it changes without a word."""

from __future__ import annotations

import pytest

from lenses_operator.planning.planner import Options
from lenses_operator.planning.result import Action, Result
from unit.commands.planned import Rig, manifest

SUBSTITUTE = "kustomize.toolkit.fluxcd.io/substitute"
FLUX = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: connectors}
spec: {postBuild: {substitute: {topic: orders}}}
"""
AS_CODE = """\
apiVersion: lenses.io/v0beta
kind: KafkaConnector
spec:
  cluster: connect-eu
  name: Orders
  state: paused
  config:
    connector.class: org.apache.kafka.connect.file.FileStreamSourceConnector
    tasks.max: "1"
    topic: orders
    db.password: planted
"""
CLI_EXPORT = """\
name: orders
clusterName: connect-eu
config:
  connector.class: org.apache.kafka.connect.file.FileStreamSourceConnector
  topic: orders
"""
STRIMZI = "apiVersion: eventstreams.ibm.com/v1beta2\nkind: KafkaConnector\nmetadata: {name: a}\nspec: {class: a.B}\n"


def warned(result: Result) -> list[str]:
    assert all(place is not None for place, _ in result.warnings)
    return [message for _, message in result.warnings]


# comments
@pytest.mark.parametrize(
    "line",
    [
        "connect.mqtt.kcql: INSERT INTO all SELECT * FROM # WITHCONVERTER=`io.lenses.X`",
        "connect.mqtt.kcql: INSERT INTO a SELECT * FROM devices/ # all of them",
        "kcql: insert into a select * from b  #everything",
        "topic.filter: site/+/ # below it",
        "file.name: report #1.csv",
        "query: select a from b where c = # the rest",
        "description: two words # and more",
        "list: a, # b",
        'text: say,"a # b"',
        "brackets: f(a # b)",
        "id: 12 #34",
    ],
)
async def test_a_comment_that_may_be_a_part_of_the_value(rig: Rig, line: str) -> None:
    (said,) = warned(await rig.plan(manifest(config=line)))
    key, _, value = line.partition(": ")
    assert said.startswith(f"spec.config.{key}: a # behind a blank begins a comment")
    assert f"`{value.split(' #')[0].rstrip()}`" in said


async def test_a_comment_that_is_all_there_is(rig: Rig) -> None:
    said = warned(await rig.plan(manifest(config="colour: #ff0000")))
    assert any("all of it is a comment" in one for one in said)


async def test_a_secret_that_is_cut_is_not_shown(rig: Rig) -> None:
    (said,) = warned(await rig.plan(manifest(config="db.password: planted # planted2")))
    assert "spec.config.db.password: a # behind" in said
    assert "planted" not in said


@pytest.mark.parametrize(
    "line",
    [
        "topics: orders # the only one",
        "flush.size: 5 # rows",
        "errors.log.enable: true # for now",
        'kcql: "select * from a # b"',
        "kcql: select * from devices/#",
        "tag: a#b",
        "kcql: |\n  select a # b",
        "# a remark",
    ],
)
async def test_remarks(rig: Rig, line: str) -> None:
    assert warned(await rig.plan(manifest(config=line))) == []


# numbers
@pytest.mark.parametrize("number", [-(2**53) - 1, 2**53 + 1, 9223372036854775807, 12345678901234567])
async def test_integers_that_a_float_does_not_hold(rig: Rig, number: int) -> None:
    (said,) = warned(await rig.plan(manifest(config=f"id: {number}")))
    assert said.startswith("spec.config.id is beyond 2^53")
    assert "quote it" in said
    assert warned(await rig.plan(manifest(config=f'id: "{number}"'))) == []


@pytest.mark.parametrize("number", [2**53, 0, -(2**53)])
async def test_integers_that_it_holds(rig: Rig, number: int) -> None:
    assert warned(await rig.plan(manifest(config=f"id: {number}"))) == []


async def test_offsets_beyond_a_float(rig: Rig) -> None:
    offsets = (
        "apiVersion: connect.lenses.io/v1alpha1\nkind: LensesConnectorOffsets\n"
        "metadata: {name: o, namespace: payments}\n"
        "spec:\n  connectorRef: {name: orders}\n  action: Alter\n"
        "  offsets:\n    - {partition: {a: 1}, offset: {lsn: 9007199254740993}}\n"
    )
    (said,) = warned(await rig.plan(manifest(), offsets))
    assert said.startswith("spec.offsets.0.offset.lsn is beyond 2^53")
    assert "offsetsJson" in said


# Flux's postBuild
async def test_post_build_among_the_files(rig: Rig) -> None:
    (said,) = warned(await rig.plan(FLUX, manifest(config='route: "${topic}-v2"\nkept: "$${topic}"')))
    assert said.startswith("spec.config.route: Flux's postBuild replaces")
    assert SUBSTITUTE in said


@pytest.mark.parametrize("part", ["annotations", "labels"])
async def test_a_resource_that_flux_leaves_alone(rig: Rig, part: str) -> None:
    text = manifest(config='route: "${topic}-v2"').replace(
        "namespace: payments}", f"namespace: payments, {part}: {{{SUBSTITUTE}: disabled}}}}"
    )
    result = await rig.plan(FLUX, text)
    assert warned(result) == []
    assert not any("postBuild" in note for note in result.notes)


async def test_post_build_that_nobody_sees(rig: Rig) -> None:
    result = await rig.plan(manifest(config='route: "${topic}-v2"'))
    assert warned(result) == []
    assert any("postBuild" in note and SUBSTITUTE in note for note in result.notes)
    (said,) = warned(await rig.plan(manifest(config='route: "$${topic}-v2"')))
    assert said.startswith("spec.config.route: $${ arrives as it is written")
    assert not any("postBuild" in note for note in (await rig.plan(manifest())).notes)


# references and masks
async def test_a_reference_that_is_shown_is_compared(rig: Rig) -> None:
    """`plan` says what the operator does: with or without knowing whose the connector is."""
    for options in (Options(), Options(owned=False)):
        rig.exists(**{"connection.password": "${vault:secret/old:pw}", "route": "${topic}-v1"})
        text = manifest(config='connection.password: "${vault:secret/new:pw}"\nroute: "${topic}-v2"')
        item = await rig.one(text, options=options)
        assert item.action is (Action.CHANGE if options.owned else Action.REFUSED)
        assert [change.key for change in item.changes] == ["connection.password", "route"]
        assert [(change.old, change.new) for change in item.changes] == [
            ("${vault:secret/old:pw}", "${vault:secret/new:pw}"),
            ("${topic}-v1", "${topic}-v2"),
        ]
        item = await rig.one(text.replace("new", "old").replace("-v2", "-v1"), options=options)
        assert item.action is (Action.UNCHANGED if options.owned else Action.ADOPT)


async def test_what_stands_beside_a_reference_is_shown_without_passwords(rig: Rig) -> None:
    rig.exists(url="jdbc:x://me:planted-old@${env:HOST}/db", login="planted-resolved")
    text = manifest(config='url: "jdbc:x://me:planted-new@${env:HOST}/db2"\nlogin: "me-${env:LOGIN}"')
    result = await rig.plan(text, options=Options())
    assert "planted" not in str(result.data())
    assert [change.key for change in result.items[0].changes] == ["url"]


@pytest.mark.parametrize("shown", ["resolved", "••••••••", "[hidden]", "xxxxxxxx"])
async def test_what_lenses_does_not_show_is_told(rig: Rig, shown: str) -> None:
    rig.exists(**{"connection.password": shown})
    item = await rig.one(manifest(config='connection.password: "${vault:secret/new:pw}"'))
    assert item.action is Action.UNCHANGED
    assert "connection.password: if the manifest's value is a new one" in item.notes[0]


@pytest.mark.parametrize("mask", ["[hidden]", "••••••••", "*****"])
async def test_keys_that_connect_takes_for_passwords_are_not_shown(rig: Rig, mask: str) -> None:
    rig.lenses.passwords, rig.lenses.mask = frozenset({"shibboleth"}), mask
    rig.exists(shibboleth="planted-old", plain="old")
    for options in (Options(), Options(owned=False)):
        result = await rig.plan(manifest(config="shibboleth: planted-new\nplain: new"), options=options)
        changes = {change.key: (change.old, change.new) for change in result.items[0].changes}
        assert changes == {"shibboleth": ("[redacted]", "[redacted]"), "plain": ("old", "new")}
        assert "planted" not in str(result.data())


async def test_a_refusal_that_quotes_a_secret_of_the_manifest(rig: Rig) -> None:
    """In its words or as the key itself."""
    rig.lenses.invalid = {
        "url": ["no route to jdbc:x://me:planted-url@db with planted-value"],
        "jdbc:x://me:planted-value@db": ["no such key"],
        "aad.auth.appkey": ["planted-value is short"],
    }
    result = await rig.plan(manifest(config="aad.auth.appkey: planted-value\nurl: jdbc:x://me:planted-url@db"))
    assert result.items[0].reason == "ConfigInvalid"
    assert "planted" not in str(result.data())


# files that are not ours
@pytest.mark.parametrize("text", [AS_CODE, CLI_EXPORT])
async def test_files_of_lenses_are_planned(rig: Rig, text: str) -> None:
    result = await rig.plan(text, options=Options(frozenset({"prod"})))
    (item,) = result.items
    assert (item.action, result.errors) == (Action.CREATE, [])
    assert item.connector == ("prod", "connect-eu", "Orders" if "Orders" in text else "orders")
    assert (item.name, item.namespace) == ("orders", "payments")
    assert item.states == (["pause"] if "paused" in text else [])
    assert "planted" not in str(result.data())
    assert any("move it to a Secret" in one for one in warned(result)) is ("planted" in text)


async def test_a_changed_file_of_lenses_shows_the_line(rig: Rig) -> None:
    rig.exists(topic="old", file=None)
    item = await rig.one(CLI_EXPORT, options=Options(frozenset({"prod"})))
    assert [(one.key, one.line) for one in item.changes] == [("topic", 5)]


@pytest.mark.parametrize("environments", [(), ("prod", "dev")])
async def test_a_file_of_lenses_needs_an_environment(rig: Rig, environments: tuple[str, ...]) -> None:
    result = await rig.plan(AS_CODE, options=Options(frozenset(environments)))
    assert (result.items, result.exit_code) == ([], 1)
    assert "--environment" in result.errors[0][1]


async def test_connectors_of_other_operators_are_told(rig: Rig) -> None:
    alone = await rig.plan(STRIMZI)
    assert alone.exit_code == 1
    assert "migrate strimzi" in alone.errors[0][1]
    beside = await rig.plan(STRIMZI, manifest())
    assert beside.errors == []
    assert any("migrate strimzi" in note for note in beside.notes)


async def test_one_resource_by_two_files(rig: Rig) -> None:
    result = await rig.plan(CLI_EXPORT, manifest(), options=Options(frozenset({"prod"})))
    assert result.exit_code == 1
    assert any("is given again" in str(item.problems) for item in result.items)


async def test_warnings_of_what_would_not_arrive(rig: Rig) -> None:
    result = await rig.plan(manifest(config="a: 0644\nb: yes\nc:\nd: 1.0\ndb.password: 0123\ne: 1\nf: true"))
    assert [place.line for place, _ in result.warnings if place] == [11, 12, 13, 14, 15]
    said = [message for _, message in result.warnings]
    assert "a: 0644 arrives as 420" in said[0]
    assert "c has no value" in said[2]
    assert "0123" not in said[4]
    assert result.exit_code == 2


async def test_warnings_of_integers_that_argo_cd_compares_inexactly(rig: Rig) -> None:
    edge = f"a: {2**53}\nb: {-(2**53)}\nc: '{2**53 + 1}'\nd: true"
    assert (await rig.plan(manifest(config=edge))).warnings == []
    result = await rig.plan(manifest(config=f"a: {2**53 + 1}\nb: {-(2**53) - 1}\ndb.password: {2**60 + 1}"))
    assert [place.line for place, _ in result.warnings if place] == [11, 12, 13]
    assert all("OutOfSync" in message and message.endswith("quote it") for _, message in result.warnings)
    assert not any(str(2**60 + 1) in message for _, message in result.warnings)
    assert [item.action for item in result.items] == [Action.CREATE], "a warning, never a refusal"


async def test_warnings_of_names_that_lenses_may_not_take(rig: Rig) -> None:
    rig.lenses.clusters.add("connect_eu")
    result = await rig.plan(manifest(environment="Prod", cluster="connect_eu", name="'a:b'"))
    assert [(place.line, message.partition(":")[0]) for place, message in result.warnings if place] == [
        (5, "spec.environment"),
        (6, "spec.cluster"),
        (8, "spec.name"),
    ]
    assert [item.action for item in result.items] == [Action.CREATE], "a warning, never a refusal"
    assert (await rig.plan(manifest(name="'a -> b'"))).warnings == []


@pytest.mark.parametrize("spec", ["", "spec: 5\n", "spec: {environment: 5, cluster: [], name: {}}\n"])
async def test_names_that_are_none_are_the_schemas_business(rig: Rig, spec: str) -> None:
    head = manifest().partition("spec:")[0]
    assert (await rig.plan(head + spec)).warnings == []
