"""How often one address may knock: a bucket of places for each, filled again with time.

A wrong token takes many places, so that whoever guesses is soon not heard any more. This machine's own
addresses are let through: they are no strangers, and measurements open thousands of connections.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict

PLACES = 64.0
"""Connections at once."""
PLACES_A_SECOND = 16.0
WRONG_TOKEN = 16.0
"""Places that one takes: one guess a second, in the long run, from one address."""
ADDRESSES_MAX = 4096
"""Those are remembered that came last."""
_HERE = "this machine"
_IPV6_NETWORK = 64
"""Bits: whoever has one IPv6 address mostly has all of such a network."""


class Gate:
    """For one service."""

    def __init__(self) -> None:
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def admits(self, address: str, now_s: float) -> bool:
        """Whether a connection from `address` may begin at `now_s`, which takes a place."""
        left = self._filled(address, now_s)
        if left >= 1:
            self._keep(address, left - 1, now_s)
        return left >= 1

    def guessed_wrong(self, address: str, now_s: float) -> None:
        """A token from `address` was not the right one."""
        self._keep(address, max(-WRONG_TOKEN, self._filled(address, now_s) - WRONG_TOKEN), now_s)

    def _filled(self, address: str, now_s: float) -> float:
        """Places that are free by now."""
        left, since_s = self._left.get(_network(address), (PLACES, now_s))
        return min(PLACES, left + (now_s - since_s) * PLACES_A_SECOND)

    def _keep(self, address: str, left: float, now_s: float) -> None:
        name = _network(address)
        if name == _HERE:
            return
        self._left[name] = left, now_s
        self._left.move_to_end(name)
        if len(self._left) > ADDRESSES_MAX:
            self._left.popitem(last=False)


def _network(address: str) -> str:
    """What shares a bucket."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found
    if found.is_loopback:
        return _HERE
    bits = _IPV6_NETWORK if found.version == 6 else found.max_prefixlen
    return str(ipaddress.ip_network((found, bits), strict=False))
