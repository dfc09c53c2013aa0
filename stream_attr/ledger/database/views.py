"""The views ``report_*``: what other programs may read, whatever becomes of the tables.

Official profile only. Their columns keep names and meaning; new ones come last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from stream_attr.contract.records.agent_daily import FIGURES, Rate, made, shape_of
from stream_attr.contract.schema import RecordSchema
from stream_attr.ledger.database.texts import EPOCH, TABLES, columns_of
from stream_attr.rules.reports.contribution import TOTAL
from stream_attr.rules.vocabulary import NONE

__all__ = ["VIEWS", "Column", "View"]


class Column(NamedTuple):
    """A column of a view."""

    name: str
    expression: str
    text: str


@dataclass(frozen=True, slots=True)
class View:
    """A view."""

    name: str
    text: str
    columns: tuple[Column, ...]
    source: str
    """Its query from ``FROM`` on."""
    rows: str = ""
    """What stands between ``SELECT`` and the columns."""

    @property
    def query(self) -> str:
        """Its definition."""
        columns = ", ".join(f"{column.expression} AS {column.name}" for column in self.columns)
        return f"SELECT {self.rows}{columns} FROM {self.source}"


def _plain(table: str, *names: str) -> tuple[Column, ...]:
    """Columns of a table as they are; ``x_at`` is its instant ``x_ts``, as a time with time zone."""
    texts = columns_of(table)
    columns = []
    for name in names:
        instant = next((one for one in (name, f"{name[:-3]}_ts") if texts.get(one, "").endswith(EPOCH)), None)
        if instant is None:
            columns.append(Column(name, name, texts[name]))
        else:
            columns.append(_time(name, table, instant))
    return tuple(columns)


def _time(name: str, table: str, instant: str) -> Column:
    """An instant as a time with time zone."""
    return Column(name, f"to_timestamp({instant} / 1000.0)", columns_of(table)[instant].removesuffix(EPOCH))


def _figures(*, silent: bool) -> tuple[Column, ...]:
    """The figures of a day's record, by group; ``silent``: of the shop those of nobody, too."""
    columns = []
    for group, figures in FIGURES.items():
        if group == "silent" and not silent:
            continue
        about = " ".join((shape_of(group).__doc__ or "").split())
        text = f"Whether what comes on time can still change the figures {group}_*. {about}"
        columns.append(Column(f"{group}_status", f"record #>> '{{{group},status}}'", text))
        for name, meta in figures.items():
            kind = "numeric" if isinstance(made(group, name), Rate) else "bigint"
            value = f"(record #>> '{{{group},{name}}}')::{kind}"
            columns.append(Column(f"{group}_{name}", value, f"{meta.title}. {meta.description} {about}"))
    return tuple(columns)


def _record(table: str) -> str:
    record, _ = TABLES[table]
    assert isinstance(record, RecordSchema)
    return (record.shape.__doc__ or "").partition("\n")[0]


_DAY: Final = ("shop_id", "agent_id", "day", "status", "revision")

VIEWS: Final = (
    View(
        "report_orders",
        f"{_record('decision')} One row per order, official profile.",
        (
            *_plain("decision", "shop_id", "order_id", "buyer_id", "status", "outcome", "agent_id", "basis"),
            *_plain("decision", "silence", "placing_agent_id", "payment_agent_id", "amount", "quantity"),
            *_plain("decision", "currency", "refund_requested", "refund_completed"),
            Column(
                "net_amount", "amount - refund_completed", columns_of("decision")["net_amount"]
            ),  # the record has it, the table does not
            *_plain("decision", "created_at", "deposit_at", "paid_at", "cancelled_at", "final_at"),
            *_plain("decision", "notices", "preset", "settings_from", "revision", "reason", "known_at"),
            *_plain("decision", "product_ids"),
        ),
        "decision WHERE profile = 'official'",
    ),
    View(
        "report_refunds",
        "The refunds that count, each with the agent who has the order's credit.",
        (
            *_plain("refund", "shop_id", "order_id", "number", "refund_id"),
            Column(
                "refunded_at", "to_timestamp(ts / 1000.0)", columns_of("refund")["ts"].removesuffix(EPOCH)
            ),
            *_plain("refund", "amount", "completed", "currency", "agent_id", "outcome"),
        ),
        "refund",
    ),
    View(
        "report_inquiries",
        f"{_record('inquiry')} One row per buyer, agent and day.",
        (
            *_plain("inquiry", "shop_id", "buyer_id", "agent_id", "day", "status", "kind", "outcome"),
            *_plain("inquiry", "exempt", "order_ids", "final_at", "revision", "reason"),
        ),
        f"inquiry WHERE kind <> '{NONE}'",
    ),
    View(
        "report_receptions",
        f"{_record('reception')} One row per buyer, agent and day.",
        (
            *_plain("reception", "shop_id", "buyer_id", "agent_id", "day", "status", "role", "filtered"),
            *_plain("reception", "first_at", "last_at", "initiator", "buyer_messages", "agent_messages"),
            *_plain("reception", "agent_characters", "rounds", "replied", "first_response_ms"),
            *_plain("reception", "response_ms_sum", "response_count", "slow", "duration_ms"),
            *_plain("reception", "effective_conversation", "product_page", "transferred", "handed_over"),
            *_plain("reception", "rating", "final_at", "revision", "reason"),
        ),
        "reception",
    ),
    View(
        "report_agent_days",
        "The figures of one agent on one day. Sums and counts add up over days and agents, but for buyers "
        "who come twice; rates and means do not: divide sums.",
        (*_plain("agent_day", *_DAY), *_figures(silent=False)),
        f"agent_day WHERE agent_id <> '{TOTAL}'",
    ),
    View(
        "report_shop_days",
        "The figures of the whole shop on one day, each buyer counted once; silent: what is nobody's.",
        (*_plain("agent_day", *(name for name in _DAY if name != "agent_id")), *_figures(silent=True)),
        f"agent_day WHERE agent_id = '{TOTAL}'",
    ),
    View(
        "report_tasks",
        _record("service_task"),
        (
            *_plain("service_task", "shop_id", "order_id", "kind", "buyer_id", "agent_id", "status"),
            *_plain("service_task", "due_at", "closed_at", "revision", "reason"),
        ),
        "service_task",
    ),
    View(
        "report_agents",
        f"{_record('roster')} Each row of an agent holds until the next one's effective_from.",
        _plain("roster", "shop_id", "agent_id", "effective_from", "role", "name", "agent_group", "person_id"),
        "roster ORDER BY shop_id, agent_id, effective_from, source_offset DESC",
        rows="DISTINCT ON (shop_id, agent_id, effective_from) ",
    ),
    View(
        "report_progress",
        "How far the ledger has come in each topic, and so what the other views stand for.",
        (
            *_plain("sink_offset", "topic"),
            Column("partition", "source_partition", columns_of("sink_offset")["source_partition"]),
            *_plain("sink_offset", "next", "known_at"),
            _time("watermark", "sink_offset", "watermark"),
        ),
        "sink_offset",
    ),
)
