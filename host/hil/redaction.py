"""What must not be told: tokens in texts that people and programs are shown, or that are kept."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Final

MASK: Final = "•••"
_CREDENTIAL: Final = re.compile(
    r"(?<![\w/.-])([^\s:/'\"=,]{1,64}):(?![0-9a-f]+(?![\w-]))([A-Za-z0-9_-]{32,128})(?![\w:])"
)
"""`name:token` as `hil serve --new-token` makes it, wherever somebody may have put it; no digest."""
_SHORTEST: Final = 8
"""Characters of a secret that is looked for: anything shorter would mask innocent words."""


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without `secrets`, without the environment's token, and without what looks like a credential."""
    environment = os.environ.get("HIL_TOKEN", "").strip().rpartition(":")[2]
    for secret in (*secrets, environment):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, MASK)
    return _CREDENTIAL.sub(rf"\1:{MASK}", text)
