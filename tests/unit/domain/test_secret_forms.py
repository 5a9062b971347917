"""Whatever part of a value a server quotes, and however it escapes it: none of it is left."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Mapping
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lenses_operator.domain.redaction import HIDDEN, Redactor
from lenses_operator.domain.secret_parts import PART, parts
from lenses_operator.domain.unescaping import layers

ALPHABET = "aB3&()^%{}\\ \"'<>=+/?#:;,.@é€😀\n\t$!~|-_`*"


def javascript(value: str) -> str:
    """JavaScript's encodeURIComponent."""
    return quote(value, safe="!'()*-._~")


def go(value: str) -> str:
    text = json.dumps(value, ensure_ascii=False)[1:-1]
    return re.sub("[<>&]", lambda sign: f"\\u{ord(sign[0]):04x}", text)


def gson(value: str) -> str:
    text = json.dumps(value, ensure_ascii=False)[1:-1]
    return re.sub("[<>&='](?!u)", lambda sign: f"\\u{ord(sign[0]):04x}", text)


def jetty(value: str) -> str:
    return html.escape(value, quote=False)


def numeric(value: str) -> str:
    return "".join(f"&#{ord(sign)};" if sign in "&<>\"'" else sign for sign in value)


def every(value: str) -> str:
    return "".join(f"&#x{ord(sign):X};" for sign in value)


FORMS: Mapping[str, Callable[[str], str]] = {
    "as it is": str,
    "URL": lambda value: quote(value, safe=""),
    "path": quote,
    "form": quote_plus,
    "small URL": lambda value: re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), quote(value, safe="")),
    "encodeURIComponent": javascript,
    "encodeURI": lambda value: quote(value, safe=";,/?:@&=+$-_.!~*'()#"),
    "JSON": lambda value: json.dumps(value)[1:-1],
    "JSON in UTF-8": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    "JSON with slashes": lambda value: json.dumps(value)[1:-1].replace("/", "\\/"),
    "JSON twice": lambda value: json.dumps(json.dumps(value)[1:-1])[1:-1],
    "Go": go,
    "Gson": gson,
    "HTML": html.escape,
    "HTML as Jetty": jetty,
    "HTML with numbers": numeric,
    "HTML with numbers for all": every,
    "XML": lambda value: html.escape(value).replace("&#x27;", "&apos;"),
    "doubled quotes": lambda value: value.replace("'", "''"),
    "CSV": lambda value: value.replace('"', '""'),
    "JSON in HTML": lambda value: html.escape(json.dumps(value)),
    "URL in JSON in HTML": lambda value: html.escape(json.dumps(quote(value))),
    "properties": lambda value: re.sub(r"([\\:=#! ])", r"\\\1", value),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(value.encode()).decode().rstrip("="),
}
SECRET = st.text(alphabet=ALPHABET, min_size=PART, max_size=24).filter(lambda value: len(value.strip()) >= PART)
WORD = st.text(alphabet="abcXYZ0123456789!$*-_~", min_size=PART, max_size=16)


@settings(max_examples=50)
@pytest.mark.parametrize("form", FORMS)
@given(value=SECRET)
def test_every_form_of_every_value_is_cut_out(form: str, value: str) -> None:
    quoted = FORMS[form](value)
    assume("redacted" not in quoted)
    shown = Redactor([value])(f"Invalid value {quoted} for configuration x")
    assert shown.startswith("Invalid value ")
    assert shown.endswith(" for configuration x")
    assert HIDDEN in shown
    left = shown.removeprefix("Invalid value ").removesuffix(" for configuration x").replace(HIDDEN, "")
    assert not set(left) - set('"&quot;\\'), "no more than the quotation marks of its form"


@given(value=SECRET, before=st.sampled_from(["user:", "u:", "ab", "x"]))
def test_base64_of_a_user_and_a_password(value: str, before: str) -> None:
    assume(len(value.encode()) >= 8)
    quoted = base64.b64encode((before + value).encode()).decode()
    shown = Redactor([value])(f"Authorization: Basic {quoted}")
    assert HIDDEN in shown
    start = len(base64.b64encode(before.encode()).decode().rstrip("="))
    assert len(shown) <= len("Authorization: Basic ") + start + len(HIDDEN) + 4


