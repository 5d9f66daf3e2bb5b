"""What a payload weighs, and what is still known on the other side."""

from __future__ import annotations

from hil.experiments import common
from hil.experiments.beside import EQUAL, distinct, where
from hil.experiments.experiment import Chart, Column, Experiment, Variable
from hil.experiments.measure import Settings
from hil.experiments.measures.host import BEST, HOST
from hil.experiments.result import Beside, CellResult

_OF_THE_PAPER = "lzw"


def _excluded(settings: Settings) -> bool:
    """A coarser quantiser is looked at behind the best codec alone, and as far as levels are left."""
    thinning = settings["thinning"]
    too_coarse = thinning > (128 if settings["scheme"] in ("edge_only", "spinn") else 4)
    return bool(thinning > 1 and (settings["codec"] != BEST or too_coarse))


def _beside(cells: tuple[CellResult, ...]) -> tuple[Beside, ...]:
    """AgileNN's payload over DeepCOD's, with the paper's codec and with ours."""
    found = []
    for codec in (_OF_THE_PAPER, BEST):
        pair = [where(cells, scheme=scheme, codec=codec, thinning=1) for scheme in (common.OURS, "deepcod")]
        for ours, theirs in zip(*pair, strict=False):
            sizes = ours.figures["payload_bytes"], theirs.figures["payload_bytes"]
            found.append(
                Beside(
                    f"payload, AgileNN against DeepCOD, {ours.value('dataset')}, both by {codec}",
                    "AgileNN's is the smaller at equal accuracy",
                    f"{sizes[0]:,.0f} B at {ours.value('accuracy'):.1%} against "
                    f"{sizes[1]:,.0f} B at {theirs.value('accuracy'):.1%}",
                    "as in the paper" if sizes[0] < sizes[1] else "worse: DeepCOD was trained for its rate",
                )
            )
    return (*found, *_at_equal_accuracy(cells))


def _at_equal_accuracy(cells: tuple[CellResult, ...]) -> list[Beside]:
    """The smallest payloads that keep within a point of what DeepCOD answers."""
    found = []
    for dataset in distinct(cells, "dataset"):
        there = where(cells, dataset=dataset, codec=BEST)
        for aim in where(there, scheme="deepcod", thinning=1):
            least = aim.value("accuracy") - EQUAL
            close = [cell for cell in there if cell.value("accuracy") >= least]
            smallest = {
                scheme: min(sizes)
                for scheme in (common.OURS, "deepcod")
                if (sizes := [cell.figures["payload_bytes"] for cell in where(close, scheme=scheme)])
            }
            ours, theirs = smallest.get(common.OURS), smallest["deepcod"]
            found.append(
                Beside(
                    f"smallest payload of at least {least:.1%} accuracy, {dataset}",
                    "AgileNN's is the smaller at equal accuracy",
                    f"AgileNN {'never' if ours is None else f'{ours:,.0f} B'}, DeepCOD {theirs:,.0f} B",
                    "as in the paper" if ours is not None and ours < theirs else "worse",
                )
            )
    return found


EXPERIMENT = Experiment(
    name="compression",
    question="How accurate is each scheme at how many bytes a sample?",
    paper="Compression rate against DeepCOD at different accuracies; AgileNN packs by LZW.",
    measure=HOST,
    varies=(
        Variable("scheme", ("agilenn", "deepcod", "spinn", "edge_only")),
        Variable("codec", (_OF_THE_PAPER, "huffman", "range", BEST), quick=(_OF_THE_PAPER, BEST)),
        Variable("thinning", (1, 2, 4, 16, 64), quick=(1, 2, 4), title="every n-th level"),
    ),
    fixed={"samples": 2000},
    quick={"samples": 200},
    excluded=_excluded,
    columns=(
        common.SCHEME_COLUMN,
        Column("codec", "codec"),
        Column("packed_by", "which is"),
        Column("levels", "levels", "", 0),
        common.ACCURACY,
        common.PAYLOAD,
        Column("payload_p95_bytes", "p95", "B", 0),
        Column("bits_per_symbol", "bits a symbol", "", 2),
        Column("compression", "picture over payload", "×", 1),
    ),
    charts=(Chart("Accuracy against payload", "payload_bytes", "accuracy", "scheme", "scatter", log_x=True),),
    beside=_beside,
)
