"""`tools/hil` makes the environment once, says nothing on standard output, and passes everything on.

The script runs for real in a checkout whose path has a space; Python, pip and apt-get are stand-ins
that write down what they were asked, so nothing is downloaded. The PATH holds nothing else than
what the script may rely on.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from hil.paths import REPOSITORY
from hil_tests.patience import PATIENCE_S

TOOLS = (
    "bash", "sh", "env", "cat", "cksum", "dirname", "flock", "mkdir", "mv", "cp", "chmod", "readlink", "rm",
    "sleep", "tail",
)  # fmt: skip

PYTHON = """#!/usr/bin/env bash
case "$*" in
    --version) echo "Python ${STUB_VERSION:-3.11.9}" ;;
    *version_info\\ \\<*) exit "${STUB_TOO_OLD:-0}" ;;
    *"import ensurepip"*) [ -z "${STUB_NO_VENV:-}" ] || [ -e "$STUB_LOG.apt" ] ;;
    *python%d.%d-venv*) echo python3.11-venv ;;
    "-m venv"*)
        echo venv >>"$STUB_LOG"
        folder=${!#}
        rm -rf "$folder" && mkdir -p "$folder/bin" && cp "$0" "$folder/bin/python" ;;
    "-m pip"*)
        sleep 0.2
        echo pip >>"$STUB_LOG"
        echo "pip was here"
        [ -z "${STUB_PIP_FAILS:-}" ] || { echo "no matching distribution"; exit 1; }
        printf '#!/usr/bin/env bash\\necho "ran: $*"\\nexit ${STUB_EXIT:-0}\\n' >"${0%/*}/hil"
        chmod +x "${0%/*}/hil" ;;
    "-m pytest"*) echo "in $PWD"; echo "args: $*"; exit "${STUB_EXIT:-0}" ;;
    *) echo "unexpected: $*" >&2; exit 99 ;;
esac
"""
APT = """#!/usr/bin/env bash
echo "apt-get $*" >>"$STUB_LOG"
: >"$STUB_LOG.apt"
"""


@dataclass(frozen=True)
class Checkout:
    """A checkout with stand-ins for everything outside it."""

    root: Path
    bin: Path
    log: Path

    def add(self, name: str, script: str) -> None:
        path = self.bin / name
        path.write_text(script)
        path.chmod(0o755)

    def start(self, *arguments: str, program: str = "tools/hil", **extra: object) -> subprocess.Popen[str]:
        environment = {"PATH": str(self.bin), "HOME": str(self.root), "STUB_LOG": str(self.log)}
        cwd = extra.pop("cwd", self.root.parent)
        return subprocess.Popen(
            [str(self.root / program), *arguments],
            env=environment | {name: str(value) for name, value in extra.items()},
            cwd=str(cwd),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **extra: object) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        process = self.start(*arguments, **extra)  # type: ignore[arg-type]
        out, err = process.communicate(timeout=PATIENCE_S)
        return process.returncode, out, err

    @property
    def done(self) -> list[str]:
        """What the stand-ins were asked since the last look."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root, folder = tmp_path / "my checkout", tmp_path / "bin"
    for name in ("tools/hil", ".ci/run"):
        (root / name).parent.mkdir(parents=True)
        shutil.copy(REPOSITORY / name, root / name)
    (root / "pyproject.toml").write_text("[project]\n")
    folder.mkdir()
    for tool in TOOLS:
        if found := shutil.which(tool):
            (folder / tool).symlink_to(found)
    made = Checkout(root, folder, tmp_path / "log")
    made.add("python3", PYTHON)
    made.add("arm-none-eabi-gcc", "#!/usr/bin/env bash\necho /usr/lib/libc.a\n")
    made.add("id", "#!/usr/bin/env bash\necho 0\n")
    return made


def test_the_first_call_makes_the_environment_and_the_second_uses_it(checkout: Checkout) -> None:
    code, out, err = checkout.run("run", "--name", "two words")
    assert (code, out) == (0, "ran: run --name two words\n")
    assert "installing hil" in err
    assert checkout.done == ["venv", "pip"]
    assert "pip was here" in (checkout.root / "build" / "install.log").read_text()
    assert checkout.run("run") == (0, "ran: run\n", "")
    assert checkout.done == []


def test_it_works_from_anywhere_and_through_a_link(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "bin" / "hil-link").symlink_to(checkout.root / "tools" / "hil")
    code, out, _ = checkout.run("boards", program="../bin/hil-link", cwd="/")
    assert (code, out) == (0, "ran: boards\n")


def test_the_verbs_exit_code_is_ours(checkout: Checkout) -> None:
    assert checkout.run("run", STUB_EXIT=1)[0] == 1


def test_new_dependencies_are_installed_into_the_same_environment(checkout: Checkout) -> None:
    checkout.run()
    (checkout.root / "pyproject.toml").write_text("[project]\ndependencies = []\n")
    checkout.run()
    assert checkout.done == ["venv", "pip", "pip"]


def test_another_python_version_makes_the_environment_stale(checkout: Checkout) -> None:
    checkout.run()
    checkout.run(STUB_VERSION="3.12.1")
    assert checkout.done == ["venv", "pip", "pip"]


