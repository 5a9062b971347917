"""The way to Lenses: name, connection, TLS, the first answer, the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urljoin, urlsplit

from lenses_operator.diagnosis.failures import UNAUTHORIZED
from lenses_operator.diagnosis.results import Result, failed, ok, skipped, some, warning

GROUP = "Lenses"
EXPIRES_SOON = timedelta(days=21)
CLOCK_OFF = timedelta(seconds=30)
"""More than any answer takes, and enough to make the times in status and Events misleading."""

# OpenSSL's X509_V_ERR_*, the ones people meet.
_CERTIFICATE = {
    9: ("its certificate is not valid yet", "Check the clock here, and the certificate's dates."),
    10: ("its certificate has expired", "Renew the certificate of Lenses or of the ingress before it."),
    18: ("its certificate is self-signed", "Give it as --ca-file, or have Lenses use one from a CA you trust."),
    19: ("its certificate comes from a CA unknown here", "Give the CA's certificate (PEM) as --ca-file."),
    20: (
        "its certificate comes from a CA unknown here",
        "Give the CA's certificate (PEM) as --ca-file; if you did, the server leaves out an intermediate certificate.",
    ),
    21: ("its certificate cannot be verified", "Give the CA's certificate (PEM) as --ca-file."),
    62: ("its certificate is for another name", "Use the name the certificate is for, or have it reissued."),
    64: ("its certificate is for another IP address", "Use the name the certificate is for, not an IP address."),
}


def host_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def name_found(host: str, addresses: list[str]) -> Result:
    return ok(GROUP, "name", f"{host} is {some(addresses)}")


def name_unknown(host: str, why: str) -> Result:
    return failed(
        GROUP,
        "name",
        f"{host} cannot be resolved: {why}",
        "Check the URL's host. A name that only the cluster knows cannot be asked from a laptop: run this in the pod.",
    )


def connected(host: str, port: int, seconds: float) -> Result:
    return ok(GROUP, "connection", f"{host}:{port} answers within {seconds * 1000:.0f} ms")


def not_connected(host: str, port: int, why: str) -> Result:
    return failed(
        GROUP,
        "connection",
        f"no connection to {host}:{port}: {why}",
        "Refused: nothing listens there, check the port. No answer: a firewall, NetworkPolicy or VPN is between. "
        "A proxy is used only where LENSES_OPERATOR_LENSES_PROXY names it.",
    )


def no_answer(host: str, port: int, why: str) -> Result:
    return failed(
        GROUP,
        "API",
        f"{host}:{port} takes the connection, but no HTTP answer comes: {why}",
        "Is it an HTTP port, and is the URL's scheme (http, https) the right one?",
    )


def proxy_not_read(words: str) -> Result:
    return warning(GROUP, "proxy", words, "Set it where Lenses is reached through a proxy; else nothing is to be done.")


def tls_through_proxy(host: str, port: int) -> Result:
    return skipped(GROUP, "TLS", f"through the proxy {host}:{port}", "The first answer shows whether it works.")


def no_tls() -> Result:
    return warning(GROUP, "TLS", "the URL is http: the token crosses the network in clear", "Use https.")


def secure(protocol: str, expires: datetime | None, now: datetime) -> Result:
    until = f", certificate valid until {expires:%Y-%m-%d}" if expires else ""
    if expires and expires - now < EXPIRES_SOON:
        return warning(GROUP, "TLS", f"{protocol}{until}", "Renew it before then: the operator stops working that day.")
    return ok(GROUP, "TLS", f"{protocol}{until}")


def bad_certificate(code: int, words: str) -> Result:
    what, remedy = _CERTIFICATE.get(code, ("its certificate is refused", "See OpenSSL's words."))
    return failed(GROUP, "TLS", f"{what} ({words})", remedy)


def bad_handshake(words: str) -> Result:
    remedy = "Does that port speak TLS? If it is plain HTTP, use http:// or its TLS port."
    if "CERTIFICATE_REQUIRED" in words or "HANDSHAKE_FAILURE" in words:
        remedy = (
            "The server may ask for a client certificate, which the operator does not have; or the TLS versions differ."
        )
    return failed(GROUP, "TLS", f"no TLS handshake: {words}", remedy)


@dataclass(frozen=True)
class FirstAnswer:
    """An answer as it came. `date`: of its header."""

    url: str
    status: int
    content_type: str = ""
    location: str = ""
    date: datetime | None = None
    page: bool = False
    """The body begins like HTML."""


def first_answer(answer: FirstAnswer) -> Result:
    """Is it Lenses that answers, whatever it says?"""
    seen = f"GET {urlsplit(answer.url).path}: status {answer.status}, {answer.content_type or 'no content type'}"
    if 300 <= answer.status < 400:
        return _redirected(answer, seen)
    if answer.page and answer.status >= 500:
        return failed(
            GROUP,
            "API",
            f"an ingress or proxy answers {answer.status} in Lenses' place",
            "It does not reach Lenses: see whether Lenses runs and is healthy, and where that ingress forwards to.",
            seen,
        )
    if answer.page:
        return failed(
            GROUP,
            "API",
            "a page (HTML) comes instead of an answer of the API",
            "An ingress, a proxy or a single-sign-on login answers in Lenses' place: check host, port and path of the "
            "URL, and let requests with a bearer token through to Lenses. (A Connect worker that is just starting says "
            "404 with a page: try again in a minute.)",
            seen,
        )
    if "json" not in answer.content_type and answer.status != 401:
        return warning(
            GROUP, "API", "the answer is not JSON", "Compare the URL with the one Lenses itself is opened with.", seen
        )
    return ok(GROUP, "API", f"answers JSON (status {answer.status})")


def _redirected(answer: FirstAnswer, seen: str) -> Result:
    there, here = urlsplit(urljoin(answer.url, answer.location)), urlsplit(answer.url)
    seen = f"{seen}, Location {there.scheme}://{there.netloc}{there.path}"
    if any(word in f"{there.netloc}{there.path}".lower() for word in ("login", "signin", "sso", "oauth", "auth")):
        what, remedy = "to a login page", "Let requests with a bearer token past the single sign-on."
    elif (there.hostname, there.port) != (here.hostname, here.port):
        what, remedy = f"to another host, {there.netloc}", f"Use {there.scheme}://{there.netloc} if that is Lenses."
    elif there.scheme != here.scheme:
        what, remedy = f"to {there.scheme}", f"Use {there.scheme}:// in the URL."
    else:
        what, remedy = f"to {there.path}", "Check the path in the URL."
    return failed(GROUP, "API", f"redirected {what}; redirects are not followed, the token stays here", remedy, seen)


def token(answer: FirstAnswer) -> Result:
    """By the status alone; 403 and 404 come after the token was recognised."""
    match answer.status:
        case 401:
            return failed(GROUP, "token", "not accepted (401)", UNAUTHORIZED)
        case 402:
            return failed(GROUP, "token", "refused for the licence (402)", "Check the licence in Lenses' settings.")
        case 403:
            return warning(
                GROUP,
                "token",
                "known, but it may not read this environment (403)",
                "Give its service account a role for the environment. See the environment's own checks below.",
            )
        case 429:
            return skipped(GROUP, "token", "Lenses asks for a pause (429)", "Try again later.")
        case status if status >= 500:
            return skipped(GROUP, "token", f"cannot be judged by an answer with status {status}")
        case _:
            return ok(GROUP, "token", "accepted")


def clock(answer: FirstAnswer, now: datetime) -> Result:
    if answer.date is None:
        return skipped(GROUP, "clock", "the answer has no Date header")
    off = now - answer.date
    if abs(off) > CLOCK_OFF:
        ahead = "ahead of" if off > timedelta(0) else "behind"
        return warning(
            GROUP,
            "clock",
            f"the clock here is {abs(off.total_seconds()):.0f} s {ahead} Lenses'",
            "Correct the clock (NTP) that is wrong: times in status, waiting times and certificates depend on it.",
        )
    return ok(GROUP, "clock", "agrees with Lenses'")
