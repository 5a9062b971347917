"""Which values do not belong into Git."""

from __future__ import annotations

import base64
import secrets
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.waiting import in_linear_time
from lenses_operator.domain.redaction import HIDDEN
from lenses_operator.domain.sensitive import is_partly_masked, is_secret_key, is_sensitive, looks_secret
from lenses_operator.domain.value_masking import ValueMasker


def words(text: str) -> list[str]:
    return text.split()


TYPED_PASSWORD = words(
    """
aad.auth.appkey es.net.http.auth.pass splunk.hec.token azure.blob.storage.account.key connect.redis.pw database.pass
camel.component.aws2-s3.secretKey camel.kamelet.aws-s3-sink.accessKey camel.kamelet.slack-source.token
connection.credentials gcp.bigquery.credentials.json connect.gcpstorage.gcp.credential salesforce.consumer.key
salesforce.consumer.secret salesforce.password.token connect.cosmosdb.master.key cosmos.connection.master.key
connect.documentdb.master.key connect.azure.servicebus.connection.string function.key azure.functions.key
azure.search.api.key azure.eventhubs.sas.key datadog.api.key newrelic.license.key new.relic.insert.key
logdna.ingestion.key snowflake.private.key rabbitmq.password snowflake.private.key.passphrase
iceberg.catalog.s3.secret-access-key iceberg.catalog.credential neo4j.authentication.basic.password
aws.access.key.id aws.secret.access.key connect.s3.aws.access.key kafka.sasl.jaas.config ssl.key.password
ssl.keystore.key ssl.keystore.certificate.chain ssl.truststore.certificates schema.registry.basic.auth.user.info
http.headers.authorization slack.webhook.url teams.webhook twilio.auth.token influxdb.token github.access.token
jira.api.token zendesk.apiToken confluent.license oauth2.client.secret
sasl.oauthbearer.client.credentials.client.secret auth.bearer mq.password connection.pwd cps.gcp.credentials.json
proxy.password http.auth.pass hmac.key signing.key appKey apikey accountKey SharedAccessKey elastic.security.api-key
write_key client_secret redis.PASSWD storage.key.base64 couchbase.password basic.auth
eventhub.connstring auth.header github.pat jwt encryption.kek httpAuthPassword DB_PASS PGPASSWORD userPwd consumerKey
"""
)
"""Of public connectors, whose documentation gives these keys the type password."""
HARMLESS = words(
    """
topics name tasks.max file key.converter message.key.columns transforms.key.field primary.key record.key
partition.key pk.fields transforms.TokenizeField.type bypass.validation pass.through azure.eventhubs.sas.keyname
ssl.keystore.location ssl.keystore.type kafka.keytab.path use.ssl monkey turkey.topics
aws.credentials.provider.class secret.manager.region token.endpoint.url auth.token.expiry compass.url
passenger.count hockey.key keys.format connect.s3.kcql password.encoder.iterations.interval
"""
)
LOOKS = (
    *(
        "Authorization:Bearer planted3x",
        "Bearer planted-N05",
        "Basic cGxhbnRlZA==",
        "bearer abcdefgh",
        "x|Authorization: Basic eHk6eno=",
    ),
    *("X-API-Key: planted1", "mongodb+srv://u:planted9x@h/", "https://hooks.slack.com/services/T0/B0/planted10x"),
    *("https://x.azurewebsites.net/api/f?code=planted1x", "https://a.blob.core.windows.net/c?sv=1&sig=planted%2F1x"),
    *('{"private_key":"planted12x"}', '{"client_secret": "planted"}', "jdbc:oracle:thin:scott/planted@//h:1521/x"),
    *("Endpoint=sb://x/;SharedAccessKeyName=a;SharedAccessKey=planted", "-----BEGIN ENCRYPTED PRIVATE KEY-----"),
    *("AKIAABCDEFGHIJKLMNOP", "ghp_planted0123456789planted", "xoxb-planted-0123", "eyJhbGciOiJI.eyJzdWIiOiIx.c2ln"),
    *(
        "https://discord.com/api/webhooks/123/planted",
        "https://x.webhook.office.com/webhookb2/planted",
        "a=b;password=planted",
    ),
)
PLAIN = (
    *(
        "orders-2024-01-eu-west-1",
        "Orders2024CustomerTopicV2Events",
        "fc7c703e-fbae-4f96-b627-4bf1157060ac",
        "Basic authentication",
    ),
    *(
        "io.lenses.streamreactor.connect.aws.s3.sink.S3SinkConnector",
        "Bearer token",
        "token:string,password:string",
        "a:b@c",
    ),
    *(
        "b-1.mycluster.abc123.c2.kafka.eu-west-1.amazonaws.com:9092",
        "yyyy-MM-dd'T'HH:mm:ss.SSSZ",
        "/data/in/2024/01/02/file1",
    ),
    *("insert into `lake:orders` select * from orders STOREAS `PARQUET` PROPERTIES('flush.count'=1)",),
    *(
        "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "Authorization: Bearer ${env:TOKEN}",
    ),
    *(
        "jdbc:postgresql://u:${vault:secret/pg:password}@h/db",
        "${secret:a/b:password}",
        "password=${file:/x:y}",
        "a" * 64,
    ),
)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("database.password", "x1"),
        ("connection.password", "1234"),
        ("ssl.keystore.password", "x1"),
        ("aws.secret.access.key", "x1"),
        ("connect.s3.aws.access.key", "x1"),
        ("camel.kamelet.aws-s3-sink.secretKey", "x1"),
        ("producer.override.sasl.jaas.config", "org.X required username=a;"),
        ("value.converter.basic.auth.user.info", "a:b"),
        ("snowflake.private.key", "MIIE"),
        ("salesforce.consumer.secret", "x1"),
        ("github.api.token", "x1"),
        ("gcp.credentials", "{}"),
        ("confluent.license", "x1"),
        ("anything", "********"),
        ("anything", "[hidden]"),
        ("connection.url", "jdbc:postgresql://user:pa55@host/db"),
        ("connection.uri", "mongodb+srv://user:pa55@host"),
        ("connection.url", "jdbc:sqlserver://host;user=a;password=pa55"),
        ("headers", "-----BEGIN RSA PRIVATE KEY-----\nMIIE"),
        ("keyfile.content", '{"type": "x", "private_key": "MIIE"}'),
        ("jaas", 'org.X required username="${file:a:b}" password="pa55";'),
    ],
)
def test_secrets(key: str, value: str) -> None:
    assert is_sensitive(key, value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("topics", "orders"),
        ("database.password", ""),
        ("database.password", "${vault:secret/db:password}"),
        ("connection.url", "jdbc:postgresql://user:${file:a:b}@host/db"),
        ("connection.url", "jdbc:postgresql://host:5432/db"),
        ("sasl.jaas.config", 'org.X required username="a" password="${file:a:b}";'),
        ("ssl.keystore.location", "/etc/x.jks"),
        ("sasl.oauthbearer.token.endpoint.url", "https://host/token"),
        ("aws.credentials.provider.class", "com.x.Y"),
        ("transforms.split.tokenizer", "x"),
        ("use.token", "true"),
        ("value.converter.basic.auth.credentials.source", "USER_INFO"),
        ("confluent.license.topic", "_confluent-command"),
        ("azure.keyvault.secret.name", "orders"),
        ("producer.override.bootstrap.servers", "a:9092,b:9092"),
        ("query", "select * from a where b = 'c'"),
    ],
)
def test_no_secrets(key: str, value: str) -> None:
    assert not is_sensitive(key, value)


