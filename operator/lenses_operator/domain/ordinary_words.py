"""Words of Kafka Connect's configurations and messages, which nobody's secret is known by.

A part of a Secret's value that is made of them alone is not cut out of texts: cut out everywhere, it would leave
nothing to read. The whole value always is, and so is what is named a password in it.
"""

from __future__ import annotations

import re

_ORDINARY = frozenset(
    """
    accept access account accounts action active address admin algorithm alias amazonaws apache api app append
    application apps archive array async attempt auth authentication authorization auto autocommit avro aws
    azure backend backoff backup base basic batch batches bearer block bootstrap broker brokers bucket buffer
    builder byte bytes cache callback catalog certificate change changelog char charset check class client
    clients cloud cluster code collection collections column columns com commit common compression config
    configs configuration confluent connect connection connections connector connectors console consumer content
    control converter copy core count create credential credentials current cursor custom data database
    databases datagen date debezium debug decimal default delete delta desc description destination dev
    development digest directory disabled discovery distributed docker domain driver drop dynamo dynamodb
    elastic elasticsearch email empty enable enabled encoding encryption endpoint endpoints engine environment
    error errors event events example exception expires export external factory failed false field fields file
    files filter flink folder foreign format from function gateway global googleapis grant group groups gzip
    handler hash hdfs header headers heartbeat helper history host hostname hosts http https identifier identity
    ignore image import include index info init inline input insert instance int integer integration internal
    interval invalid io jaas java javax jdbc jks job json kafka kerberos key keys keyspace keystore key-store
    kubernetes lambda language latest ldap lenses level license limit list listener load local localhost
    location lock log logger logging login loginmodule logs long main manager map mapping mariadb master mask
    max message messages messaging metadata method metric metrics min mirror mode model module mongo mongodb
    monitoring mqtt mysql name names namespace net network node nodes none null number oauth oauthbearer object
    offset offsets opensearch operation operator option optional options oracle org origin output owner package
    parquet parser partition partitions pass password passwords path pattern payload pem plain plaintext plugin
    plugins policy pool port postgres postgresql prefer prefix primary principal priority private process
    processing producer prod production profile project properties property protected protocol provider proxy
    public query queue rabbitmq read reader realm record records redis redshift refresh regex region registry
    remote replica replication repository request require required resource resources response rest result retry
    role root route router row rows rule sasl schema schemas scope scram search secret secrets security select
    send sensitive sequence serializer server service services session set shared sink size slot snappy snapshot
    snowflake socket source spark splunk spring sql sqlserver ssl staging standard start state statement static
    status storage store stream streaming streams string strimzi strip strategy subject suffix sync system table
    tables target task tasks template temp tenant test testing text thread time timeout timestamp token tokens
    topic topics trace transaction transactions transform transforms true trust truststore type types unknown
    update upsert url user username users utf validate validation value values verify version view virtual
    volume warn warning web webhook window worker workers workflow workspace write writer zone zookeeper zstd
    """.split()  # noqa: SIM905 - as a list ten times as long
)
_LITERAL = frozenset(
    {
        *(
            "sha-256",
            "sha-512",
            "hs256",
            "rs256",
            "es256",
            "tlsv1.2",
            "tlsv1.3",
            "tls1.2",
            "tls1.3",
            "utf-8",
            "iso-8859-1",
        ),
        *("scram-sha-256", "scram-sha-512", "application/json", "text/plain", "us-east-1", "us-west-2", "eu-west-1"),
        *("iso-8859-1", "eu-central-1", "127.0.0.1", "0.0.0.0"),  # noqa: S104 - a word, not an address to bind to
    }
)
_CLASS = re.compile(r"(?:com|io|java|javax|net|org)(?:\.[a-z][a-z0-9_]*)+(?:[.$][A-Z][A-Za-z0-9]*)+")
"""A Java class by its full name: stack traces are made of them."""
_COMPOUND = re.compile(r"[A-Za-z]+(?:[-._/:]{1,3}[A-Za-z]+)*(?::[0-9]{1,5})?/?")
_NUMBER = re.compile(r"[0-9]{1,5}")
"""A port at most."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def is_ordinary(part: str) -> bool:
    """Whether it is one of these words, or made of them: `kafka-connect`, `SASL_SSL`, `localhost:9092`. So is a number
    that may be a port."""
    text = part.replace("_", "-")
    if part.lower() in _ORDINARY or _NUMBER.fullmatch(part) or text.lower() in _LITERAL or _CLASS.fullmatch(part):
        return True
    if not _COMPOUND.fullmatch(text):
        return False
    return all(word.lower() in _ORDINARY for word in _WORD.findall(text)) or all(
        word.lower() in _ORDINARY for word in re.findall(r"[A-Za-z]+", text)
    )
