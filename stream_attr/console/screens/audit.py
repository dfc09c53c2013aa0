"""The audit: who did what, by person, kind and day; the newest first, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from stream_attr.console.accounts import Accounts
from stream_attr.console.roles import Role
from stream_attr.console.screens.screen import Screen, shop_page
from stream_attr.console.visit import Asked, Visit
from stream_attr.ledger import audit
from stream_attr.ledger.periods import period
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import day_name, zone
from stream_attr.rules.shop.settings import DEFAULT_TIMEZONE

__all__ = ["KINDS", "SCREEN"]

TITLE: Final = Text("Audit", "操作记录")
PER_PAGE: Final = 100
_DIGITS: Final = 18
"""Of the number of a line."""
KINDS: Final[Mapping[str, Text]] = {
    one.english: one
    for one in (
        Text("log in", "登录"),
        Text("log-in refused", "拒绝登录"),
        Text("log out", "退出"),
        Text("set password", "设置密码"),
        Text("add account", "添加账号"),
        Text("link", "生成链接"),
        Text("set person", "指定本人"),
        Text("change role", "更改角色"),
        Text("end session", "结束会话"),
        Text("end sessions", "结束全部会话"),
        Text("enable account", "启用账号"),
        Text("disable account", "停用账号"),
        Text("export", "导出"),
        Text("open order", "打开他人订单"),
        Text("open buyer", "打开买家的一天"),
        Text("why not", "为什么不是"),
        Text("reconcile", "对账"),
        Text("look at pay", "查看薪酬"),
        Text("put scheme", "保存薪酬方案"),
        Text("set paid person", "登记计薪人员"),
        Text("draft pay run", "起草发薪"),
        Text("check pay run", "核对发薪"),
        Text("approve pay run", "批准发薪"),
        Text("close pay run", "关账"),
        Text("discard pay run", "删除发薪"),
        Text("open appeal", "提出申诉"),
        Text("withdraw appeal", "撤回申诉"),
        Text("refuse appeal", "驳回申诉"),
        Text("grant appeal", "同意申诉"),
        Text("publish ruling", "发布裁定"),
        Text("rule", "裁定"),
        Text("publish", "发布规则或名册"),
        Text("discard change", "放弃修改"),
        Text("try rules", "试算规则"),
        Text("cancel trial of rules", "取消试算"),
        Text("save report", "保存报表"),
        Text("delete report", "删除报表"),
    )
}
"""What is done, by the word that the ledger keeps; others are shown as they are kept."""


def show(visit: Visit) -> Response:
    """Show a page of the lines that are asked for."""
    asked, clocks = visit.asked, zone(DEFAULT_TIMEZONE)
    first, last = asked.one("from"), asked.one("to")
    days = None if first is None and last is None else period(first or last or "", last)
    sought = audit.Sought(
        login=asked.one("login"),
        action=asked.one("kind"),
        instants=None if days is None else days.instants(clocks),
        before=_number(asked),
    )
    entries = audit.entries(visit.connection, sought, PER_PAGE + 1)
    logins = [one.login for one in Accounts(visit.connection).all()]
    kinds = audit.actions(visit.connection)
    with visit.reading():
        return shop_page(
            visit,
            "audit.html",
            TITLE,
            shop_id=visit.shop(),
            entries=entries[:PER_PAGE],
            older=str(entries[PER_PAGE - 1].number) if len(entries) > PER_PAGE else None,
            is_newest=sought.before is None,
            kinds={kind: KINDS.get(kind, Text(kind, kind)) for kind in kinds},
            logins=logins,
            login=sought.login or "",
            kind=sought.action,
            first="" if days is None else day_name(days.first),
            last="" if days is None else day_name(days.last),
            zone=DEFAULT_TIMEZONE,
        )


def _number(asked: Asked) -> int | None:
    """Return the line before which the page begins; None: the newest. Raises HTTPException, 400."""
    text = asked.one("before")
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > _DIGITS:
        raise HTTPException(400, f"before={text}: it is the number of a line")
    return int(text)


SCREEN: Final = Screen("/audit", TITLE, show, frozenset({Role.ADMIN, Role.AUDITOR}))