CONTAINERS: Mapping[str, Callable[[str, str], str]] = {
    "a member": lambda part, other: json.dumps({"user": other, "deep": [{"password": part}]}),
    "a member of JSON in JSON": lambda part, other: json.dumps({"config": json.dumps({"key": part, "x": other})}),
    "Bearer": lambda part, _: f"Bearer {part}",
    "Basic": lambda part, other: "Basic " + base64.b64encode(f"{other}:{part}".encode()).decode(),
    "before &": lambda part, other: f"{part}&{other}",
    "behind &": lambda part, other: f"{other}&{part}",
    "before @": lambda part, other: f"{part}@{other}",
    "behind @": lambda part, other: f"{other}@{part}",
    "before a blank": lambda part, other: f"{part} {other}",
    "behind a blank": lambda part, other: f"{other}\t{part}",
    "between": lambda part, other: f"{other} {part}&{other}@{other}",
    "a line": lambda part, other: f"-----BEGIN KEY-----\n{part}\r\n{other}\n",
    "a template": lambda part, other: f"{part}${{topic}}_{other}",
    "the end of a template": lambda part, other: f"{other}${{a}}${{b}}{part}",
    "a JAAS configuration": lambda part, other: (
        f'org.apache.kafka.common.security.plain.PlainLoginModule required username="{other}" password="{part}";'
    ),
    "a URL": lambda part, other: f"jdbc:postgresql://{other}:{part}@db.example.org:5432/x?ssl=true",
    "a pair": lambda part, other: f"Endpoint=sb://x;SharedAccessKey={part};EntityPath={other}",
    "a query": lambda part, other: f"https://example.org/hook?user={other}&token={part}",
}


@settings(max_examples=50)
@pytest.mark.parametrize("container", CONTAINERS)
@given(part=WORD, other=WORD, form=st.sampled_from(sorted(FORMS)))
def test_every_part_of_a_value_is_cut_out_in_every_form(container: str, part: str, other: str, form: str) -> None:
    assume(part not in other and other not in part)
    value = CONTAINERS[container](part, other)
    shown = Redactor([value])(f"cannot use <{FORMS[form](part)}> here")
    assert shown == f"cannot use <{HIDDEN}> here" or shown == f"cannot use <&quot;{HIDDEN}&quot;> here", value


@given(before=st.text("ab1&@ ", max_size=12), behind=st.text("cd2&@ ", max_size=12), sign=st.sampled_from("&@ "))
def test_all_before_and_all_behind_a_sign(before: str, behind: str, sign: str) -> None:
    value = before + sign + behind
    known = parts(value)
    signs = [at for at, one in enumerate(value) if one in "&@ "]
    first = next(at for at in signs)
    for side in (value[:first], value[first:].lstrip("&@ ")):
        assert len(side) < PART or not side.strip() or side in known


@pytest.mark.parametrize(
    "word",
    [
        *("password", "localhost", "connect", "Connector", "SASL_SSL", "PlainLoginModule", "localhost:9092", "true"),
        *("org.apache.kafka.common.security.plain.PlainLoginModule", "SCRAM-SHA-512", "kafka-connect", "required"),
    ],
)
def test_words_that_every_message_is_made_of_stay_where_they_are_parts(word: str) -> None:
    redactor = Redactor([f"{word} Uncommon-77", f"a={word};b=Uncommon-77", json.dumps({"a": word, "b": "Uncommon-77"})])
    assert redactor(f"the {word}, not Uncommon-77") == f"the {word}, not {HIDDEN}"


@pytest.mark.parametrize(
    "value", ["password", "jdbc:postgresql://u:password@h/x", "user=x;password=password", "Bearer bearer"]
)
def test_but_not_where_they_are_the_value_or_named_a_password(value: str) -> None:
    last = "Bearer bearer" if value.startswith("Bearer") else "password"
    assert Redactor([value])(f"login with {last} failed") == f"login with {HIDDEN} failed"


def test_overlapping_values_leave_no_piece_of_each_other() -> None:
    assert Redactor(["abcdef", "xabc"])("xxabcdefghi") == f"x{HIDDEN}ghi"


def test_what_stands_around_an_escaped_value_stays() -> None:
    text = "<b>50%25 of &lt;p&gt;</b> p&amp;ss&#119;ord &amp; more %41"
    assert Redactor(["p&ssword"])(text) == f"<b>50%25 of &lt;p&gt;</b> {HIDDEN} &amp; more %41"


@given(st.text(alphabet="a%26&amp;#x;\\u'\"", max_size=30))
def test_pieces_of_an_unescaped_text_are_found_again_where_they_stood(text: str) -> None:
    for layer in layers(text):
        assert layer.origin(0, len(layer.text)) == (0, len(text)) or not layer.text
        places = [layer.origin(at, at + 1) for at in range(len(layer.text))]
        assert all(start < end for start, end in places)
        assert places == sorted(places)


def test_many_values_are_found_as_few_are() -> None:
    many = [f"value-{number:04}-{'x' * (number % 7)}" for number in range(300)]
    text = "".join(f"[{one}] &quot;{one.replace('-', '%2D')}&quot;" for one in many) + " value-9999 "
    shown = text
    for one in many:
        shown = Redactor([one])(shown)
    assert Redactor(many)(text) == shown.replace(f"{HIDDEN}-", HIDDEN)
    assert "value-0042" not in shown
