"""Which configuration values are secrets, judged by their key and by what they look like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from lenses_operator.domain.masks import is_masked

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_NAMED = re.compile(
    r"passw(or)?d|passphrase|passcode|passkey|pwd|secret|token(?!i)|credential|jaas|authori[sz]ation|bearer|webhook"
    r"|(?<![a-z])(pass|pw|psk|otp|sas|kek|jwt|pat|cookie|licen[sc]e|signature|userinfo|(basic|redis)\.auth|kerberos\.ticket)$"
    r"|conn(ection)?\.?str(ing)?(?![a-z])|user\.info|(key|trust)store\.(key|cert)|(key|trust)\.store\.(key|cert)"
)
"""Over the words of a key, in lower case with dots between them."""
_KINDS_OF_KEY = (
    "access|account|admin|aes|api|app|application|auth|authentication|cipher|client|consumer|crypto|decryption"
    "|developer|encryption|function|functions|gpg|hec|hmac|host|ingest|ingestion|insert|instrumentation|integration"
    "|licen[sc]e|master|partner|pgp|private|rsa|sas|sdk|security|service|shared|sign|signing|ssh|ssl|storage|subscription"
    "|symmetric|tls|write"
)
_KEY = re.compile(
    rf"(?<![a-z])({_KINDS_OF_KEY})\.?keys?(\.(base\.64|content|contents|data|file\.content|id|json|pem|plain|plaintext|raw"
    r"|string|text|value|[0-9]+))*$"
)
_SPEAKS_OF = re.compile(
    r"algorithms?|alias(?:es)?|audience|behavior|bytes|cache|capacity|charset|class(?:es)?|columns?|count|database"
    r"|delimiter|enabled?|encoding|endpoints?|expiration|expiry|fields?|file|format|header|index|interval|issuer"
    r"|length|locations?|manager|method|mode|ms|names?|namespace|paths?|patterns?|policy|prefix|protocol"
    r"|providers?|realm|refresh|regex|region|required|retries|role|schema|scopes?|seconds?|separator|size|source"
    r"|strategy|suffix|table|timeout|topics?|ttl|types?|uris?|urls?|validity|version"
)
_SPEAKS_OF_END = ("name", "class", "type", "path", "file", "url", "uri", "location", "namespace", "provider")
"""How keys end that speak about a secret without holding it, such as `ssl.keystore.location`."""
REFERENCE = re.compile(r"\$\{[^}]*\}")
_REMARK = r"(?!(?:auth(?:entication|ori[sz]ation)?|tokens?|credentials?|scheme|format|header)\b)"
_NAMES = (
    r"password|passwd|passphrase|pwd|secret|client_?secret|account_?key|shared_?access_?(?:key|signature)|api_?key"
    r"|access_?token|auth_?token"
)
_MEMBERS = r"\w*password|passphrase|pwd|\w*secret|\w*token|\w*api_?key|access_?key|private_?key"
_PLAIN = r"""(?!\$\{)[^\s"',;]"""
_IN_VALUE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"//[^/@\s:]*:(?!\$\{)[^@\s/]+@",
        r"jdbc:oracle:\w+:[^/@\s:]+/(?!\$\{)[^@\s]+@",
        rf"""(?<![a-z])(?:{_NAMES})["']?\s*=\s*["']?(?!\$\{{)[^\s"';&,]""",
        rf"""["'](?:{_MEMBERS})["']\s*:\s*["']{_PLAIN}""",
        rf"""(?<![a-z])(proxy-)?authori[sz]ation["']?\s*[:=]\s*["']?(?:[\w-]+\s+)?+{_PLAIN}{{4}}""",
        rf"""(?<![a-z])(x-)?(api|auth|access|functions)-?(key|token)["']?\s*[:=]\s*["']?{_PLAIN}{{4}}""",
        rf"(?<![a-z])(bearer|basic|digest|splunk|genie-?key|sharedaccesssignature)\s+{_REMARK}(?!\$\{{)[\w+/=.~:-]{{6}}",
        r"-----BEGIN [A-Z ]*(PRIVATE KEY|ENCRYPTED)",
        r"[?&](sig|signature|code|key|token|auth|secret|api[_-]?key|access[_-]?token|x-amz-signature)=(?!\$\{)[^&\s]{6}",
        r"//hooks\.slack\.com/(services|workflows)/.|/api/webhooks/\d+/.|/webhookb2/.|//api\.telegram\.org/bot.",
    )
)
"""A password inside a URL, a `password=…` pair, a header with credentials, a private key, an address that is one."""
_TOKENS = re.compile(
    r"(?<![A-Za-z0-9])((AKIA|ASIA)[A-Z0-9]{16}|eyJ[\w-]{8,}\.[\w-]{8,}|gh[pousr]_\w{20}|github_pat_\w{20}|glpat-[\w-]{16}"
    r"|xox[a-z]-[\w-]{10}|sk[_-](live|test|proj)?[_-]?\w{16}|AIza[\w-]{30}|ya29\.[\w-]{16}|SG\.[\w-]{16}\.|hvs\.\w{16}"
    r"|npm_\w{30}|dapi[0-9a-f]{32}|AccountKey=)"
)
"""What services make their tokens look like."""
_WHOLE = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_LONG = 20
_HEX_LONG = 32
_VARIED = 8
"""Different signs in it: fewer repeat themselves."""


