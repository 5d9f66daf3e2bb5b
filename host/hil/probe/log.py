"""pyOCD's log, kept for the run folder instead of the terminal."""

from __future__ import annotations

import io
import logging


class ProbeLog:
    """Takes what pyOCD logs from now on; nothing of it is printed."""

    def __init__(self, level: int = logging.INFO) -> None:
        self._text = io.StringIO()
        handler = logging.StreamHandler(self._text)
        handler.setFormatter(logging.Formatter("%(relativeCreated)d ms %(levelname)s %(name)s: %(message)s"))
        logger = logging.getLogger("pyocd")
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(level)

    def content(self) -> bytes:
        """The log so far."""
        return self._text.getvalue().encode()
