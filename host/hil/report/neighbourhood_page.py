"""The page of neighbourhoods: scores, anomalies with their minimal parameters, what is varied."""

from __future__ import annotations

from typing import Any

import hil
from hil.neighbourhood.result import Neighbourhood, Result
from hil.neighbourhood.score import Score
from hil.report import format as fmt
from hil.report import glyphs as g
from hil.report.html import page
from hil.report.neighbourhood import GLYPHS, counted, instances_text, parameters_text, remarks
from hil.report.run_head import Verdict
from hil.report.run_page import provenance


def neighbourhood_page(result: Result) -> str:
    """One HTML file that needs nothing else."""
    anomalous = [each for each in result.neighbourhoods if each.anomalies or remarks(each)]
    sections = [("scores", "Scores"), ("anomalies", "Anomalies"), ("questions", "Questions")]
    return page(
        "neighbourhood.html",
        result=result,
        sections=[*sections, ("provenance", "Provenance"), ("origins", "Origins")],
        verdict=_verdict(result),
        facts=[
            ("seed", str(result.seed)),
            ("board", result.board),
            ("at", str(result.provenance.get("time_utc") or g.DASH)),
        ],
        rows=[_row(each) for each in result.neighbourhoods],
        anomalies=[_anomalies(each) for each in anomalous],
        seconds=fmt.duration(sum(each.seconds for each in result.neighbourhoods)),
        provenance=provenance(result.provenance),
        used_origins=["counted"],
        version=hil.__version__,
    )


def _verdict(result: Result) -> Verdict:
    asked = f"{result.asked:,} instances of {counted(len(result.neighbourhoods), 'question')}"
    if result.partial:
        sentence = "It was interrupted; the same command goes on where it was."
        return Verdict("bad", g.WARNING, f"Instances are missing; {asked} were asked.", sentence, ())
    if result.clean:
        return Verdict("good", g.DONE, f"All {asked} passed.", "", ())
    failed = result.asked - result.passed
    sentence = f"{failed:,} failed; what they have in common is below."
    return Verdict("bad", g.WRONG, f"{counted(result.anomalies, 'anomaly')} in {asked}.", sentence, ())


def _row(each: Neighbourhood) -> dict[str, Any]:
    template = each.template
    return {
        "name": template.name,
        "question": template.question,
        "oracle": template.oracle,
        "parameters": [(parameter.name, parameter.text) for parameter in template.parameters],
        "asked": each.asked,
        "passed": each.passed,
        "share": each.passed / each.asked if each.asked else None,
        "score": str(each.score),
        "glyph": GLYPHS[each.score],
        "kind": {Score.ALL: "good", Score.ALMOST_ALL: "remark"}.get(each.score, "bad"),
        "anomalies": len(each.anomalies),
        "seconds": each.seconds,
        "took": fmt.duration(each.seconds),
    }


def _anomalies(each: Neighbourhood) -> dict[str, Any]:
    return {
        "name": each.template.name,
        "remarks": remarks(each),
        "rows": [
            {
                "essential": parameters_text(anomaly.essential),
                "parameters": parameters_text(anomaly.parameters),
                "instances": instances_text(anomaly),
                "repeatable": anomaly.repeatable,
                "detail": anomaly.detail,
            }
            for anomaly in each.anomalies
        ],
    }
