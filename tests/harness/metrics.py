"""Read the figures a program offers to Prometheus, to count in tests what it did."""

import re
from dataclasses import dataclass
from typing import Self

SAMPLE = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)(?: -?\d+)?$")
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')
REQUESTS = "apiserver_request_total"


@dataclass(frozen=True)
class Sample:
    """One line: a name, its labels and the value."""

    name: str
    labels: dict[str, str]
    value: float


class Metrics:
    """All samples of one moment."""

    def __init__(self, samples: list[Sample]) -> None:
        self.samples = samples

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text format."""
        matches = (SAMPLE.match(line) for line in text.splitlines() if not line.startswith("#"))
        return cls([Sample(m["name"], _labels(m["labels"]), float(m["value"])) for m in matches if m])

    def total(self, name: str, **labels: str) -> float:
        """The sum over every sample of that name whose labels include these."""
        wanted = labels.items()
        return sum(s.value for s in self.samples if s.name == name and wanted <= s.labels.items())

    def requests(self, **labels: str) -> float:
        """How many requests the API server answered, by `resource`, `subresource`, `verb` and so on."""
        return self.total(REQUESTS, **labels)


def _labels(text: str | None) -> dict[str, str]:
    unescape = {r"\\": "\\", r"\"": '"', r"\n": "\n"}
    return {key: re.sub(r"\\.", lambda m: unescape.get(m[0], m[0]), value) for key, value in LABEL.findall(text or "")}
