"""Java stack traces, as Connect gives them for a failed task, cut down to what a person needs."""

from __future__ import annotations

from lenses_operator.resources.text import plain

CAUSED_BY = "Caused by: "
TRACE_LIMIT = 1024
"""Bytes of one task's error in status."""
READ = 128 * 1024
"""Characters of a trace that are read at either end: looking for secrets in megabytes takes seconds."""
CAUSE_LIMIT = 400
"""Characters of a root cause in a condition's message: its beginning and its end."""
GAP = " … "


def ends(trace: str) -> str:
    """The first and the last lines of a trace that is too long to be read, whole lines alone: none is cut in two."""
    if len(trace) <= 2 * READ:
        return trace
    first = trace[:READ].rpartition("\n")[0] or "(a line too long to be shown)"
    return f"{first}\n…\n{trace[-READ:].partition(chr(10))[2]}"


def root_cause(trace: str | None) -> str:
    """The innermost `Caused by`, or the first line where there is none; one line."""
    causes = _causes(trace or "")
    return _ends_of(causes[-1] if causes else _first_line(trace or ""))


def _causes(trace: str) -> list[str]:
    lines = (line.strip() for line in trace.splitlines())
    return [line.removeprefix(CAUSED_BY) for line in lines if line.startswith(CAUSED_BY)]


def _first_line(trace: str) -> str:
    return next(iter(trace.splitlines()), "").strip()


def _ends_of(line: str) -> str:
    """Its beginning, which says what failed, and its end, which often says what to do."""
    if len(line) <= CAUSE_LIMIT:
        return line.rstrip()
    half = (CAUSE_LIMIT - len(GAP)) // 2
    return line[:half].rstrip() + GAP + line[-half:].strip()


def excerpt(trace: str, limit: int = TRACE_LIMIT) -> str:
    """The first lines and the root cause, at most `limit` bytes of UTF-8, never half a character."""
    trace = plain(trace)
    cause = root_cause(trace)
    text = trace.strip()
    if len(text.encode()) <= limit:
        return text
    tail = f"\n{CAUSED_BY}{cause}" if _causes(text) else ""
    if not tail and len(_first_line(text).encode()) > limit:
        return _cut(_first_line(text), limit)
    room = limit - len(f"\n…{tail}".encode())
    head = text.encode()[: max(room, 0)].decode(errors="ignore")
    kept = head.rsplit("\n", 1)[0] if "\n" in head else head
    if tail.strip() and tail.strip() in kept:
        tail = ""
    return (f"{kept}\n…{tail}").encode()[:limit].decode(errors="ignore")


def _cut(line: str, limit: int) -> str:
    """Its beginning, and the end that `_ends_of` keeps."""
    end = GAP + line[-(CAUSE_LIMIT - len(GAP)) // 2 :].strip()
    head = line.encode()[: max(limit - len(end.encode()), 0)].decode(errors="ignore")
    return (head.rstrip() + end).encode()[:limit].decode(errors="ignore")


def abridged(trace: str) -> str:
    """As much of a trace as `excerpt` and `root_cause` need of it, and no more where it is long."""
    if len(trace) <= 4 * TRACE_LIMIT:
        return trace
    trace = plain(trace).strip()
    head, first = trace[: 2 * TRACE_LIMIT], _first_line(trace)
    if _causes(trace):
        return f"{head}\n…\n{CAUSED_BY}{root_cause(trace)}"
    return head + (GAP + first[-CAUSE_LIMIT:] if len(first) > len(head) else "") + "\n…"
