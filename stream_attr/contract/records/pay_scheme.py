"""A pay scheme: what agents are paid for, from a day on (docs/pay.md).

A document that people write; no topic carries it. Unlike elsewhere an unknown field is refused: a misspelt
one must not pass for one that was left out.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from stream_attr.contract.records.fields import Amount, Version, field, money
from stream_attr.contract.records.pay_numbers import Bound, Percent, Share, Written
from stream_attr.contract.schema import RecordSchema, only

MAX_ELEMENTS: Final = 50
"""Components of a scheme, and elements of any list within one."""


def _number(kind: type[Written], description: str, **schema: Any) -> Meta:
    """Return what the schema says of a number that is exact."""
    return field(description, **kind.schema, **schema)


_NOT_A_NAME: Final = {"pattern": "[^a-z0-9_-]"}
_NOT_A_KEY: Final = {"pattern": "[^a-z0-9_.-]"}

Name = Annotated[str, Meta(min_length=1, max_length=64, extra_json_schema={"not": _NOT_A_NAME})]
"""Checked by `stream_attr.pay`: 1 to 64 of a-z 0-9 _ -."""
FigureKey = Annotated[str, Meta(min_length=3, max_length=128, extra_json_schema={"not": _NOT_A_KEY})]
_Few = Meta(min_length=1, max_length=MAX_ELEMENTS)

_SCORES: Final = "score.<id> is the score of that component."
Figure = Annotated[
    FigureKey, field(f"The key of the figure that is paid for, such as sales.net_amount. {_SCORES}")
]
Probation = Annotated[
    Annotated[Share, _number(Share, "What is paid of it for days on probation.", title="试用期")] | UnsetType,
    field("What is paid of it for days on probation; left out: all of it.", title="试用期"),
]
Prorate = Annotated[
    Literal["days"] | UnsetType,
    field(
        "How a month's amount is paid: by the days of employment; left out: whole to whoever was "
        "employed on a day of it.",
        title="折算",
        enum=["days"],
    ),
]


class Least(Struct, forbid_unknown_fields=True, frozen=True):
    """A figure that has to be reached."""

    figure: Annotated[FigureKey, field(f"The key of the figure, such as workload.receptions. {_SCORES}")]
    at: Annotated[
        Bound,
        _number(Bound, "What it has to be, at least. In the unit of the figure: money in minor units."),
    ]


class Tier(Struct, forbid_unknown_fields=True, frozen=True):
    """A rate from a value on."""

    start: Annotated[
        Bound,
        _number(
            Bound, "The value from which the rate holds. In the unit of the figure: money in minor units."
        ),
    ] = msgspec.field(name="from")
    rate: Annotated[Share, _number(Share, "What is paid of the money, as a percentage.")]


class FactorTier(Struct, forbid_unknown_fields=True, frozen=True):
    """A factor from a value on."""

    start: Annotated[
        Bound,
        _number(Bound, "The value from which the factor holds. In the unit of the figure."),
    ] = msgspec.field(name="from")
    rate: Annotated[Percent, _number(Percent, "The factor, as a percentage.")]


class Step(Struct, forbid_unknown_fields=True, frozen=True):
    """An amount from a value on."""

    start: Annotated[
        Bound,
        _number(Bound, "The value from which the amount is paid. In the unit of the figure."),
    ] = msgspec.field(name="from")
    amount: Annotated[Amount, money("What is paid.")]


class Band(Struct, forbid_unknown_fields=True, frozen=True):
    """Points from a value on."""

    start: Annotated[
        Bound,
        _number(
            Bound,
            "The value from which these points are given; with less_is_better the value up to which. In the "
            "unit of the figure: times in milliseconds.",
        ),
    ] = msgspec.field(name="from")
    points: Annotated[Annotated[int, Meta(ge=0, le=1000)], field("The points.")]


class ScoreItem(Struct, forbid_unknown_fields=True, frozen=True):
    """One item of a score."""

    figure: Annotated[FigureKey, field("The key of the figure, such as workload.first_response_ms.")]
    weight: Annotated[Share, _number(Share, "Its weight; those of all items add up to 100%.", title="权重")]
    bands: Annotated[
        Annotated[tuple[Annotated[Band, field("One band.")], ...], _Few],
        field(
            "Points by value, from the easiest band to the hardest: the hardest that is reached counts, "
            "below the first there are none."
        ),
    ]
    less_is_better: Annotated[bool, field("Whether a smaller value is the better one.")] = False


class Component(Struct, tag_field="kind", forbid_unknown_fields=True, kw_only=True, frozen=True):
    """What all components have."""

    id: Annotated[Name, field("What the scheme calls it, once: 1 to 64 of a-z 0-9 _ -.")]
    name: Annotated[
        Annotated[str, Meta(min_length=1, max_length=128)] | UnsetType,
        field("For people to read, on the statement."),
    ] = UNSET


class Fixed(Component, tag="fixed", kw_only=True, frozen=True):
    """An amount a month."""

    amount: Annotated[Amount, money("A month's.", title="底薪")]
    prorate: Prorate = UNSET
    probation: Probation = UNSET


class Commission(Component, tag="commission", kw_only=True, frozen=True):
    """A share of money, by tiers."""

    schema_conditions: ClassVar[dict[str, Any]] = {
        "if": only("mode", "marginal"),
        "then": {"not": {"required": ["by"]}},
    }

    of: Figure
    mode: Annotated[
        Literal["marginal", "whole"],
        field(
            "How the tiers count. marginal: each rate is of the part between its tier and the next; "
            "whole: that of the tier that is reached is of all.",
            title="分段方式",
            enum=["marginal", "whole"],
        ),
    ]
    tiers: Annotated[
        Annotated[tuple[Annotated[Tier, field("One tier.")], ...], _Few],
        field("Rates by value, ascending; below the first nothing is paid.", title="分段提成"),
    ]
    by: Annotated[
        FigureKey | UnsetType,
        field(f"With whole: the figure that picks the tier, such as attainment; left out: of. {_SCORES}"),
    ] = UNSET
    least: Annotated[Least | UnsetType, field("Nothing is paid unless this is reached.")] = UNSET
    probation: Probation = UNSET


class PerUnit(Component, tag="per_unit", kw_only=True, frozen=True):
    """An amount for each of a number of things."""

    of: Annotated[FigureKey, field("The key of the figure that counts them, such as sales.orders.")]
    amount: Annotated[Amount, money("For each.", title="计件")]
    probation: Probation = UNSET


class Steps(Component, tag="steps", kw_only=True, frozen=True):
    """An amount by what is reached."""

    of: Figure
    steps: Annotated[
        Annotated[tuple[Annotated[Step, field("One step.")], ...], _Few],
        field("Amounts by value, ascending; the last that is reached is paid.", title="达标奖"),
    ]
    probation: Probation = UNSET


class Score(Component, tag="score", kw_only=True, frozen=True):
    """An amount by points."""

    amount: Annotated[Amount, money("What 100 points pay.", title="KPI 积分")]
    items: Annotated[
        Annotated[tuple[Annotated[ScoreItem, field("One item.")], ...], _Few],
        field("What the points are for."),
    ]
    probation: Probation = UNSET


class Ranking(Component, tag="ranking", kw_only=True, frozen=True):
    """Prizes for the first."""

    by: Annotated[FigureKey, field(f"The key of the figure that ranks. {_SCORES}")]
    prizes: Annotated[
        Annotated[tuple[Annotated[Amount, money("Of one place.")], ...], _Few],
        field("By place, none larger than the one before.", title="排名奖"),
    ]
    least: Annotated[Least | UnsetType, field("Who does not reach this is not ranked.")] = UNSET
    less_is_better: Annotated[bool, field("Whether the smallest value is the first.")] = False


class Pool(Component, tag="pool", kw_only=True, frozen=True):
    """A team's pot, shared."""

    of: Annotated[
        FigureKey,
        field(
            "The key of the money of which the pot is a share: of all who are paid by the scheme together."
        ),
    ]
    rate: Annotated[Share, _number(Share, "What is put into the pot of it, as a percentage.", title="奖金池")]
    by: Annotated[FigureKey, field(f"The key of the figure by which the pot is shared. {_SCORES}")]


