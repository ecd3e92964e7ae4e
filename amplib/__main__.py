"""``python -m amplib``: what the make targets call."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from io import TextIOWrapper

from amplib.commands import events, pages, studies
from amplib.commands.arguments import Parser
from amplib.progress import ended_by_sigterm
from amplib.store.compute import WorkerDied
from amplib.store.results import warn_in_lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; bad input is one line on stderr and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a locale may not have ± and ×
            stream.reconfigure(errors="replace")
    warn_in_lines()
    parser = Parser(prog="amplib")
    commands = parser.add_subparsers(dest="command", required=True)
    for module in (events, studies, pages):
        module.add(commands)
    options = parser.parse_args(arguments)
    try:
        with ended_by_sigterm():
            return int(not options.run(options))
    except (ValueError, OSError, ImportError, MemoryError, WorkerDied) as error:
        said = " ".join(str(error).splitlines())
        print(f"amplib: {said or 'out of memory'}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
