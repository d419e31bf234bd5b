"""Sending a POST again without doing it again: the first answer is kept a day and replayed."""

import hashlib
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import delete
from starlette.requests import Request
from starlette.responses import Response

from api.access import Desk
from api.problems import Problem
from cms.tables.people import IdempotentAnswer

KEPT_FOR = timedelta(hours=24)
_KEPT_HEADERS = ("etag", "location", "content-type", "cache-control")


def once(
    request: Request,
    desk: Desk,
    body: bytes,
    work: Callable[[], Response],
    *,
    kept: Callable[[Response], bytes] = lambda answer: bytes(answer.body),
) -> Response:
    """Do the work, or replay what it answered under the same `Idempotency-Key`. Raises a 422 problem for another body.

    The answer is kept in the transaction of the work: both are there or neither. `kept` leaves secrets out of it."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return work()
    said = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + body
    fingerprint = hashlib.sha256(said).hexdigest()
    first = desk.session.get(IdempotentAnswer, (desk.actor.id, key))
    if first is not None and first.created_at > desk.by.at - KEPT_FOR:
        if first.fingerprint != fingerprint:
            raise Problem(422, "idempotency_key_reused", "This Idempotency-Key was sent with another request before.")
        return Response(first.body, first.status, {**first.headers, "Idempotency-Replayed": "true"})
    desk.session.execute(delete(IdempotentAnswer).where(IdempotentAnswer.created_at <= desk.by.at - KEPT_FOR))
    answer = work()
    desk.session.add(
        IdempotentAnswer(
            actor_id=desk.actor.id,
            key=key,
            fingerprint=fingerprint,
            status=answer.status_code,
            headers={name: answer.headers[name] for name in _KEPT_HEADERS if name in answer.headers},
            body=kept(answer),
            created_at=desk.by.at,
        )
    )
    return answer