class Split(Component, tag="split", kw_only=True, frozen=True):
    """A share of each order's money to its placing and its payment agent."""

    placing: Annotated[Share, _number(Share, "The placing agent's.", title="落实下单")]
    payment: Annotated[Share, _number(Share, "The payment agent's; both add up to 100%.", title="落实付款")]


On = Annotated[
    Annotated[tuple[Annotated[Name, field("The id of a component.")], ...], _Few] | UnsetType,
    field(
        "Ids of the components that it is on, which stand before it; left out: all of these. What changed "
        "them before is included."
    ),
]


class Factor(Component, tag="factor", kw_only=True, frozen=True):
    """What other components are multiplied by."""

    schema_conditions: ClassVar[dict[str, Any]] = {
        "oneOf": [
            {"required": ["rate"], "not": {"anyOf": [{"required": ["by"]}, {"required": ["tiers"]}]}},
            {"required": ["by", "tiers"], "not": {"required": ["rate"]}},
        ]
    }

    on: On = UNSET
    rate: Annotated[
        Annotated[Percent, _number(Percent, "The factor.")] | UnsetType,
        field("The factor, as a percentage; else by and tiers say it.", title="系数"),
    ] = UNSET
    by: Annotated[FigureKey | UnsetType, field(f"The key of the figure that picks the tier. {_SCORES}")] = (
        UNSET
    )
    tiers: Annotated[
        Annotated[tuple[Annotated[FactorTier, field("One tier.")], ...], _Few] | UnsetType,
        field("Factors by value, ascending; below the first the factor is 100%."),
    ] = UNSET


