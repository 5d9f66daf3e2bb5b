"""The books of a service, as Prometheus reads them, on a port that survives its clients."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request

import pytest
from hil_tests.patience import PATIENCE_S
from hil_tests.unit.server.fake_remote import HASH, FakeRemote, serving

from hil.errors import ServerError
from hil.server.client import Client
from hil.server.metrics_http import MetricsServer
from hil.server.options import ServeOptions
from hil.server.service import Service
from hil.server.tokens import Credential, Tokens

parser = pytest.importorskip("prometheus_client.parser")


def get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE_S) as page:
        return page.read().decode()


def values(text: str) -> dict[tuple[str, ...], float]:
    families = parser.text_string_to_metric_families(text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_requests_batches_sessions_and_memory_are_counted():
    one = Credential('a "quoted" name', "a-token-of-sixteen-and-more")
    service = Service(FakeRemote(), HASH, tokens=Tokens({one.name: one.token}))
    with serving(service, ServeOptions(metrics_port=0)) as bound:
        client = Client("127.0.0.1", bound.port, HASH, PATIENCE_S, credential=one)
        for payload in (b"x", b"x", b"bad"):
            client.infer(payload, PATIENCE_S)
        with pytest.raises(ServerError):
            Client("127.0.0.1", bound.port, HASH, PATIENCE_S)
        text = get(bound.metrics_port, "/metrics")
        found = values(text)
        assert get(bound.metrics_port, "/healthz") == "ok\n"
        client.close()
    assert found["hil_server_requests_total", "ok"] == 2
    assert found["hil_server_requests_total", "corrupt"] == 1
    assert found["hil_server_requests_total", "busy"] == 0
    assert found["hil_server_refused_total", "token"] == 1
    assert (found[("hil_server_batch_size_count",)], found[("hil_server_batch_size_sum",)]) == (2, 2)
    assert found[("hil_server_inference_seconds_count",)] == 2
    assert (found[("hil_server_sessions",)], found[("hil_server_queue_depth",)]) == (1, 0)
    assert found["hil_server_session_requests", one.name] == 3
    assert found["hil_server_session_answers", one.name, "corrupt"] == 1
    assert found["hil_server_bytes_total", "in"] > 0
    assert found[("process_resident_memory_bytes",)] > 1e6
    assert one.token not in text


@pytest.mark.parametrize(
    "noise", [b"", b"\xff" * 3000, b"GET /metrics", b"POST / HTTP/1.1\r\n\r\n", b"GET\r\n\r\n"]
)
def test_malformed_http_and_clients_that_hang_are_harmless(noise):
    server = MetricsServer(0, None, lambda: False)
    try:
        hanging = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(4)]
        for connection in hanging:
            connection.sendall(noise)
        with pytest.raises(urllib.error.HTTPError, match="503"):
            get(server.port, "/healthz")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(server.port, "/secret")
        for connection in hanging:
            connection.close()
    finally:
        server.stop()


def test_a_taken_port_is_a_server_error():
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ServerError, match="cannot serve metrics"),
    ):
        MetricsServer(taken.getsockname()[1], None, lambda: True)
