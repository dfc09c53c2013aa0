"""The agents' names by the roster files: to show beside their ids, and to find an agent by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import UNSET

from stream_attr.codec.records.roster import decode_roster
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.contract.records.roster import RosterRecord
from stream_attr.errors import UnusableError
from stream_attr.files.jsonl import LinesFile

__all__ = ["agent_named", "agents_from_files", "names_from_files", "no_such_agent"]

_MOST_NAMED = 20


def names_from_files(files: Iterable[str], shop_id: str) -> dict[str, str]:
    """Return the names of a shop's agents by id: each the one of its latest record that has any.

    Records that a worker would refuse are passed over. Raises UnusableFileError.
    """
    found: dict[str, tuple[int, str]] = {}
    for record in _records(files, shop_id):
        if record.name is UNSET:
            continue
        known = found.get(record.agent_id)
        if known is None or known[0] <= record.first_day:
            found[record.agent_id] = record.first_day, record.name
    return {agent_id: name for agent_id, (_, name) in found.items()}


def agents_from_files(files: Iterable[str], shop_id: str) -> set[str]:
    """Return the ids of all agents of a shop, of those without a name, too. Raises UnusableFileError."""
    return {record.agent_id for record in _records(files, shop_id)}


def _records(files: Iterable[str], shop_id: str) -> Iterator[RosterRecord]:
    for file in files:
        with LinesFile(file) as lines:
            for _, value in lines:
                try:
                    record = decode_roster(value)
                except RefusedRecord:
                    continue
                if record.shop_id == shop_id:
                    yield record


def agent_named(text: str, names: Mapping[str, str]) -> str:
    """Return the id of the agent that a user means by an id or a name; what is no name is an id.

    Raises UnusableError for a name that several agents have.
    """
    if text in names:
        return text
    found = sorted(agent_id for agent_id, name in names.items() if name == text)
    if len(found) > 1:
        raise UnusableError(f"several agents are named {text}: {', '.join(found)}; give one of these ids")
    return found[0] if found else text


def no_such_agent(text: str, there: Iterable[str], names: Mapping[str, str], *, has_roster: bool) -> str:
    """Return a sentence that no agent has this id or name, and which agents there are.

    ``has_roster``: all agents and their names are known; else those of what was read, by id.
    """
    known = [f"{one} {names[one]}" if one in names else one for one in sorted(there)]
    more = len(known) - _MOST_NAMED
    listed = ", ".join(known[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    agents = f"there are {listed}" if known else "nothing that was read names one"
    if has_roster:
        return f"there is no agent {text!r}; {agents}"
    return f"no agent with the id {text!r} is known in what was read; {agents}; give --roster to use names"
