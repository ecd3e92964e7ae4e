"""Put the book's main figure and its number into the README, from the stored results.

python workflow/readme.py
"""

from __future__ import annotations

import re
import shutil

from amplib.book.obtain import stored
from amplib.files import ROOT
from amplib.metrics.amplification import shared
from amplib.store.results import Result
from amplib.studies.camel.claims import all_gans
from amplib.studies.camel.reading import gan_curve
from amplib.studies.camel.study import with_batch_fixed

FIGURE = "amplify-fig2.svg"


def values() -> dict[str, str]:
    """What stands between the marks of the README, by their names."""
    curve = all_gans(stored)
    fixed = gan_curve(Result(with_batch_fixed(), "paper"))
    same, _ = shared(curve.asymptote, fixed.asymptote)
    return {
        "coarse": f"**{curve.asymptote.median_amplification(10)}**",
        "number": f"**{curve.asymptote.median_amplification(50)}**",
        "scale": str(len(curve.index)),
        "mean": str(curve.converged.asymptote.amplification(50)),
        "failures": str(curve.failures),
        "fixed": str(fixed.failures),
        "fixed-mean": str(fixed.converged.asymptote.amplification(50).interval()),
        "fixed-median": str(fixed.asymptote.median_amplification(50)),
        "same-median": str(same.median_amplification(50)),
    }


def main() -> None:
    """Copy the figure that ``make book`` drew and write the numbers."""
    shutil.copy(ROOT / "book/notebooks/figures" / FIGURE, ROOT / "book/_static" / FIGURE)
    readme = ROOT / "README.md"
    text = readme.read_text()
    for name, value in values().items():
        mark, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        text = re.sub(f"{mark}.*?{end}", f"{mark}{value}{end}", text, flags=re.S)
    readme.write_text(text)


if __name__ == "__main__":
    main()
