"""The unlock sequences of FLASH_KEYR and FLASH_OPTKEYR (RM0385 3.3.4, 3.4.2)."""

from __future__ import annotations


class KeyLock:
    """Locked after reset; two keys in order open it, a wrong one jams it until the next reset."""

    def __init__(self, keys: tuple[int, int]) -> None:
        self._keys = keys
        self.reset()

    def reset(self) -> None:
        self.locked = True
        self._jammed = False
        self._first_seen = False

    def lock(self) -> None:
        """What firmware does by its lock bit."""
        self.locked = True
        self._first_seen = False

    def write(self, key: int) -> bool:
        """Takes a key; False for a wrong one, which the bus answers with an error."""
        if self._jammed or key != self._keys[self._first_seen]:
            self._jammed = self.locked = True
            return False
        if self._first_seen:
            self.locked = False
        self._first_seen = not self._first_seen
        return True
