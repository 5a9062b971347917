"""Which values do not belong into Git."""

from __future__ import annotations

import pytest

from lenses_operator.domain.sensitive import is_partly_masked, is_sensitive


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


def test_hidden_in_part() -> None:
    assert is_partly_masked("jdbc:x://u:****@h")
    assert not is_partly_masked("****")
    assert not is_partly_masked("a * b")
