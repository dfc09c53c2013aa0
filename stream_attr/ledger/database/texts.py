"""What every table and column holds: the contract's own texts, and the few that no record has."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from stream_attr.contract.records import (
    agent_daily,
    dead_letter,
    decision,
    inquiry_outcome,
    reception_fact,
    roster,
    ruling,
    service_task,
    shop_settings,
)
from stream_attr.contract.schema import RecordSchema
from stream_attr.rules.reports.contribution import TOTAL

__all__ = ["EPOCH", "TABLES", "columns_of", "describe"]

EPOCH: Final = " Milliseconds since the Unix epoch, UTC."
"""Ends the text of each column that is an instant."""

_LAST: Final = "The last revision per key."
TABLES: Final[dict[str, tuple[RecordSchema | None, str]]] = {
    "decision": (decision.SCHEMA, "The last revision per order and profile, further profiles too."),
    "decision_revision": (decision.SCHEMA, "Every revision of every order and profile."),
    "refund": (None, "The refunds that count, of the last official decisions."),
    "inquiry": (inquiry_outcome.SCHEMA, _LAST),
    "reception": (reception_fact.SCHEMA, _LAST),
    "agent_day": (agent_daily.SCHEMA, _LAST),
    "service_task": (service_task.SCHEMA, _LAST),
    "shop_settings": (shop_settings.SCHEMA, "Every record."),
    "roster": (roster.SCHEMA, "Every record."),
    "ruling": (ruling.SCHEMA, "Every ruling."),
    "dead_letter": (dead_letter.SCHEMA, "Every record, but for its bytes."),
    "unstored": (None, "Records of topics that the ledger could not store, with why; they stopped nothing."),
    "sink_offset": (
        None,
        "How far each partition has been read; the ledger holds exactly what lies before.",
    ),
    "input_partition": (
        None,
        "How far the workers have read each partition of the inputs, as it was when that was last looked at.",
    ),
    "day_roll_up": (
        None,
        "What the chat of a shop's day comes to; there only while it is right.",
    ),
    "alert_state": (None, "Which alerts have begun."),
    "alert_message": (None, "What is to be sent of alerts as they begin and end, and whether it was."),
    "goal": (None, "What a shop or an agent is to reach in a period; entered by people."),
    "saved_report": (None, "Reports that people have kept by a name."),
    "pay_scheme": (None, "What agents are paid for: the versions of each scheme, which never change."),
    "pay_person": (None, "Who is paid by which scheme; the roster says who is which agents."),
    "pay_run": (None, "A month of a scheme: what was calculated, and who checked and approved it."),
    "pay_statement": (None, "What a person is paid for a month, and why."),
    "lab_pay": (None, "What a month's pay would have been under each rule set of a trial."),
    "lab_trial": (None, "Rule sets tried over a period of stored events, and what came out."),
    "appeal": (None, "Appeals against decisions, and how each was answered; never changed, never deleted."),
    "account": (None, "Who may log in to the console, and as what."),
    "account_shop": (None, "Which shops an account may see, and of an agent's account who that is there."),
    "account_link": (None, "Links with which an account sets its password, once."),
    "session": (None, "Who is logged in."),
    "oidc_request": (None, "Log-ins that are under way at an OpenID Connect provider."),
    "rule_change": (None, "Changes of settings and roster as people prepare them, and who published them."),
    "audit": (None, "Who looked at what and changed what in the console."),
    "schema_version": (None, "The number of the last migration that was run."),
}
"""By table the record that it keeps, if it keeps one, and of that what it holds."""

_EVERYWHERE: Final = {
    "source_partition": "The partition from which it came; of a file its number among the topic's.",
    "source_offset": "The offset at which it lay there; of a file its line, counted from 1.",
    "known_ts": f"When it was known: the time of its record in the topic; in a file its watermark.{EPOCH}",
    "record": "The whole record, as it was emitted.",
}
_OTHERS: Final[dict[str, Mapping[str, str]]] = {
    "decision": {
        "profile": "official, or the name of a further profile, which is never credit.",
        "record": "The whole decision, the receipt included.",
        "product_id": "The only one of product_ids; |: there are several. Null: there is none.",
        "counted_ts": f"When it counts: on its payment, while it is not paid on its creation.{EPOCH}",
    },
    "refund": {
        "number": "Its place among the refunds that the decision names, from 1.",
        "agent_id": "The agent who has the order's credit; null: nobody.",
    },
    "dead_letter": {
        "place": "Where the record that could not be used lay: partition and offset, or file and line.",
        "shop_id": "The shop that the record names; null: it cannot be read.",
        "order_id": "The order that the record names; null: it names none, or it cannot be read.",
    },
    "unstored": {
        "topic": "The topic.",
        "source_partition": "The partition; of a file its number among the topic's.",
        "source_offset": "The offset; of a file its line, counted from 1.",
        "why": "What the database or the decoder reports.",
        "record_key": "The record's key; null: it had none.",
        "value": "The record's bytes; null: a tombstone.",
    },
    "sink_offset": {
        "topic": "The topic, without prefix.",
        "source_partition": "The partition; of files the number among the topic's.",
        "next": "The offset of the next record that is to be read.",
        "topic_id": "The broker's id of the topic: with another one it was recreated. Null: files.",
        "known_ts": f"The latest time of the records that were read.{EPOCH}",
        "watermark": f"The latest watermark of the records that were read.{EPOCH}",
    },
    "input_partition": {
        "topic": "The topic, without prefix.",
        "source_partition": "The partition.",
        "next": "The offset of the next record that a worker reads.",
        "seen_ts": f"The latest ts of the events that were accepted; null: of none, or of rulings.{EPOCH}",
        "watermark": f"The partition's, which all topics of it share; null: there is none yet.{EPOCH}",
        "known_ts": f"When a worker last got on here.{EPOCH}",
        "keys": "How many of the topic's keys that worker looked at last, in all of its partitions.",
        "murmur2_keys": "How many of these lie where murmur2 puts them.",
        "other_content": "How many events here repeated an id with other content; the first of them counts.",
    },
    "day_roll_up": {
        "shop_id": "The shop.",
        "day": "The day.",
        "form": "The form of its content, which programs of another form do not use.",
        "zone": "The time zone of the days that it was made by.",
        "day_cut": "When they begin.",
        "content": "By hour how many buyers were there and who served them, by agent how it ended.",
    },
    "alert_state": {
        "shop_id": "The shop; *: the rule is of no shop.",
        "rule": "The name of the rule.",
        "active": "Whether it has begun and not ended.",
        "changes": "How often it has begun or ended.",
        "changed_ts": f"The end of the window with which it last did so.{EPOCH}",
    },
    "alert_message": {
        "shop_id": "The shop; *: the rule is of no shop.",
        "rule": "The name of the rule.",
        "change": "Which change of the rule it tells, from 1.",
        "channel": "The name of the channel that it goes to.",
        "begins": "Whether it tells the beginning; false: the end.",
        "title": "Its title.",
        "body": "Its text.",
        "status": "waiting, sending, sent; dropped: its channel is gone; unknown: the process ended while it "
        "was sending.",
        "attempts": "How often it was tried to send it.",
        "sent_ts": f"When it was sent; null: it was not yet.{EPOCH}",
    },
    "goal": {
        "shop_id": "The shop.",
        "agent_id": f"The agent; {TOTAL}: the whole shop.",
        "figure": "The key of the figure, such as sales.amount.",
        "first_day": "The first day of the period.",
        "last_day": "Its last day, included.",
        "target": "In the smallest unit of the figure: minor units, counts, milliseconds; of rates and "
        "ratios ten-thousandths.",
        "currency": "ISO 4217, of an amount; null: it is none.",
        "set_ts": f"When it was entered.{EPOCH}",
    },
    "saved_report": {
        "name": "The name.",
        "report": "Which report, such as sales.",
        "options": "Its options, each with its values.",
        "saved_ts": f"When it was kept.{EPOCH}",
    },
    "pay_scheme": {
        "scheme_id": "The scheme.",
        "version": "Which version of it, from 1.",
        "effective_from": "The first day on which it holds: the first of a month.",
        "document": "The scheme, a document of the type pay-scheme.",
        "put_by": "Who put it there.",
        "put_ts": f"When it was put there.{EPOCH}",
    },
    "pay_person": {
        "person_id": "The person, as the roster has it.",
        "name": "For people to read; null: none was given.",
        "scheme_id": "The scheme that pays the person.",
        "first_day": "The first day of employment.",
        "last_day": "The last day of employment, included; null: no end is known.",
        "probation_until": "The last day of probation; null: there is none.",
        "set_by": "Who entered it.",
        "set_ts": f"When it was entered.{EPOCH}",
    },
    "pay_run": {
        "scheme_id": "The scheme.",
        "month": "The first day of the month.",
        "version": "The version of the scheme that it is calculated by.",
        "state": "draft, checked, approved or closed; a closed one never changes.",
        "persons": "All persons of the team.",
        "basis": "What it was calculated from: persons, figures, orders with the revisions of their "
        "decisions, and what was pending.",
        "drafted_by": "Who drafted it.",
        "drafted_ts": f"When it was drafted.{EPOCH}",
        "checked_by": "Who checked it; null: nobody yet.",
        "checked_ts": f"When it was checked.{EPOCH}",
        "approved_by": "Who approved it, another person than who drafted it; null: nobody yet.",
        "approved_ts": f"When it was approved.{EPOCH}",
        "closed_by": "Who closed it; null: nobody yet.",
        "closed_ts": f"When it was closed.{EPOCH}",
    },
    "pay_statement": {
        "person_id": "The person.",
        "month": "The first day of the month.",
        "scheme_id": "The scheme of the run that it belongs to.",
        "pay": "What the month itself pays. Minor units.",
        "true_up": "What closed months pay besides or, below 0, take back. Minor units.",
        "total": "Both together. Minor units.",
        "record": "Its lines, each with what it is made of, and the corrections of closed months.",
    },
    "appeal": {
        "shop_id": "The shop.",
        "appeal_id": "The appeal; the ruling that grants it is appeal-, then this.",
        "order_id": "The order.",
        "agent_id": "The agent who appeals.",
        "reason": "Why, one of eight words.",
        "comment": "What the agent says to it.",
        "expected_agent_id": "The agent who is to have the sale; null: nobody.",
        "held_agent_id": "The agent who had it; null: nobody.",
        "revision": "The revision of the decision that is appealed.",
        "opened_by": "Who opened it.",
        "opened_ts": f"When it was opened.{EPOCH}",
        "state": "open, answered or withdrawn.",
        "answer": "granted, granted_in_part or refused; null: there is none yet. Of an open one: its ruling "
        "is being published.",
        "answer_comment": "What who answered it says to it; empty: nothing.",
        "answered_by": "Who answered it, never who opened it or whom it concerns.",
        "ruling": "The record of the topic rulings that grants it; null: nothing is granted.",
        "ended_ts": f"When it was answered or withdrawn; null: it is open.{EPOCH}",
    },
    "lab_trial": {
        "shop_id": "The shop.",
        "trial_id": "The trial.",
        "first_day": "The first day of the period, by when orders were paid.",
        "last_day": "The last day of the period, included.",
        "rule_sets": "What it was judged by: names and rules; null rules: the shop's settings as they stood.",
        "roster": "A roster record that is tried instead: the second set is the shop's rules with it.",
        "asked_by": "Who had it made.",
        "asked_ts": f"When.{EPOCH}",
        "state": "waiting, running, done, failed or cancelled.",
        "read": "Events that are read.",
        "total": "Events that there are to read; 0: it is not known yet.",
        "progress_ts": f"When its progress was last written; null: it has not begun.{EPOCH}",
        "ended_ts": f"When it ended; null: it has not.{EPOCH}",
        "problem": "Why there is no result; null: there is one, or none is expected.",
        "result": "Orders whose winner depends on the rule, and money by agent and rule set.",
        "scheme_id": "The scheme by which pay is calculated, into lab_pay; null: none is.",
    },
    "lab_pay": {
        "shop_id": "The shop.",
        "trial_id": "The trial.",
        "person_id": "The person.",
        "name": "Of the person, as it was entered.",
        "scheme_version": "The version of the scheme.",
        "currency": "Of the totals, an ISO 4217 code.",
        "totals": "What the person is paid under each rule set, in their order. Minor units.",
    },
    "account": {
        "login": "The name to log in with.",
        "name": "The name of the person.",
        "role": "admin, manager, reviewer, payroll, agent or auditor.",
        "password_hash": "Argon2id, with its parameters; null: no password has been set.",
        "active": "Whether it may log in.",
        "created_ts": f"When it was made.{EPOCH}",
        "person_id": "Who it is, as the roster has persons; null: not given.",
    },
    "account_shop": {
        "login": "The account.",
        "shop_id": "The shop.",
        "agent_id": "The agent who the person is there; empty: the account sees the whole shop.",
        "appeals_seen_ts": f"Until when the agent has seen answers to own appeals; 0: none.{EPOCH}",
    },
    "account_link": {
        "token_hash": "SHA-256 of the link's secret.",
        "login": "The account.",
        "expires_ts": f"Until when it can be used.{EPOCH}",
    },
    "session": {
        "token_hash": "SHA-256 of the cookie.",
        "login": "The account.",
        "csrf_token": "What every form of the session carries.",
        "started_ts": f"When it began.{EPOCH}",
        "used_ts": f"When it was used last, to the minute.{EPOCH}",
        "way": "password, oidc or proxy: how it has begun.",
        "number": "Names it to an administrator, who has no use for its secret.",
    },
    "oidc_request": {
        "state_hash": "SHA-256 of what comes back with the browser.",
        "nonce": "What the provider's token has to have.",
        "code_verifier": "What shows that the code is ours to use.",
        "following": "The page to go on to.",
        "expires_ts": f"Until when.{EPOCH}",
    },
    "audit": {
        "number": "Its number.",
        "ts": f"When.{EPOCH}",
        "login": "Who.",
        "action": "What was done.",
        "shop_id": "Of which shop; null: of none.",
        "about": "Of whom or what: an order, an agent, an account.",
        "before": "What was changed, as it was.",
        "after": "What was changed, as it is now.",
    },
    "rule_change": {
        "shop_id": "The shop.",
        "number": "Its number.",
        "topic": "Where it is published: shop-settings or agent-roster.",
        "agent_id": "Of a roster record, the agent.",
        "content": "The record's value.",
        "digest": "SHA-256 of the content.",
        "before": "The record that held on its first day when it was prepared.",
        "basis": "What names the records that it was prepared on: with another one, others were published.",
        "state": "draft, published or discarded.",
        "changed_by": "Who prepared this content.",
        "changed_ts": f"When.{EPOCH}",
        "trial_id": "What tries it in the lab, or has tried it.",
        "trial_digest": "Of which content that is.",
        "seen_by": "The accounts that have seen the preview.",
        "published_by": "Who published it.",
        "published_ts": f"When.{EPOCH}",
        "published_unseen": "Whether it was published without a preview.",
    },
    "schema_version": {"version_num": "The number."},
}
_FROM: Final[dict[str, Mapping[str, tuple[RecordSchema, tuple[str, ...]]]]] = {
    "decision": {
        "placing_agent_id": (decision.SCHEMA, ("placing",)),
        "payment_agent_id": (decision.SCHEMA, ("payment",)),
        "agent_id": (decision.SCHEMA, ("credit",)),
        "basis": (decision.SCHEMA, ("credit", "basis")),
    },
    "refund": {
        "shop_id": (decision.SCHEMA, ("shop_id",)),
        "order_id": (decision.SCHEMA, ("order_id",)),
        "currency": (decision.SCHEMA, ("currency",)),
        "outcome": (decision.SCHEMA, ("outcome",)),
        **{name: (decision.SCHEMA, ("refunds", name)) for name in ("refund_id", "ts", "amount", "completed")},
    },
    "roster": {"agent_group": (roster.SCHEMA, ("group",))},
}
"""Columns that are a field within another one, or of another name."""
_SAME: Final = {"decision_revision": "decision"}


@cache
def columns_of(table: str) -> Mapping[str, str]:
    """Return the texts of a table's columns, and of the fields of its record that have no column."""
    table = _SAME.get(table, table)
    record, _ = TABLES[table]
    fields = {} if record is None else record.json_schema()["properties"]
    inner = {name: _text(of.json_schema(), path) for name, (of, path) in _FROM.get(table, {}).items()}
    whole = {name: str(field["description"]) for name, field in fields.items()}
    return {**_EVERYWHERE, **whole, **inner, **_OTHERS.get(table, {})}


def describe(table: str) -> str:
    """Return the text of a table."""
    record, what = TABLES[table]
    return what if record is None else f"{what} {record.json_schema()['description']}"


def _text(schema: Mapping[str, Any], path: tuple[str, ...]) -> str:
    for name in path:
        schema = schema.get("items", schema)["properties"][name]
    return str(schema["description"])
