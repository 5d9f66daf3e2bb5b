"""The radios that can be named. Bandwidths are the paper's; currents are from data sheets."""

from __future__ import annotations

import math

from hil.link.radio import Currents, Radio

ESP8266 = Currents(tx_ma=145.0, rx_ma=56.0, idle_ma=70.0, supply_volts=3.3, sleep_ma=15.0)
"""ESP8266EX data sheet: TX 802.11g 54 Mbit/s 145 mA (the only listed OFDM rate of 11g; slower rates
draw somewhat more), RX 50-62 mA (middle), associated and listening about 70 mA, modem sleep with the
association kept (DTIM 3) 15 mA. How long it takes to come out of modem sleep was not found."""

NRF52840 = Currents(tx_ma=6.4, rx_ma=6.26, idle_ma=0.00316, supply_volts=3.0, sleep_ma=0.00316, ramp_s=40e-6)
"""nRF52840 product specification, DC/DC at 3 V: IRADIO_TX1 (0 dBm) 6.40 mA, IRADIO_RX0 6.26 mA. Between
connection events the radio sleeps: ION_RAMON_RTC 3.16 µA. Fast ramp-up 40 µs (from memory)."""

RADIOS: dict[str, Radio] = {
    radio.name: radio
    for radio in (
        # AgileNN (MobiCom 2022) relays over a 6 Mbit/s WiFi link. A packet: 1460 bytes behind TCP/IP
        # (40), 802.11 and LLC (32) and FCS (4). One millisecond of latency is assumed.
        Radio(
            "wifi-6m", 6e6, latency_s=0.001, mtu_bytes=1460, overhead_bytes=76, tries=8, timeout_s=0.001,
            currents=ESP8266,
        ),
        # The paper's narrow-band point, 270 kbit/s. A packet: 244 bytes behind L2CAP and ATT (7) and
        # the link layer (10). Latency and timeout are the half and the whole of the shortest
        # connection interval, 7.5 ms (Bluetooth Core 4.2, Vol 6, Part B, 4.5.1).
        Radio(
            "ble-270k", 270e3, latency_s=0.00375, mtu_bytes=244, overhead_bytes=17, tries=8, timeout_s=0.0075,
            currents=NRF52840,
        ),
        Radio("none", math.inf),
    )
}  # fmt: skip
