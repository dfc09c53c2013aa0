"""Run scenario files: ``python -m stream_attr.testing FILE…``; a folder stands for its ``*.json``.

Prints a line for each scenario, and beneath it what is not as expected. Exit code 0: all hold; 1: some do
not; 2: a file cannot be used.
"""

from __future__ import annotations

import sys
from pathlib import Path

from stream_attr.testing.scenario import ScenarioError, failures, read_scenarios


def main(words: list[str]) -> int:
    """Run the scenarios of files; return the exit code."""
    if not words or words[0].startswith("-"):
        print("usage: python -m stream_attr.testing FILE_OR_FOLDER…", file=sys.stderr)
        return 2
    try:
        scenarios = read_scenarios(*map(Path, words))
    except ScenarioError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    failed = 0
    for scenario in scenarios:
        found = failures(scenario)
        failed += bool(found)
        print(f"{'FAILED' if found else 'ok'}  {scenario.name}")
        for line in found:
            print(f"        {line}")
    print(f"{len(scenarios)} scenarios, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
