"""A whole run against a device and a server half written in Python."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
from hil_tests.patience import PATIENCE_S
from hil_tests.unit.session.fake_device import Mishaps, Model
from hil_tests.unit.session.fakes import (
    INFO,
    FakeBoard,
    FakeServer,
    Recorder,
    deployment,
    fixed_logits,
    run_fake,
    samples,
)

from hil.errors import BoardError, ProtocolError, ServerError, SessionError
from hil.measure.power.conditions import Conditions, Counts
from hil.measure.power.current import run_ma
from hil.measure.power.nominal import NOMINAL_IPC
from hil.measure.source import Source
from hil.server.answer import Answer, Status
from hil.session.events import RunFinished, RunStarted, ServerLost, StageFinished
from hil.session.exchange import COMPUTE_MAX_S
from hil.session.handshake import STARTS_MAX
from hil.session.options import RunOptions
from hil.session.run import run_session
from hil.wire import frames
from hil.wire.protocol import PROTOCOL_VERSION, FrameType, RejectReason
from hil.wire.to_host import Reject


def outcomes(result) -> dict[str, int]:
    return {key: value for key, value in result.summary["outcomes"].items() if value}


def issues(result) -> set[str]:
    return {issue["code"] for issue in result.summary["issues"]}


def test_every_sample_of_a_good_run_is_answered_and_agrees_with_the_reference(tmp_path):
    recorder = Recorder()
    result = run_fake(tmp_path, reporters=(recorder,))
    assert outcomes(result) == {"answered": 6}
    assert result.summary["valid"] is True
    assert result.summary["issues"] == []
    assert result.summary["host_agreement"] == 1.0
    assert result.summary["retransmissions"] == 0
    assert [record.index for record in recorder.records] == list(range(6))
    assert all(board.stopped for board in FakeBoard().started)


def test_reporters_see_boot_serve_start_samples_and_end_in_this_order(tmp_path):
    recorder = Recorder()
    run_fake(tmp_path, reporters=(recorder,), n=2)
    kinds = [type(event).__name__ for event in recorder.events]
    assert kinds == [
        "StageStarted", "StageFinished", "StageStarted", "StageFinished", "RunStarted",
        "SampleFinished", "SampleFinished", "RunFinished",
    ]  # fmt: skip
    assert [event.stage for event in recorder.of(StageFinished)] == ["boot", "serve"]
    assert recorder.of(RunStarted)[0].sources["latency.link"] == Source.MODELLED
    assert recorder.closed == 1


def test_latency_is_what_device_radio_and_server_take(tmp_path):
    board = FakeBoard(Model(payload_bytes=600))
    result = run_fake(tmp_path, board, radio="custom:bandwidth=100k,latency=3ms", server_ms=7)
    latency = result.records[0].latency_ms
    uplink_ms = 3 + 600 * 8 / 100
    downlink_ms = 3 + 14 * 8 / 100
    assert latency.local == pytest.approx(4.0)
    assert latency.remote == pytest.approx(7.0)
    assert latency.link == pytest.approx(uplink_ms + downlink_ms, abs=0.02)
    assert latency.fuse == pytest.approx(0.5)
    assert latency.total == pytest.approx(4 + 7 + uplink_ms + downlink_ms + 0.5, abs=0.02)
    assert result.summary["latency_ms"]["sources"]["remote"] == Source.MODELLED


def test_the_same_seed_and_a_fixed_server_time_repeat_a_run_exactly(tmp_path):
    settings = {"radio": "wifi-6m:loss=0.3,jitter=1ms", "server_ms": 2.0, "seed": 7, "n": 12}
    first, second = run_fake(tmp_path, **settings), run_fake(tmp_path, **settings)
    other = run_fake(tmp_path, **{**settings, "seed": 8})
    assert first.records == second.records
    assert first.records != other.records


def test_without_a_radio_the_link_costs_wire_time_and_no_radio_energy(tmp_path):
    result = run_fake(tmp_path, radio="none", server_ms=1.0)
    assert result.summary["energy_mj"]["radio"] == 0.0
    assert result.summary["energy_mj"]["cpu"] > 0
    assert 0 < result.records[0].latency_ms.link < 1.5
    assert result.summary["latency_ms"]["sources"]["link"] == Source.TWIN_CYCLES
    assert result.summary["issues"] == []


def test_without_counts_of_the_board_energy_rests_on_its_stages_at_the_nominal_ipc(tmp_path):
    energy = run_fake(tmp_path).summary["energy_mj"]
    assert energy["ipc"] == pytest.approx(NOMINAL_IPC.value)
    assert energy["by_stage"]["other"] == pytest.approx(0, abs=1e-6)
    assert sum(energy["by_state"].values()) == pytest.approx(energy["mean"])
    assert energy["source"] == Source.MODELLED


def test_a_board_that_counts_is_asked_before_and_after_each_sample(tmp_path):
    setting = Conditions(216_000_000, 54_000_000, 108_000_000, 1)
    board = FakeBoard(
        usage=lambda asked: {setting: Counts(run_ticks=asked * 10**8, instructions=asked * 10**6)}
    )
    energy = run_fake(tmp_path, board, n=3).summary["energy_mj"]
    assert energy["ipc"] == pytest.approx(1.0)
    assert energy["cpu"] == pytest.approx(run_ma(216_000_000, 1.0) * 3.3 * 1e6 / 216e6)
    assert energy["by_stage"]["other"] < energy["cpu"]


def test_a_radio_of_unknown_current_leaves_the_energy_unknown(tmp_path):
    result = run_fake(tmp_path, radio="custom:bandwidth=1M")
    energy = result.summary["energy_mj"]
    assert set(energy) >= {"mean", "cpu", "radio", "idle", "peripherals", "by_state", "source"}
    assert all(value is None for value in energy.values())
    assert "no-energy" in issues(result)
    assert result.summary["valid"] is True


def test_a_server_that_dies_is_reported_once_and_the_run_goes_on_with_fallbacks(tmp_path):
    recorder = Recorder()
    result = run_fake(tmp_path, server=FakeServer(dies_at=2), reporters=(recorder,))
    assert outcomes(result) == {"answered": 2, "fallback": 4}
    assert len(recorder.of(ServerLost)) == 1
    assert "server-lost" in issues(result)
    assert result.summary["valid"] is False
    fallen = recorder.records[3]
    assert fallen.reason.startswith("server unavailable")
    assert fallen.latency_ms.remote == 0
    assert fallen.latency_ms.link < 200, "the device is told, it does not wait for its deadline"
    assert result.summary["host_agreement"] == 1.0


@pytest.mark.parametrize(
    ("failures", "ends", "says"),
    [
        ({1}, {"answered": 6}, {"server-back"}),
        ({1, 2}, {"answered": 5, "fallback": 1}, {"server-lost", "server-back"}),
    ],
)
def test_a_server_that_comes_back_answers_again_at_once_if_it_can(tmp_path, failures, ends, says):
    server = FakeServer()

    def fail(number: int, payload: bytes) -> Answer:
        if number in failures:
            raise ServerError("it closed the connection")
        return Answer(Status.OK, fixed_logits(payload), 1000)

    server.answer = fail
    result = run_fake(tmp_path, server=server)
    assert outcomes(result) == ends
    assert issues(result) == says
    assert server.connections == 1 + len(failures)


@pytest.mark.parametrize("count", [0, 9, 11, 300, 65_535])
def test_an_answer_of_another_length_is_a_fallback_and_a_remark(tmp_path, count):
    def answer(number: int, payload: bytes) -> Answer:
        logits = (5,) * count if number == 2 else fixed_logits(payload)
        return Answer(Status.OK, logits, 1000)

    result = run_fake(tmp_path, server=FakeServer(answer))
    assert outcomes(result) == {"answered": 5, "fallback": 1}
    assert issues(result) == {"server-length"}


@pytest.mark.parametrize("what", ["input", "payload", "result"])
def test_what_was_altered_under_a_right_crc_is_run_again(tmp_path, what):
    result = run_fake(tmp_path, inject=(f"bit-error-before-crc:at=2,frame={what}",), seed=2)
    assert result.summary["faults"]["injected"] == {"bit-error-before-crc": 1}
    assert outcomes(result) == {"answered": 6}
    assert result.summary["host_agreement"] == 1.0
    assert [record.attempts for record in result.records] == [1, 1, 2, 1, 1, 1]
    assert issues(result) <= {"altered", "device-lost", "server-corrupt"}


def test_a_busy_server_costs_a_fallback_and_a_remark(tmp_path):
    def answer(number: int, payload: bytes) -> Answer:
        busy = number == 2
        return Answer(Status.BUSY) if busy else Answer(Status.OK, fixed_logits(payload), 1000)

    result = run_fake(tmp_path, server=FakeServer(answer))
    assert outcomes(result) == {"answered": 5, "fallback": 1}
    assert issues(result) == {"server-busy"}
    assert result.summary["valid"] is True


def test_a_message_that_the_radio_loses_leads_to_the_deadline(tmp_path):
    recorder = Recorder()
    server = FakeServer()
    result = run_fake(tmp_path, server=server, reporters=(recorder,), radio="wifi-6m:loss=1,tries=3")
    assert outcomes(result) == {"fallback": 6}
    assert server.requests == 0
    assert result.records[0].reason == "deadline: the radio lost the payload"
    assert result.records[0].latency_ms.link == pytest.approx(200, rel=0.01)
    assert result.summary["radio_retransmissions"] == 12
    assert result.summary["valid"] is True


def test_a_reply_that_would_come_too_late_is_not_waited_for(tmp_path):
    result = run_fake(tmp_path, radio="custom:bandwidth=1M,latency=150ms", deadline_ms=250.0, n=2)
    assert outcomes(result) == {"fallback": 2}
    assert result.records[0].reason == "deadline"
    assert result.records[0].latency_ms.remote == 0
    assert result.records[0].latency_ms.link == pytest.approx(250, rel=0.01)


@pytest.mark.parametrize("direction", ["host", "device", "both"])
def test_damage_on_the_wire_costs_retransmissions_but_no_sample(tmp_path, direction):
    draws = np.random.default_rng(3)

    def noise(side: str, data: bytes) -> bytes:
        if direction not in (side, "both") or draws.random() > 0.15:
            return data
        place = int(draws.integers(len(data)))
        return data[:place] + bytes([data[place] ^ int(draws.integers(1, 256))]) + data[place + 1 :]

    board = FakeBoard(Model(input_bytes=3025, payload_bytes=2500), noise=noise)
    result = run_fake(tmp_path, board, n=12, deadline_ms=5000.0, radio="none")
    assert outcomes(result) == {"answered": 12}
    assert result.summary["wire_retransmissions"] > 0
    assert result.summary["retransmissions"] == result.summary["wire_retransmissions"]
    assert result.summary["host_agreement"] == 1.0
    assert result.summary["valid"] is True


def test_lost_bytes_cost_no_sample_either(tmp_path):
    draws = np.random.default_rng(4)

    def noise(side: str, data: bytes) -> bytes:
        keep = 0 if draws.random() < 0.08 else len(data) - int(draws.random() < 0.08)
        return data[:keep]

    result = run_fake(tmp_path, FakeBoard(noise=noise), n=12, deadline_ms=5000.0)
    assert outcomes(result) == {"answered": 12}
    assert result.summary["wire_retransmissions"] > 0


def test_frames_of_an_unknown_type_are_passed_over(tmp_path):
    result = run_fake(tmp_path, FakeBoard(mishaps=Mishaps(unknown_frames=True)))
    assert outcomes(result) == {"answered": 6}


def test_a_local_answer_needs_no_server_and_no_link(tmp_path):
    server = FakeServer()
    result = run_fake(tmp_path, FakeBoard(Model(payload_bytes=0, fusion=None)), server)
    assert outcomes(result) == {"local": 6}
    assert server.connections == 0
    assert result.summary["radio"] == "none", "the one that was asked for is not used"
    assert result.summary["latency_ms"]["sources"]["remote"] == result.summary["latency_ms"]["source"]
    assert result.summary["latency_ms"]["link"] == 0
    assert result.summary["energy_mj"]["radio"] == 0
    assert result.summary["payload_bytes"] == {"mean": 0.0, "p95": 0.0, "raw": 0}
    assert result.summary["host_agreement"] == 1.0


def test_a_reset_in_mid_run_costs_a_second_try_of_that_sample(tmp_path):
    recorder = Recorder()
    board = FakeBoard(mishaps=Mishaps(resets={2: 1}))
    result = run_fake(tmp_path, board, reporters=(recorder,))
    assert outcomes(result) == {"answered": 6}
    assert recorder.warnings == ["device-lost"]
    assert len(board.started) == 1, "greeting it again was enough"
    assert result.summary["valid"] is False


@pytest.mark.parametrize("mute", [False, True])
def test_a_reset_that_is_told_costs_no_wait(tmp_path, mute):
    board = FakeBoard(mishaps=Mishaps(resets={2: 1}, mute_starts=mute))
    result = run_fake(tmp_path, board, server_ms=2.0)
    assert outcomes(result) == {"answered": 6}
    undisturbed_s = run_fake(tmp_path, FakeBoard(), server_ms=2.0).summary["board_s"]
    assert (result.summary["board_s"] - undisturbed_s > COMPUTE_MAX_S) is mute
    assert (result.summary["board_s"] - undisturbed_s < 0.1) is not mute


def test_a_device_that_is_reset_in_the_second_try_too_gets_a_third(tmp_path):
    result = run_fake(tmp_path, FakeBoard(mishaps=Mishaps(resets={2: 2})))
    assert outcomes(result) == {"answered": 6}
    assert [record.attempts for record in result.records] == [1, 1, 3, 1, 1, 1]


@pytest.mark.parametrize(
    ("mute", "reason"),
    [(False, "the device was reset (PIN)"), (True, "the device gave no result for sample 2")],
)
def test_a_sample_that_always_resets_the_device_fails_with_its_reason(tmp_path, mute, reason):
    result = run_fake(tmp_path, FakeBoard(mishaps=Mishaps(resets={2: 9}, mute_starts=mute)))
    assert outcomes(result) == {"answered": 5, "failed": 1}
    assert result.records[2].reason == reason
    assert result.records[2].latency_ms is None
    assert "failed-samples" in issues(result)


@pytest.mark.parametrize("often", [STARTS_MAX - 1, STARTS_MAX])
def test_a_device_that_is_reset_while_it_is_greeted_is_greeted_again(tmp_path, often):
    board = FakeBoard(mishaps=Mishaps(bounces=often))
    if often < STARTS_MAX:
        assert outcomes(run_fake(tmp_path, board)) == {"answered": 6}
        return
    with pytest.raises(BoardError, match="was reset"):
        run_fake(tmp_path, board)


def test_a_refusal_of_configure_ends_the_run_and_one_of_what_came_before_does_not(tmp_path):
    late = (Reject(FrameType.RUN, RejectReason.INPUT_INCOMPLETE), Reject(FrameType.INPUT, RejectReason.VALUE))
    assert outcomes(run_fake(tmp_path, FakeBoard(mishaps=Mishaps(refusals=late)))) == {"answered": 6}
    refusal = Reject(FrameType.CONFIGURE, RejectReason.VALUE)
    with pytest.raises(BoardError, match="refused CONFIGURE: VALUE"):
        run_fake(tmp_path, FakeBoard(mishaps=Mishaps(refusals=(*late, refusal))))


def test_a_crashed_board_is_restarted(tmp_path):
    recorder = Recorder()
    board = FakeBoard(mishaps=Mishaps(faults={1: 1}, silent=False))
    result = run_fake(tmp_path, board, reporters=(recorder,))
    assert outcomes(result) == {"answered": 6}
    assert "0x08001234" in result.summary["issues"][0]["message"]


def test_a_device_that_is_lost_again_and_again_ends_the_run(tmp_path):
    recorder = Recorder()
    board = FakeBoard(mishaps=Mishaps(resets=dict.fromkeys(range(1, 6), 3)))
    with pytest.raises(BoardError, match="lost 4 times in a row"):
        run_fake(tmp_path, board, reporters=(recorder,))
    assert recorder.summary["partial"] is True
    assert board.started[-1].stopped


def test_losses_that_are_not_in_a_row_do_not_add_up(tmp_path):
    board = FakeBoard(mishaps=Mishaps(resets={0: 1, 2: 1, 4: 1}))
    assert outcomes(run_fake(tmp_path, board, recoveries=1)) == {"answered": 6}


def test_a_refused_input_fails_that_sample_only(tmp_path):
    board = FakeBoard(Model(input_bytes=3025), Mishaps(rejects={1: 3}))
    result = run_fake(tmp_path, board)
    assert outcomes(result) == {"answered": 5, "failed": 1}
    assert result.records[1].reason == "the device refused INPUT: INPUT_RANGE"


def test_the_first_failure_ends_a_run_that_shall_not_go_on(tmp_path):
    with pytest.raises(SessionError, match="sample 1 failed"):
        run_fake(tmp_path, FakeBoard(mishaps=Mishaps(rejects={1: 1})), keep_going=False)


def test_a_silent_board_is_an_error_with_a_hint(tmp_path):
    with pytest.raises(BoardError, match="did not introduce itself") as caught:
        run_fake(tmp_path, FakeBoard(mishaps=Mishaps(silent=True)))
    assert "cable" in caught.value.hint


@pytest.mark.parametrize(
    ("changed", "named"), [({"bundle_hash": bytes(32)}, "bundle_hash"), ({"layers": 3}, "layers")]
)
def test_another_firmware_is_refused(tmp_path, changed, named):
    class Swapped(FakeBoard):
        def start(self, image):
            self.model, right = dataclasses.replace(self.model, **changed), self.model
            running = super().start(image)
            self.model = right
            return running

    with pytest.raises(BoardError, match=f"firmware's {named} is"):
        run_fake(tmp_path, Swapped())


def test_a_device_at_another_clock_is_refused(tmp_path):
    board = FakeBoard()
    built = deployment(tmp_path, board.model, clock_hz=100_000_000)
    options = RunOptions(n=1, out=tmp_path / "runs")
    with pytest.raises(BoardError, match="clock_hz is 216000000, this deployment's 100000000"):
        run_session(built, board, samples(board.model), options=options)


def test_wrong_logits_are_found_by_the_reference(tmp_path):
    result = run_fake(tmp_path, FakeBoard(mishaps=Mishaps(wrong_logits=True)))
    assert result.summary["host_agreement"] == 0.0
    assert "disagreement" in issues(result)
    assert result.summary["valid"] is False


def test_time_that_no_stage_covers_makes_a_run_invalid(tmp_path):
    result = run_fake(tmp_path, FakeBoard(mishaps=Mishaps(unaccounted_s=0.001)))
    assert "latency-sum" in issues(result)
    assert result.summary["valid"] is False


def test_a_wire_slower_than_the_radio_is_pointed_out_once(tmp_path):
    board = FakeBoard(Model(payload_bytes=900))
    result = run_fake(tmp_path, board, radio="custom:bandwidth=50M")
    assert [issue["code"] for issue in result.summary["issues"]].count("wire-bottleneck") == 1


def test_layer_cycles_are_reported_for_the_first_samples(tmp_path):
    result = run_fake(tmp_path, layer_samples=2)
    layers = result.summary["cycles"]["per_layer"]
    assert [layer["cycles"] for layer in layers] == [432_000, 432_000]
    none = run_fake(tmp_path, layer_samples=0).summary["cycles"]["per_layer"]
    assert [layer["cycles"] for layer in none] == [None, None]


def test_a_run_without_a_server_falls_back_and_says_so(tmp_path):
    board = FakeBoard()
    options = RunOptions(n=3, out=tmp_path / "runs")
    built = deployment(tmp_path, board.model)
    result = run_session(built, board, samples(board.model), options=options)
    assert outcomes(result) == {"fallback": 3}
    assert "no-server" in issues(result)
    assert result.summary["host_agreement"] is None
    assert result.folder.name.endswith("-agilenn-digits-fake")


def test_a_server_that_is_never_there_ends_the_run_before_its_first_sample(tmp_path):
    recorder = Recorder()
    with pytest.raises(ServerError):
        run_fake(tmp_path, server=FakeServer(dies_at=0), reporters=(recorder,))
    assert recorder.summary["samples"] == 0


def test_a_reporter_that_raises_is_dropped_and_the_others_are_told(tmp_path):
    class Broken(Recorder):
        def handle(self, event):
            super().handle(event)
            raise RuntimeError("no terminal")

    broken, recorder = Broken(), Recorder()
    result = run_fake(tmp_path, reporters=(broken, recorder))
    assert outcomes(result) == {"answered": 6}
    assert len(broken.events) == 1
    assert broken.closed == 1
    assert recorder.warnings == ["reporter-failed"]
    assert recorder.of(RunFinished)[0].partial is False


def test_ctrl_c_closes_a_valid_partial_folder_and_stops_the_board(tmp_path):
    class Impatient(Recorder):
        """Reporters' own errors are survived; a KeyboardInterrupt is none of them."""

        def handle(self, event):
            super().handle(event)
            if len(self.records) == 3:
                raise KeyboardInterrupt

    recorder, board = Impatient(), FakeBoard()
    with pytest.raises(KeyboardInterrupt):
        run_fake(tmp_path, board, reporters=(recorder,))
    folder = next((tmp_path / "runs").iterdir())
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["partial"] is True
    assert summary["valid"] is False
    assert summary["samples"] == 3
    assert summary["issues"][-1]["message"] == "the run ended early, after 3 samples: interrupted"
    assert len((folder / "samples.csv").read_text().splitlines()) == 4
    assert [json.loads(line)["event"] for line in (folder / "events.jsonl").read_text().splitlines()]
    assert board.started[0].stopped
    assert recorder.closed == 1


def test_a_device_of_another_protocol_is_refused(tmp_path):
    class Newer(FakeBoard):
        def start(self, image):
            running = super().start(image)
            honest = running.channel.device_write

            def forged(data: bytes) -> float:
                frame = frames.decode(data.strip(b"\0"))
                return honest(frames.encode(dataclasses.replace(frame, version=PROTOCOL_VERSION + 1)))

            running.channel.device_write = forged
            return running

    with pytest.raises(ProtocolError, match=f"speaks protocol {PROTOCOL_VERSION + 1}"):
        run_fake(tmp_path, Newer(info=INFO))


def test_a_run_imports_no_torch_and_prints_nothing(tmp_path):
    code = (
        "import sys, pathlib\n"
        "from hil_tests.unit.session.fakes import run_fake\n"
        f"run_fake(pathlib.Path({str(tmp_path)!r}))\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S)
    assert run.returncode == 0, run.stderr
    assert run.stdout == ""