def test_an_interrupted_installation_is_made_anew(checkout: Checkout) -> None:
    checkout.run()
    (checkout.root / "build" / "venv" / "hil.stamp").unlink()
    assert checkout.run("boards")[1] == "ran: boards\n"
    assert checkout.done == ["venv", "pip", "venv", "pip"]


def test_a_failed_installation_shows_why_and_is_tried_again(checkout: Checkout) -> None:
    code, out, err = checkout.run("run", STUB_PIP_FAILS=1)
    assert (code, out) == (2, "")
    assert "no matching distribution" in err
    assert "error: pip could not install hil" in err
    assert checkout.run("run")[1] == "ran: run\n"


def test_two_first_calls_make_one_environment(checkout: Checkout) -> None:
    both = [checkout.start("boards"), checkout.start("boards")]
    assert [process.communicate(timeout=PATIENCE_S)[0] for process in both] == ["ran: boards\n"] * 2
    assert checkout.done == ["venv", "pip"]


def test_a_python_that_is_too_old_is_refused(checkout: Checkout) -> None:
    code, out, err = checkout.run("run", STUB_TOO_OLD=1, STUB_VERSION="3.9.2")
    assert (code, out) == (2, "")
    assert "error: Python 3.11 or newer is needed; python3 is Python 3.9.2" in err
    assert "hint: " in err


def test_a_missing_venv_module_is_installed_or_named(checkout: Checkout) -> None:
    code, _, err = checkout.run("run", STUB_NO_VENV=1)
    assert code == 2
    assert "type: sudo apt-get install python3.11-venv" in err
    checkout.add("apt-get", APT)
    assert checkout.run("run", STUB_NO_VENV=1)[1] == "ran: run\n"
    assert "apt-get -qq install -y --no-install-recommends python3.11-venv" in checkout.done


def test_a_missing_compiler_is_installed_where_that_needs_no_password(checkout: Checkout) -> None:
    checkout.run()
    (checkout.bin / "arm-none-eabi-gcc").unlink()
    checkout.add("apt-get", APT)
    checkout.run("boards")
    assert "apt-get" not in " ".join(checkout.done)
    code, out, _ = checkout.run("run")
    assert (code, out) == (0, "ran: run\n")
    assert checkout.done == [
        "apt-get -qq update",
        "apt-get -qq install -y --no-install-recommends gcc-arm-none-eabi libnewlib-arm-none-eabi",
    ]


@pytest.mark.parametrize("reason", ["asked not to", "not root"])
def test_else_it_says_what_to_type_and_goes_on(checkout: Checkout, reason: str) -> None:
    (checkout.bin / "arm-none-eabi-gcc").unlink()
    checkout.add("apt-get", APT)
    if reason == "not root":
        checkout.add("id", "#!/usr/bin/env bash\necho 1000\n")
        checkout.add("sudo", "#!/usr/bin/env bash\nexit 1\n")
    code, out, err = checkout.run("run", **({"HIL_NO_INSTALL": 1} if reason == "asked not to" else {}))
    assert (code, out) == (0, "ran: run\n")
    assert "type: sudo apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi" in err
    assert not any("apt-get" in line for line in checkout.done)


def test_a_compiler_without_its_library_gets_the_library(checkout: Checkout) -> None:
    checkout.add("arm-none-eabi-gcc", "#!/usr/bin/env bash\necho libc.a\n")
    checkout.add("apt-get", APT)
    checkout.run("build")
    assert "apt-get -qq install -y --no-install-recommends libnewlib-arm-none-eabi" in checkout.done


@pytest.mark.parametrize(
    ("arguments", "passed"),
    [
        ([], "-n 2 --dist loadfile"),
        (["-m", "twin", "-x"], "-n 2 --dist loadfile -m twin -x"),
        (["-n", "0"], "-n 0"),
        (["-n0", "-q"], "-n0 -q"),
        (["--pdb"], "--pdb"),
    ],
)
def test_tests_run_in_the_checkout_on_two_processes(
    checkout: Checkout, arguments: list[str], passed: str
) -> None:
    code, out, _ = checkout.run("test", *arguments)
    assert (code, out) == (0, f"in {checkout.root}\nargs: -m pytest {passed}\n")


def test_a_test_file_is_found_from_where_the_caller_stands(checkout: Checkout) -> None:
    (checkout.root.parent / "test_one.py").touch()
    _, out, _ = checkout.run("test", "test_one.py::test_it")
    assert f"args: -m pytest -n 2 --dist loadfile {checkout.root.parent}/test_one.py::test_it" in out


def test_ci_ends_with_pytests_last_line_and_its_exit_code(checkout: Checkout) -> None:
    code, out, _ = checkout.run(program=".ci/run", STUB_EXIT=1)
    assert code == 1
    assert out.splitlines()[-1].startswith("args: -m pytest")


def test_the_scripts_are_executable() -> None:
    assert all(os.access(REPOSITORY / name, os.X_OK) for name in ("tools/hil", ".ci/run"))