class Cap(Component, tag="cap", kw_only=True, frozen=True):
    """The most that other components pay."""

    on: On = UNSET
    amount: Annotated[Amount, money("The most that they pay together.", title="封顶")]


class Floor(Component, tag="floor", kw_only=True, frozen=True):
    """The least that other components pay."""

    on: On = UNSET
    amount: Annotated[Amount, money("The least that they pay together.", title="保底")]
    prorate: Prorate = UNSET


AnyComponent = Fixed | Commission | PerUnit | Steps | Score | Ranking | Pool | Split | Factor | Cap | Floor


class LastRanked(Struct, tag_field="kind", tag="last", forbid_unknown_fields=True, frozen=True):
    """The last of a ranking."""

    by: Annotated[FigureKey, field(f"The key of the figure that ranks. {_SCORES}")]
    share: Annotated[Share, _number(Share, "Which share of those ranked is named.", title="末位")]
    less_is_better: Annotated[bool, field("Whether the smallest value is the first.")] = False


class LowScores(Struct, tag_field="kind", tag="below", forbid_unknown_fields=True, frozen=True):
    """Scores that stay low."""

    score: Annotated[Name, field("The id of a component of kind score.")]
    points: Annotated[Annotated[int, Meta(ge=1, le=1000)], field("A month with fewer points counts.")]
    times: Annotated[Annotated[int, Meta(ge=1, le=24)], field("So many such months are named.")]
    months: Annotated[
        Annotated[int, Meta(ge=1, le=24)], field("Of so many months, the present one the last. Months.")
    ]


class PayScheme(Struct, forbid_unknown_fields=True, frozen=True):
    """What agents are paid for from a month on.

    Of several versions the one of the latest effective_from holds, of those the greatest.
    """

    scheme_id: Annotated[Name, field("The scheme: 1 to 64 of a-z 0-9 _ -.")]
    version: Annotated[Version, field("Counts from 1 per scheme.")]
    effective_from: Annotated[
        str,
        field(
            "First day on which it holds: the first of a month, YYYY-MM-01, for pay is by the month.",
            format="date",
            minLength=10,
            maxLength=10,
            pattern="^[0-9]{4}-(?:0[1-9]|1[0-2])-01",
        ),
    ]
    refund_basis: Annotated[
        Literal["sale_month", "refund_month"],
        field(
            "What net money is. sale_month: sales of the month less what is known to be refunded of them, "
            "whenever; refund_month: sales of the month less refunds of the month, of whichever sales.",
            title="退款口径",
            enum=["sale_month", "refund_month"],
        ),
    ]
    take_at_most: Annotated[
        Share,
        _number(
            Share,
            "What corrections of earlier months may take of a month's pay at once, as a percentage.",
            title="单月最多扣回",
        ),
    ]
    components: Annotated[
        Annotated[
            tuple[Annotated[AnyComponent, field("One component.")], ...],
            _Few,
        ],
        field("What is paid, in the order of the statement."),
    ]
    name: Annotated[
        Annotated[str, Meta(min_length=1, max_length=128)] | UnsetType, field("For people to read.")
    ] = UNSET
    currency: Annotated[str, field("ISO 4217 code of all money in it.", pattern="^[A-Z]{3}$")] = "CNY"
    warnings: Annotated[
        Annotated[
            tuple[Annotated[LastRanked | LowScores, field("One rule.")], ...],
            Meta(max_length=MAX_ELEMENTS),
        ],
        field("Of whom the manager is notified. Nothing is paid or taken by them.", title="预警"),
    ] = ()


SCHEMA: Final = RecordSchema("pay-scheme", "Pay scheme", PayScheme, closed=True, of_topic=False)
