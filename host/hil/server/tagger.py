"""The tags by which a device knows a server half's answers, for one session."""

from __future__ import annotations

import secrets
from dataclasses import replace

from hil.server.answer import Answer, Request, Status
from hil.wire import authentic
from hil.wire.protocol import NONCE_BYTES, ReplyStatus


class Tagger:
    """Gives answers no tag until a session has begun."""

    def __init__(self) -> None:
        self._key: bytes | None = None

    def begin(self, device_key: bytes, device_nonce: bytes, server_nonce: bytes = b"") -> bytes:
        """The server's nonce: the one of a session that goes on, else a new one."""
        server_nonce = server_nonce or secrets.token_bytes(NONCE_BYTES)
        self._key = authentic.session_key(device_key, device_nonce, server_nonce)
        return server_nonce

    def tagged(self, answer: Answer, request: Request) -> Answer:
        """`answer` to `request` with the tag of the reply that becomes of it."""
        stamp = request.stamp
        if stamp is None or self._key is None:
            return answer
        status = ReplyStatus.OK if answer.status is Status.OK else ReplyStatus.UNAVAILABLE
        tag = authentic.reply_tag(
            self._key, stamp.counter, stamp.sample, request.payload, status, answer.logits
        )
        return replace(answer, tag=tag)
