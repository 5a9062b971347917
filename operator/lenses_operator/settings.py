"""The operator's settings, from environment variables with the prefix LENSES_OPERATOR_."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, HttpUrl, TypeAdapter, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from lenses_operator.resources.conditions import shorten
from lenses_operator.resources.text import one_row
from lenses_operator.variables import PREFIX

HTTP_URL = TypeAdapter(HttpUrl)
LINE = 500
"""Characters of what is said of a setting: it may quote a path."""
ANYWHERE = "0.0.0.0"  # noqa: S104 - the kubelet and Prometheus come from other addresses
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
ADDRESS = re.compile(r"[A-Za-z0-9:.%_-]{1,253}")
_KEY = r"\s*([A-Za-z0-9.-]{1,253}/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?\s*"
_VALUE = r"\s*([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?\s*"
_TERM = rf"({_KEY}(={{1,2}}|!=){_VALUE}|{_KEY}\s(not)?in\s*\({_VALUE}(,{_VALUE})*\)\s*|\s*!?{_KEY})"
SELECTOR = re.compile(rf"{_TERM}(,{_TERM})*")


class SettingsError(ValueError):
    """One line for each bad setting; names the variable."""

    @classmethod
    def about(cls, field: str, problem: Exception) -> Self:
        """A setting that only turns out to be bad when it is used."""
        return cls(f"{PREFIX}{field.upper()}: {shorten(one_row(str(problem)), LINE)}")


class Settings(BaseSettings):
    """Durations in seconds."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)

    lenses_url: str
    lenses_token_file: Path
    lenses_ca_file: Path | None = None
    lenses_proxy: str = Field(default="", repr=False)
    watch_namespaces: Annotated[tuple[str, ...], NoDecode] = ()
    label_selector: str = ""
    policy_file: Path | None = None
    watch_references: bool = False
    poll_interval: float = Field(default=15.0, ge=0.1, le=3600)
    list_rate: float = Field(default=10.0, ge=0.1, le=1000)
    drift_interval: float = Field(default=300.0, ge=1, le=86400)
    concurrency: int = Field(default=16, ge=2, le=256)
    http_port: int = Field(default=8080, ge=0, le=65535)
    http_host: str = ANYWHERE
    log_format: Literal["json", "text"] = "json"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    leader_election: bool = True
    leader_election_namespace: str = ""
    leader_election_name: str = "lenses-operator"
    digest_key_secret: str = "lenses-operator-digest-key"  # noqa: S105 - a name

    @field_validator("lenses_url")
    @classmethod
    def _http(cls, value: str) -> str:
        value = value.strip()
        if any(character.isspace() or not character.isprintable() for character in value):
            raise ValueError("must be one URL, without white space or control characters")
        url = HTTP_URL.validate_python(value)
        if url.query or url.fragment:
            raise ValueError("must hold neither a query nor a fragment")
        if url.username or url.password:
            raise ValueError("must not carry a user or password; the token file is for that")
        return value.rstrip("/")

    @field_validator("lenses_proxy")
    @classmethod
    def _proxy(cls, value: str) -> str:
        """The problem is reported without the value, which may have a password in it."""
        value = value.strip()
        try:
            url = HTTP_URL.validate_python(value) if value else None
        except ValidationError:
            raise ValueError("must be one URL, http or https, such as http://proxy.example.com:3128") from None
        if url is not None and (url.query or url.fragment or url.path not in (None, "", "/")):
            raise ValueError("must hold no path, query or fragment")
        return value.rstrip("/")

    @field_validator("watch_namespaces", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Each once: one that is named twice would be listed twice."""
        if not isinstance(value, str):
            return value
        found = tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
        if value and not found:
            raise ValueError("names no namespace; leave it empty for all of them")
        return found

    @field_validator("watch_namespaces")
    @classmethod
    def _namespaces(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not LABEL.fullmatch(name):
                raise ValueError("must be names of namespaces, separated by commas; none can be a pattern")
        return value

    @field_validator("label_selector")
    @classmethod
    def _selects(cls, value: str) -> str:
        if value.strip() and not SELECTOR.fullmatch(value):
            raise ValueError("must be a label selector, such as team=payments,env!=dev")
        return value.strip()

    @field_validator("leader_election_namespace")
    @classmethod
    def _namespace(cls, value: str) -> str:
        if value and not LABEL.fullmatch(value):
            raise ValueError("must be the name of a namespace")
        return value

    @field_validator("leader_election_name", "digest_key_secret")
    @classmethod
    def _lease(cls, value: str) -> str:
        if len(value) > 253 or not all(LABEL.fullmatch(part) for part in value.split(".")):
            raise ValueError("must be a name that a Lease or Secret can have: lower case letters, digits, - and .")
        return value

    @field_validator("http_host")
    @classmethod
    def _address(cls, value: str) -> str:
        if not ADDRESS.fullmatch(value):
            raise ValueError("must be an address or the name of a host")
        return value

    @field_validator("lenses_token_file", "lenses_ca_file", "policy_file", mode="before")
    @classmethod
    def _file(cls, value: object) -> object:
        if isinstance(value, str) and not value.strip():
            raise ValueError("is empty; it must name a file")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @classmethod
    def load(cls) -> Settings:
        """From the environment. Raises SettingsError."""
        try:
            return cls()
        except ValidationError as error:
            lines = []
            for problem in error.errors(include_input=False, include_url=False):
                name = PREFIX + "_".join(str(part) for part in problem["loc"]).upper()
                said = "is not set" if problem["type"] == "missing" else problem["msg"].removeprefix("Value error, ")
                lines.append(f"{name}: {said}")
            raise SettingsError("\n".join(lines)) from None
