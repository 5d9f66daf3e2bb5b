"""Whether a reply is the server half's: keys and tags, by keyed BLAKE2s (RFC 7693).

`mcu/auth/` is the device's side. A device's key is known to the device and the server half; the host between
them only carries what both say.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from hashlib import blake2s
from typing import Final

from hil.wire.protocol import KEY_BYTES, REPLY_LABEL, TAG_BYTES, ReplyStatus

_PERSON: Final = b"hil-dev"
_QUESTION = struct.Struct("<BIII")
"""label, counter, sample, bytes of the payload, which follows."""
_ANSWER = struct.Struct("<BB")
"""status, number of logits, which follow."""


def device_key(token: str) -> bytes:
    """The key of a device whose server half knows it by `token`."""
    return blake2s(token.encode(), digest_size=KEY_BYTES, person=_PERSON).digest()


def session_key(key: bytes, device_nonce: bytes, server_nonce: bytes) -> bytes:
    """What the tags of one session are made with; `key` is the device's."""
    return blake2s(device_nonce + server_nonce, key=key, digest_size=KEY_BYTES).digest()


def reply_tag(
    key: bytes, counter: int, sample: int, payload: bytes, status: ReplyStatus, logits: Sequence[int]
) -> bytes:
    """The tag of the reply to `payload` in the exchange of that number; `key` is the session's."""
    asked = _QUESTION.pack(REPLY_LABEL, counter, sample, len(payload)) + payload
    answered = _ANSWER.pack(status, len(logits)) + struct.pack(f"<{len(logits)}h", *logits)
    return blake2s(asked + answered, key=key, digest_size=TAG_BYTES).digest()
