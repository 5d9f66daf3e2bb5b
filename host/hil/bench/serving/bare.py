"""The forward pass alone, without a service around it: what a server can be measured against."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hil.server.answer import Request


@dataclass(frozen=True)
class BareRate:
    """Samples a second of one thread."""

    forward_per_s: float
    """The server half's network in batches of decoded payloads."""
    decoded_per_s: float
    """The same, decoding them as well."""
    forward_cpu_ms: float
    """Processor time of one sample's forward pass: unlike a rate it depends little on who else computes."""


class Bare:
    """Holds the server half in this process. Raises BundleError."""

    def __init__(self, bundle: Path, payloads: Sequence[bytes], batch: int, threads: int = 1) -> None:
        import torch

        from hil.schemes.remote import RemoteHalf

        torch.set_num_threads(threads)
        self._remote = RemoteHalf(bundle)
        self._requests = [Request(payloads[at % len(payloads)]) for at in range(batch)]
        self.measure(0.0)

    def measure(self, seconds: float) -> BareRate:
        """Takes about `seconds`; one batch of each at least."""
        decoded = [self._remote.decode_request(request).values for request in self._requests]
        values = [one for one in decoded if one is not None]
        batches, began_s, began_cpu_s = 0, time.perf_counter(), time.process_time()
        while not batches or time.perf_counter() - began_s < seconds:
            self._remote.logits(values)
            batches += 1
        forward_s = (time.perf_counter() - began_s) / batches / len(values)
        forward_cpu_ms = 1000 * (time.process_time() - began_cpu_s) / batches / len(values)
        decodes, began_s = 0, time.perf_counter()
        while not decodes or time.perf_counter() - began_s < seconds / 4:
            for request in self._requests:
                self._remote.decode_request(request)
            decodes += 1
        decode_s = (time.perf_counter() - began_s) / decodes / len(self._requests)
        return BareRate(1 / forward_s, 1 / (forward_s + decode_s), forward_cpu_ms)