@pytest.mark.parametrize("key", TYPED_PASSWORD)
def test_keys_that_connect_types_as_password(key: str) -> None:
    assert is_secret_key(key)
    assert is_sensitive(key, "planted")
    assert ValueMasker((), str)(key, "planted") == HIDDEN


@pytest.mark.parametrize("key", HARMLESS)
def test_keys_of_no_secret(key: str) -> None:
    assert not is_secret_key(key)


@pytest.mark.parametrize("value", LOOKS)
def test_values_that_look_like_a_secret_under_any_key(value: str) -> None:
    assert looks_secret(value)
    assert is_sensitive("headers", value)
    assert "planted" not in ValueMasker((), str)("headers", value)


@pytest.mark.parametrize("value", PLAIN)
def test_values_that_do_not(value: str) -> None:
    assert not looks_secret(value)
    assert ValueMasker((), str)("x", value)


def machine_made(kind: str) -> str:
    letters = {"lower": string.ascii_lowercase, "alphabet": string.ascii_letters}.get(kind, "")
    return {
        "hex": secrets.token_hex(24),
        "url": secrets.token_urlsafe(32),
        "base64": base64.b64encode(secrets.token_bytes(30)).decode(),
    }.get(kind) or "".join(secrets.choice(letters + string.digits) for _ in range(40))


@pytest.mark.parametrize("before", ["", "k=", "a: "])
@pytest.mark.parametrize("kind", ["hex", "url", "base64", "lower", "alphabet"])
def test_long_random_values(kind: str, before: str) -> None:
    """A few look like words, or have more signs between them than what is taken for one."""
    assert sum(looks_secret(before + machine_made(kind)) for _ in range(200)) > 160


@given(
    st.lists(st.sampled_from(["orders", "Customer", "Events", "topic", "2024", "v2", "eu", "west", "prod"]), max_size=8)
)
def test_words_are_not_random(words: list[str]) -> None:
    for joint in ("-", ".", "_", " ", "/"):
        assert not looks_secret(joint.join(words))


def test_looking_at_a_long_value_takes_the_time_of_its_length() -> None:
    for text in ("a1" * 16384, "//" * 16384, "password " * 3640, "x:" * 16384, "Bearer " * 4680, '"token' * 5460):
        with in_linear_time():
            is_sensitive("key", text)
            ValueMasker((), str)("key", text)


def test_hidden_in_part() -> None:
    assert is_partly_masked("jdbc:x://u:****@h")
    assert not is_partly_masked("****")
    assert not is_partly_masked("a * b")
