"""Headline figures of the evaluation and the safety case, as the app carries them: condensed from `docs/` into `figures.json`.

`python -m soleus.delivery.web.figures docs` renews the file (`make figures`); a test holds it to what it was made from.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

NAME = "figures.json"
Figures = Mapping[str, Any]


@cache
def figures() -> Figures:
    """The figures that came with this version of the app."""
    found: Figures = json.loads((resources.files("soleus.delivery.web") / NAME).read_text("utf-8"))
    return found


def condensed(folder: Path) -> dict[str, Any]:
    """What the pages show of `evaluation.json` and `safety-case.json` in this folder; None for one that is not there."""
    read = {name: folder / f"{name}.json" for name in ("evaluation", "safety-case")}
    found = {name: json.loads(path.read_text("utf-8")) for name, path in read.items() if path.exists()}
    return {
        "evaluation": _evaluation(found["evaluation"]) if "evaluation" in found else None,
        "safety": _safety(found["safety-case"]) if "safety-case" in found else None,
    }


def _head(document: Figures) -> dict[str, Any]:
    day = re.search(r"--date (\S+)", document["command"])
    return {"soleus": document["soleus"], "knowledge_version": document["knowledge_version"], "date": day[1] if day else None}


def _evaluation(document: Figures) -> dict[str, Any]:
    simulation = document["simulation"]
    return _head(document) | {
        "vignettes": {mode: part["total"] for mode, part in document["vignettes"]["modes"].items()},
        "literature": document["literature"]["total"],
        "population": document["population"]["total"] | {"survey": document["population"]["survey"]},
        "simulation": {k: v for k, v in simulation["scores"][0].items() if k != "reliability"},
        "asked": simulation["policies"][0]["asked"],
        "noise": {row["answers"]: {k: row[k] for k in ("emergency", "top1_if_not_sent_away")} for row in simulation["noise"]},
    }


def _safety(document: Figures) -> dict[str, Any]:
    ways = [{k: v for k, v in way.items() if k != "by_condition"} for way in document["adversarial"]]
    return _head(document) | {"proofs": document["proofs"], "mutants": document["mutants"], "adversarial": ways}


def write(folder: Path, out: Path) -> None:
    """Write the figures of `folder` to the file `out`."""
    out.write_text(json.dumps(condensed(folder), indent=1, allow_nan=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(__file__).with_name(NAME))
