"""Server halves that answer late, or something that is no answer."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

from hil.faults.kind import Kind, Layer, Setting
from hil.faults.kinds.asked import ServerInjection
from hil.faults.outcome import Outcome
from hil.faults.values import one_of, quantity
from hil.server.protocol import LENGTH, pack_answer, parse_answer

WAYS: Final = ("any", "none", "fewer", "more", "many", "short", "long")


class ServerSlow(ServerInjection):
    """The answer comes so much later, and the server's own clock says so."""

    def answered(self, message: bytes) -> bytes | None:
        self.took_place(f"{self.settings['ms']:g} ms later")
        number, answer = parse_answer(message[LENGTH.size + 1 :])
        time.sleep(self.settings["ms"] / 1000)
        return pack_answer(
            number, replace(answer, server_us=answer.server_us + round(1000 * self.settings["ms"]))
        )


class WrongAnswerLength(ServerInjection):
    """Logits for more or fewer classes than there are, or a message that is not as long as it says."""

    def answered(self, message: bytes) -> bytes | None:
        wanted = self.settings["how"]
        how = self.random.choice(WAYS[1:]) if wanted == "any" else wanted
        self.took_place(f"{how} logits" if how in WAYS[1:5] else f"too {how} by what it announces")
        if how == "short":
            return (
                LENGTH.pack(len(message) - LENGTH.size - self.random.randint(1, 8)) + message[LENGTH.size :]
            )
        if how == "long":
            return LENGTH.pack(self.random.choice((0, 1 << 21, 0xFFFF_FFFF))) + message[LENGTH.size :]
        number, answer = parse_answer(message[LENGTH.size + 1 :])
        count = len(answer.logits)
        changed = {
            "none": (),
            "fewer": answer.logits[: self.random.randrange(1, max(2, count))],
            "more": answer.logits + (0,) * self.random.randint(1, 50),
            "many": (7,) * self.random.randint(256, 65_535),
        }[how]
        return pack_answer(number, replace(answer, logits=changed))


SERVER_SLOW: Final = Kind(
    "server-slow",
    Layer.SERVER,
    "the server half takes longer",
    frozenset({Outcome.ANSWERED, Outcome.FALLBACK, Outcome.FAILED}),
    ServerSlow,
    (Setting("ms", 1500.0, quantity(0.001, 60_000), "ms", "so much, of which the deadline decides"),),
    own_server=True,
    usual=150,
    trials=("rate=0.9,ms=100", "rate=0.9,ms=250"),
)
WRONG_ANSWER_LENGTH: Final = Kind(
    "wrong-answer-length",
    Layer.SERVER,
    "the server half's answer has another length than it should",
    frozenset({Outcome.FALLBACK, Outcome.ANSWERED, Outcome.FAILED}),
    WrongAnswerLength,
    (
        Setting(
            "how",
            "any",
            one_of(WAYS),
            "",
            "none, fewer, more or many logits; a message too short or too long",
        ),
    ),
    own_server=True,
    usual=150,
    trials=("rate=0.9",),
)
