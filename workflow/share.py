"""One job of `make cluster`: compute a share of a study's parts and pack them for the way home.

python workflow/share.py SHARE.json OUTPUT.tar GIVEN.tar ...

SHARE says study, preset, parameters, only, minutes and device.  The environment says where the
job keeps its results, apart from everybody else's: AMPLIFY_RESULTS and AMPLIFY_DATA.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from amplib import files
from amplib.store.compute import compute
from amplib.store.results import Result
from amplib.store.shares import pack, take
from amplib.studies.catalogue import STUDIES


def main(arguments: list[str]) -> None:
    """Take what is given, compute, pack; what is unfinished when time is up goes along."""
    said, output, *given = arguments
    share = json.loads(said)
    result = Result(STUDIES[share["study"]](**share["parameters"]), share["preset"])
    for archive in map(Path, given):
        _, refused = take(archive, STUDIES, result.root)
        if refused:
            raise SystemExit("refused: " + "; ".join(refused))
    first, last = share["only"]
    complete = compute(result, device=share["device"], only=(first, last), minutes=share["minutes"])
    if not complete:
        print("time is up; the next job goes on from here", file=sys.stderr)
    pack(Path(output), [result], None if complete else result.root)


if __name__ == "__main__":
    files.RESULTS.mkdir(parents=True, exist_ok=True)
    main(sys.argv[1:])
