"""TCP ports on this machine: free ones for Renode, and whether one the user named is free."""

from __future__ import annotations

import socket

from hil.errors import BoardError


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on, all different. Another program may still be faster than Renode."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("0.0.0.0", 0))  # as Renode does, which listens on every interface
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


def check_free(port: int, option: str) -> None:
    """Raises BoardError when `port`, which the user chose by `option`, is taken."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("0.0.0.0", port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise BoardError(
                f"port {port} cannot be used ({option}): {reason}", "choose another one, 1024 to 65535"
            ) from None
