"""Reports in a real browser: nothing complains, nothing is loaded, nothing sticks out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil_tests import browser
from hil_tests.browser import Browser
from hil_tests.patience import PATIENCE_S
from hil_tests.twin import firmware
from hil_tests.unit.report.results import write_result

pytestmark = [pytest.mark.twin, pytest.mark.browser]

WIDTHS = (400, 1280)


def hil(*arguments: object) -> None:
    command = [sys.executable, "-m", "hil", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    program = browser.find()
    if program is None:
        pytest.skip("no Chromium: it is not on PATH, and HIL_BROWSER names none")
    with Browser(program) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, digits_bundle: Path) -> list[Path]:
    """Of a run on the twin whose radio loses packets, and of an experiment."""
    if not firmware.have_compiler():
        pytest.skip(f"{firmware.GCC} is not on PATH")
    runs = tmp_path_factory.mktemp("runs")
    lossy = ("--radio", "wifi-6m:loss=0.3", "--deadline-ms", "10", "--server-ms", "1")
    hil("run", "--n", "12", "--bundle", digits_bundle, "--out", runs, *lossy)
    hil("report", runs, "--out", runs / "run.html")
    experiment = write_result(runs / "experiment")
    hil("report", experiment)
    return [runs / "run.html", experiment / "report.html"]


def test_pages_load_nothing_and_nothing_complains(
    chromium: Browser, pages: list[Path], tmp_path: Path
) -> None:
    for page in pages:
        for width in WIDTHS:
            for dark in (False, True):
                opened = chromium.open(page, width, dark=dark)
                assert opened.complaints == []
                assert opened.requests == []
                assert chromium.value("document.documentElement.scrollWidth") == width, "nothing sticks out"
                chromium.photograph(tmp_path / "page.png")
                assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


def test_pictures_of_a_real_run_can_be_decoded(chromium: Browser, pages: list[Path]) -> None:
    chromium.open(pages[0])
    widths = chromium.value("[...document.images].map(image => image.naturalWidth)")
    assert len(widths) >= 4
    assert min(widths) > 0
    assert chromium.value("document.querySelectorAll('svg').length") == 5


def test_tables_sort_by_a_click_and_back(chromium: Browser, pages: list[Path]) -> None:
    chromium.open(pages[1])
    column = "[...document.querySelectorAll('table.sortable tbody tr')].map(row => row.cells[1].dataset.v)"
    click = "document.querySelectorAll('table.sortable thead button')[1].click()"
    chromium.value(click)
    assert chromium.value(column) == ["6000.0", "1000.0", "1000.0", "270.0", "270.0"]
    chromium.value(click)
    assert chromium.value(column) == ["270.0", "270.0", "1000.0", "1000.0", "6000.0"]
    heads = "[...document.querySelectorAll('table.sortable thead th')].map(head => head.ariaSort)"
    assert chromium.value(heads)[1] == "ascending"


def test_words_stand_out_from_their_ground(chromium: Browser, pages: list[Path]) -> None:
    """WCAG 2.2's contrast of 4.5 for the colours of text, in both themes."""
    contrast = """(() => {
      const light = c => { const [r, g, b] = c.match(/\\d+/g).map(v => v / 255)
          .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
      const probe = document.body.appendChild(document.createElement("i"));
      const of = name => { probe.style.color = `var(--${name})`;
        return light(getComputedStyle(probe).color); };
      const pairs = [["ink", "ground"], ["ink", "page"], ["quiet", "ground"], ["quiet", "page"],
        ["accent", "ground"], ["good", "good-ground"], ["bad", "bad-ground"], ["remark", "remark-ground"]];
      return pairs.map(([a, b]) => { const [x, y] = [of(a), of(b)].sort((p, q) => q - p);
        return [a, b, (x + 0.05) / (y + 0.05)]; });
    })()"""
    for dark in (False, True):
        chromium.open(pages[0], dark=dark)
        for text, ground, found in chromium.value(contrast):
            assert found >= 4.5, f"{text} on {ground}, dark: {dark}"
