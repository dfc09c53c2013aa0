"""``python -m tests.fuzz``: feed hostile records to decoders and processor, as many as one likes."""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor, as_completed

import click

from tests.fuzz.case import Outcome, judge_case

RECORDS_OF_A_CASE = 2_000


@click.command()
@click.option("--records", default=1_000_000, show_default=True, help="How many, rounded up to whole cases.")
@click.option("--seed", default="1", show_default=True, help="Another one makes other records.")
@click.option("--processes", default=os.cpu_count() or 1, show_default=True, help="How many at one time.")
@click.option("--case", type=int, help="This one alone, as a failure names it.")
def command(records: int, seed: str, processes: int, case: int | None) -> None:
    """Judge hostile records; exit status 1 where one was not answered as it has to be."""
    logging.disable(logging.WARNING)
    begun = time.monotonic()
    whole, failed = Outcome(), 0
    cases = range(-(-records // RECORDS_OF_A_CASE)) if case is None else [case]
    with (
        ProcessPoolExecutor(processes) as pool,
        click.progressbar(length=len(cases), label="cases", file=sys.stderr) as bar,
    ):
        under_way = {
            pool.submit(judge_case, f"{seed}/{number}", RECORDS_OF_A_CASE): number for number in cases
        }
        for done in as_completed(under_way):
            bar.update(1)
            try:
                whole.add(done.result())
            except Exception as error:  # whatever it is, it is what is looked for
                failed += 1
                click.echo(
                    f"\ncase {under_way[done]} of seed {seed} (--seed {seed} --case {under_way[done]}):"
                )
                click.echo("".join(traceback.format_exception(error)))
    spent = time.monotonic() - begun
    refused = ", ".join(f"{count:,} {code}" for code, count in whole.refused.most_common())
    told = ", ".join(f"{count:,} {topic}" for topic, count in whole.outputs.most_common())
    click.echo(
        f"{whole.records:,} records in {spent:,.0f} s: {whole.refused.total():,} refused ({refused}); "
        f"told: {told}"
    )
    click.echo(
        f"{failed} of {len(cases)} cases failed"
        if failed
        else "each refused one is one dead letter, and no more came of it"
    )
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    command()
