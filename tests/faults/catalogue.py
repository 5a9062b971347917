"""Faults that the operator once had, as the smallest change that brings each back.

Each takes away one line of defence that was put there because of it. `before` stands exactly once in the module: where
it no longer does, the code has changed and the fault has to be put anew. `tests` are those that must notice it.
"""

from __future__ import annotations

from dataclasses import dataclass

CONNECTOR = "controllers/connector"
TURNS = "tests/unit/controllers/test_turns.py"
REFUSALS = "tests/unit/controllers/test_refusals.py"
UPDATES = "tests/unit/controllers/test_updates.py"
AUTHORSHIP = "tests/unit/controllers/test_authorship.py"


@dataclass(frozen=True)
class Fault:
    """`module` is a path in the package, `tests` are paths in the repository."""

    what: str
    module: str
    before: str
    after: str
    tests: tuple[str, ...]


FAULTS: dict[str, Fault] = {
    "one-denial-is-proof": Fault(
        "a finalizer goes after a single 404, which a token that lost a right for a moment sees too",
        "domain/deleting.py",
        "return replace(seen, proven_at=at) if self.denied_at >= self.absent_at + ABSENCE else seen",
        "return replace(seen, proven_at=at)",
        ("tests/unit/domain/test_deleting.py",),
    ),
    "a-list-from-between": Fault(
        "a finalizer goes by a second 404 of a token that has lost its rights since the last list",
        "controllers/connector/delete.py",
        "self._visibility(context, known.denied_at)",
        "self._visibility(context, known.absent_at)",
        ("tests/unit/controllers/test_hidden.py",),
    ),
    "the-newest-attempt": Fault(
        "of creates without a clear answer the last is taken for the one that worked, and a Secret's old value stays",
        f"{CONNECTOR}/written.py",
        "return min(left, key=lambda one: one.config == context.wanted.config)",
        "return left[0]",
        ("tests/unit/controllers/test_attempts.py",),
    ),
    "accepted-for-another": Fault(
        "an accepted DELETE counts for the connector that somebody created after it",
        "domain/deleting.py",
        "accepted_at = None if self.missing_since is not None else self.accepted_at",
        "accepted_at = self.accepted_at",
        ("tests/unit/domain/test_deleting.py",),
    ),
    "a-list-from-before": Fault(
        "a list from before a right was lost proves that the token still sees",
        "lenses_state/pollers.py",
        "            and poller.view.asked_at > since\n",
        "",
        ("tests/unit/controllers/test_absence.py",),
    ),
    "news-taken-for-known": Fault(
        "a change that somebody made is not shown to the handlers, since the object is known in another version",
        "cache/objects.py",
        'return known != (metadata.get("uid"), metadata.get("resourceVersion"))',
        'return known is None or known[0] != metadata.get("uid")',
        ("tests/unit/kube/test_watch_session.py",),
    ),
    "a-bookmark-without-a-version": Fault(
        "what is known moves the watch on to no version, and each watch begins with all that came since the list",
        "kube/watch_session.py",
        '"metadata": {"resourceVersion": version}',
        '"metadata": {}',
        ("tests/unit/kube/test_watch_session.py",),
    ),
    "lost-at-first-sight": Fault(
        "a connector that is hidden for a moment is created once more",
        "domain/decide.py",
        "if existed and not situation.taken_down and situation.absent_for < LOST:",
        "if existed and not situation.taken_down and situation.absent_for < 0:",
        ("tests/unit/domain/test_decide.py",),
    ),
    "delete-though-retained": Fault(
        "a DELETE that waited for its place is sent although the policy says Retain by now",
        f"{CONNECTOR}/delete.py",
        "return now.metadata.generation != context.generation",
        "return False",
        (TURNS,),
    ),
    "delete-though-let-go": Fault(
        "a connector is deleted for a resource whose finalizer somebody took off meanwhile",
        f"{CONNECTOR}/delete.py",
        "return tombstone is None or tombstone.resource.metadata.uid != context.resource.metadata.uid",
        "return False",
        (TURNS,),
    ),
    "state-though-suspended": Fault(
        "a state change that waited for its place is sent although the spec is another by now",
        f"{CONNECTOR}/state.py",
        "precondition=self._acting.precondition(context)",
        "precondition=lambda: True",
        (TURNS,),
    ),
    "refused-again-and-again": Fault(
        "what create refused and was rolled back is tried again, which takes the running connector down once more",
        f"{CONNECTOR}/refusal.py",
        "replace(context.memory.refusals, until=inf, rolled_back=_refused_now(context))",
        "replace(context.memory.refusals, rolled_back=_refused_now(context))",
        (REFUSALS,),
    ),
    "a-stranger-s-is-ours": Fault(
        "a connector that appears while the first create is refused is taken for ours",
        f"{CONNECTOR}/create.py",
        "            if first:\n                authorship.contest(context)\n",
        "",
        (AUTHORSHIP,),
    ),
    "offsets-twice": Fault(
        "an offsets operation cut off after its request is asked for again, though the connector has run since",
        "controllers/offsets/steps.py",
        "if not progress.unsent and await self._known_by_now(run):",
        "if progress.unsent and await self._known_by_now(run):",
        ("tests/unit/offsets/test_outcome.py",),
    ),
    "offsets-unseen": Fault(
        "offsets of a spec that was edited while `before` was written are applied",
        "controllers/offsets/steps.py",
        "if after is None or after.metadata.generation != run.generation:",
        "if after is None:",
        (TURNS, "tests/unit/offsets/test_meanwhile.py"),
    ),
    "a-poller-ends": Fault(
        "a poller that meets an unexpected error ends, and nobody notices",
        "lenses_state/poller.py",
        "            except Exception as error:\n                log.exception(",
        "            except OSError as error:\n                log.exception(",
        ("tests/unit/lenses_state/test_poller.py",),
    ),
    "poll-now-forgotten": Fault(
        "a wish to list again that comes during a list is forgotten for a whole interval",
        "lenses_state/poller.py",
        "                await self.poll()\n            except",
        "                await self.poll()\n                self._soon.clear()\n            except",
        ("tests/unit/lenses_state/test_poller.py",),
    ),
    "nobody-takes-over": Fault(
        "a resource that waits for a connector is not woken where its owner lets go but stays",
        "cache/connectors.py",
        "if before is not None and _lets_go(before, resource):",
        "if before is not None and before.connector != resource.connector:",
        ("tests/unit/controllers/test_released.py",),
    ),
    "kept-for-good": Fault(
        "values of Secrets are kept for every connector that ever was",
        f"{CONNECTOR}/forget.py",
        "            self._inputs.forget(connector)\n",
        "            pass\n",
        ("tests/unit/controllers/test_forgetting.py",),
    ),
    "stripped-for-good": Fault(
        "a finalizer that a `kubectl replace` drops is not put back",
        "cache/connectors.py",
        "return old != new or stripped",
        "return old != new",
        ("tests/unit/cache", UPDATES),
    ),
    "values-of-before": Fault(
        "a server's words are shown although they may quote what was rotated before this process began",
        "controllers/redaction.py",
        "return not self._untold and had <= self._versions | besides",
        "return True",
        ("tests/unit/controllers/test_values_of_before.py",),
    ),
    "a-value-encoded": Fault(
        "a Secret's value is shown where a server quotes it URL-encoded",
        "domain/redaction.py",
        "        for layer in layers(text):\n",
        "        for layer in list(layers(text))[:1]:\n",
        ("tests/unit/domain/test_redaction.py",),
    ),
    "sent-without-the-lease": Fault(
        "a request whose connection took its time is sent by a process that no longer leads",
        "lenses/transport.py",
        "            before_head=partial(self._check, call, precondition),\n",
        "            before_head=lambda: None,\n",
        ("tests/unit/lenses/test_limits.py",),
    ),
    "a-post-repeated": Fault(
        "a create whose connection dropped is sent again, though it may have worked",
        "lenses/transport.py",
        'tries_left = FURTHER_TRIES if call.method == "GET" and call.patient else 0',
        "tries_left = FURTHER_TRIES",
        ("tests/unit/lenses/test_retries.py",),
    ),
    "in-the-middle-of-a-delete": Fault(
        "the update's DELETE is sent although the resource is suspended by now",
        f"{CONNECTOR}/update.py",
        "                *context.connector, precondition=self._acting.precondition(context)\n",
        "                *context.connector, precondition=lambda: True\n",
        (TURNS,),
    ),
    "an-older-object": Fault(
        "an older state of an object, from a watch that lags, replaces what the answer to our write brought",
        "cache/objects.py",
        "        if before is not None and resource.version < before.version:\n            return False\n",
        "",
        ("tests/unit/cache",),
    ),
    "in-the-middle-of-an-operation": Fault(
        "a request is sent although an offsets operation has come or gone since it was decided",
        f"{CONNECTOR}/acting.py",
        "            and self.operations.holds_as_before(now, context.held is not None, context.first_operation)\n",
        "",
        (TURNS,),
    ),
    "an-operation-that-nobody-waits-for": Fault(
        "an operation waits for ever for another one whose last write had no answer",
        "cache/operations.py",
        "return moved or old.generation",
        "return old.generation",
        ("tests/unit/offsets/test_unanswered.py",),
    ),
    "quoted-from-a-stranger": Fault(
        "what Lenses says of somebody else's connector in the way of a create stands in status",
        f"{CONNECTOR}/create.py",
        "        context.may_be_foreign()\n",
        "",
        ("tests/unit/controllers/test_others_values.py",),
    ),
}