@lru_cache(maxsize=4096)
def is_secret_key(key: str) -> bool:
    """Whether values of this key are secrets, as far as its name tells."""
    words = [word.lower() for word in _WORDS.findall(key)]
    if not words:
        return False
    text = ".".join(words)
    if ("webhook" in text and words[-1] in ("webhook", "url", "uri")) or text.endswith("auth.header"):
        return True
    if _SPEAKS_OF.fullmatch(words[-1]) or words[-1].endswith(_SPEAKS_OF_END):
        return False
    return bool(_NAMED.search(text) or _KEY.search(text))


def looks_secret(value: str) -> bool:
    """Whether the value, or a part of it, is a secret by its looks. A config provider's reference (`${…}`) is none."""
    end = value.rfind("}") + 1  # looking on from each `${` that nothing closes would be quadratic
    text = REFERENCE.sub("${}", value[:end]) + value[end:]
    if any(pattern.search(text) for pattern in _IN_VALUE) or _TOKENS.search(text):
        return True
    return any(_is_random(one) for one in _candidates(text))


def is_sensitive(key: str, value: str) -> bool:
    """Whether the value does not belong into Git. A reference of a config provider is no secret."""
    if looks_secret(value):
        return True
    if value in ("", "true", "false") or "${" in value:
        return False
    return is_masked(value) or is_secret_key(key)


def is_partly_masked(value: str) -> bool:
    """A readable value with a part that hides another: it cannot be told from what the connector has."""
    return re.search(r"\*{3}|([^\x00-\x7f\w\s])\1{2}", value) is not None and not is_masked(value)


def _candidates(text: str) -> Iterator[str]:
    """The value itself, or longer pieces of it."""
    bare = text.strip().strip("\"'")
    if _WHOLE.fullmatch(bare):
        yield bare
        return
    for piece in re.split(r"[\s,;&?:\"'{}\[\]()<>]+|(?<=[\w])=(?=[\w])", bare):
        if len(piece) >= _HEX_LONG and _WHOLE.fullmatch(piece):
            yield piece


def _is_random(text: str) -> bool:
    """Made by a machine: letters and digits change so often that no word is among them."""
    body = text.rstrip("=")
    if len(body) < _LONG or not any(sign.isdigit() for sign in body) or not any(sign.isalpha() for sign in body):
        return False
    signs = sum(sign in "+/_-" for sign in body)
    if signs > len(body) / 10:
        return False
    changes = sum(_class(one) != _class(other) for one, other in pairwise(body)) / (len(body) - 1)
    if re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", body):
        return len(body) >= _HEX_LONG and changes > 0.2
    if len(set(body)) < _VARIED:
        return False
    mixed = any(sign.islower() for sign in body) and any(sign.isupper() for sign in body)
    return changes > (0.38 if mixed else 0.2)


def _class(sign: str) -> int:
    return 0 if sign.isdigit() else 1 if sign.islower() else 2 if sign.isupper() else 3
