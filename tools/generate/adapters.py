"""The generated tables of ``docs/adapters``: what each adapter reads, asks for and takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from stream_attr.adapters.adapter import SURENESS, SURENESS_IN_CHINESE, Adapter
from stream_attr.adapters.registry import ADAPTERS
from stream_attr.adapters.skips import IN_CHINESE, MEANINGS, WORTH_A_LOOK

Table = Callable[[Sequence[str], Iterable[Sequence[str]]], str]


def tables(table: Table) -> dict[str, Callable[[bool], str]]:
    """Return the tables by the names of their markers; ``table``: makes one of its head and rows."""
    return {
        "adapters": partial(_overview, table),
        "adapter-reasons": partial(_reasons, table),
        "adapter-sureness": partial(_sureness, table),
        **{
            f"adapter-{platform.replace('_', '-')}": partial(_page, adapter, table)
            for platform, adapter in ADAPTERS.items()
        },
    }


def _overview(table: Table, in_chinese: bool) -> str:
    gives = {"chats": "聊天", "orders": "订单"} if in_chinese else {"chats": "chats", "orders": "orders"}
    yes, no = ("是", "否") if in_chinese else ("yes", "no")
    return table(
        ("平台", "给出", "依据", "HTTP 签名", "消息等待回复")
        if in_chinese
        else ("platform", "gives", "sure by", "signed over HTTP", "messages wait for an answer"),
        [
            (
                f"[{one.name}]({platform}.md)",
                ("、" if in_chinese else ", ").join(gives[each] for each in sorted(one.gives)),
                one.sureness,
                yes if one.signature else no,
                yes if one.shared_inbox else "",
            )
            for platform, one in ADAPTERS.items()
        ],
    )


def _reasons(table: Table, in_chinese: bool) -> str:
    meanings = IN_CHINESE if in_chinese else MEANINGS
    return table(
        ("原因", "含义") if in_chinese else ("reason", "meaning"),
        [
            (f"`{reason}`{' *' if reason in WORTH_A_LOOK else ''}", meaning)
            for reason, meaning in meanings.items()
        ],
    )


def _sureness(table: Table, in_chinese: bool) -> str:
    meanings = SURENESS_IN_CHINESE if in_chinese else SURENESS
    return table(
        ("依据", "含义") if in_chinese else ("sure by", "meaning"),
        [(f"**{word}**", meaning) for word, meaning in meanings.items()],
    )


def _page(one: Adapter, table: Table, _: bool) -> str:
    parts = [f"Sure by **{one.sureness}**: {SURENESS[one.sureness]}.\n"]
    if one.signature:
        keys = ", ".join(f"`{key}`" for key in one.signature.keys)
        parts.append(f"Secrets for its signature: {keys}.\n")
    if one.details:
        parts.append(
            table(("`enrich` is asked for", "answered by"), [(f"`{name}`", by) for name, by in one.details])
        )
    parts.append(
        table(("field", "unit"), [(f"`{name}`", unit) for name, unit in sorted(one.fields.units.items())])
    )
    return "\n".join(parts)
