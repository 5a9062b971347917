"""The operator's settings, from environment variables with the prefix LENSES_OPERATOR_."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, HttpUrl, TypeAdapter, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "LENSES_OPERATOR_"
HTTP_URL = TypeAdapter(HttpUrl)


class SettingsError(ValueError):
    """One line for each bad setting; names the variable."""


class Settings(BaseSettings):
    """Durations in seconds."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)

    lenses_url: str
    lenses_token_file: Path
    lenses_ca_file: Path | None = None
    watch_namespaces: Annotated[tuple[str, ...], NoDecode] = ()
    label_selector: str = ""
    policy_file: Path | None = None
    watch_references: bool = False
    poll_interval: float = Field(default=15.0, ge=0.1, le=3600)
    drift_interval: float = Field(default=300.0, ge=1, le=86400)
    concurrency: int = Field(default=16, ge=2, le=256)
    http_port: int = Field(default=8080, ge=0, le=65535)
    http_host: str = "0.0.0.0"  # noqa: S104 - the kubelet and Prometheus come from other addresses
    log_format: Literal["json", "text"] = "json"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    leader_election: bool = False
    leader_election_namespace: str = ""
    leader_election_name: str = "lenses-operator"

    @field_validator("lenses_url")
    @classmethod
    def _http(cls, value: str) -> str:
        url = HTTP_URL.validate_python(value)
        if url.username or url.password:
            raise ValueError("must not carry a user or password; the token file is for that")
        return value.rstrip("/")

    @field_validator("watch_namespaces", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

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
