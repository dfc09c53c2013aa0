"""Texts of the screens of pay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stream_attr.ledger.texts import Text

__all__ = ["PAY_TEXTS"]

PAY_TEXTS: Final[Mapping[str, Text]] = {
    "pay_agents": Text("agents by the roster", "对应客服（名册）"),
    "pay_all_orders": Text("Show all {count} orders", "显示全部 {count} 单"),
    "pay_as_it_stands": Text("close it as it stands, although something is pending", "仍有待定，按现状关账"),
    "pay_changed": Text("as JSON", "JSON 原文"),
    "pay_check": Text("Check", "校验"),
    "pay_checked": Text("This can be paid by. It is not kept yet.", "方案可用，尚未保存。"),
    "pay_compared": Text("The persons beside each other", "人员对比"),
    "pay_compared_help": Text(
        "The month before is that of each person's own statement, of whichever scheme.",
        "上月取自各人自己的工资单，不论方案。",
    ),
    "pay_components": Text("What it pays", "计薪内容"),
    "pay_discard": Text("Discard", "删除"),
    "pay_document": Text("the scheme as JSON", "方案（JSON）"),
    "pay_draft": Text("Draft a run", "起草发薪"),
    "pay_draft_again": Text("Calculate again", "重新计算"),
    "pay_drafted_by": Text("drafted by", "起草人"),
    "pay_due": Text("due", "应付"),
    "pay_edit": Text("Write its next version", "编辑下一版本"),
    "pay_enter": Text("Enter a person", "登记人员"),
    "pay_file": Text("or a file", "或上传文件"),
    "pay_first_day": Text("first day", "入职日"),
    "pay_four_eyes": Text(
        "You have drafted this run: another person has to approve it.",
        "本次发薪由您起草，须由另一人批准。",
    ),
    "pay_own_pay": Text(
        "You are paid by this run, as {person}: somebody who is not has to approve it.",
        "您即 {person}，由本次发薪领薪：须由不在其中领薪的人批准。",
    ),
    "pay_is_closed": Text(
        "The run of this month is closed: what is paid stands on the statement; what has changed since comes "
        "as a correction.",
        "该月已关账：实发以工资单为准，之后的变化作为更正计入。",
    ),
    "pay_keep": Text("Keep this version", "保存此版本"),
    "pay_last_day": Text("last day", "离职日"),
    "pay_month": Text("month", "月份"),
    "pay_name": Text("name", "名称"),
    "pay_new": Text("Begin with", "以此新建"),
    "pay_no_own": Text(
        "There is no statement of yours yet: it is here once the month's run is closed.",
        "您还没有工资单：当月发薪关账后在此显示。",
    ),
    "pay_no_person": Text("Nobody whose pay you may see is paid by a scheme.", "没有您可查看的计薪人员。"),
    "pay_no_person_help": Text(
        "Payroll enters who is paid by which scheme, and the roster says by person_id who is which agent.",
        "由薪酬人员登记谁按哪个方案计薪；名册的 person_id 说明谁是哪个客服。",
    ),
    "pay_no_persons": Text("Nobody has been entered yet.", "尚未登记人员。"),
    "pay_no_runs": Text("There is no run yet that you may see.", "还没有您可查看的发薪。"),
    "pay_no_schemes": Text(
        "There is no scheme yet: begin with one of the trade.", "还没有方案：可从行业预设开始。"
    ),
    "pay_nobodys": Text(
        "Agent {agent} of {shop} has worked of late and is no person by the roster: nobody is paid for it.",
        "店铺 {shop} 的客服 {agent} 近期有接待，但名册未写明是谁：无人计薪。",
    ),
    "pay_now": Text("now", "本次"),
    "pay_order": Text("orders more, their amounts", "增加订单（金额）"),
    "pay_other_scheme": Text("another scheme", "改用方案"),
    "pay_owed": Text("still owed", "尚欠"),
    "pay_paid": Text("already paid", "已付"),
    "pay_person": Text("person", "人员"),
    "pay_persons": Text("Persons", "计薪人员"),
    "pay_presets": Text("Schemes of the trade", "行业预设方案"),
    "pay_print": Text("To keep it as PDF, print this page.", "打印本页即可存为 PDF。"),
    "pay_probation": Text("probation until", "试用期至"),
    "pay_received": Text("Received", "签收"),
    "pay_refused": Text("This was not done", "未执行"),
    "pay_run": Text("Run", "发薪"),
    "pay_runs": Text("Runs", "发薪"),
    "pay_scheme": Text("scheme", "方案"),
    "pay_schemes": Text("Schemes", "薪酬方案"),
    "pay_set": Text("Enter", "保存"),
    "pay_simulator": Text("What would I earn if …", "薪酬试算"),
    "pay_since": Text("from {day}", "自 {day}"),
    "pay_so_far": Text("Pay so far", "本月至今薪酬"),
    "pay_state": Text("state", "状态"),
    "pay_statement": Text("Statement", "工资单"),
    "pay_statements": Text("Statements", "工资单"),
    "pay_take": Text(
        "Corrections take at most {rate} of a month's pay at once.", "往月更正单月最多扣回 {rate}。"
    ),
    "pay_warnings": Text("Reported to the manager", "告知主管"),
    "pay_warnings_help": Text("Nothing is paid or taken by it.", "不影响薪酬，不会自动产生任何后果。"),
    "pay_total": Text("total", "合计"),
    "pay_true_ups": Text("Corrections of closed months", "已关账月份的更正"),
    "pay_true_ups_help": Text("Now + still owed + already paid = due.", "本次 + 尚欠 + 已付 = 应付。"),
    "pay_try": Text("Calculate", "试算"),
    "pay_unit_count": Text("a number", "个数"),
    "pay_unit_money": Text("an amount such as 50000.00", "金额，如 50000.00"),
    "pay_unit_rate": Text("a percentage such as 35%", "百分比，如 35%"),
    "pay_unit_ratio": Text("a number such as 1.75", "数值，如 1.75"),
    "pay_unit_seconds": Text("seconds", "秒"),
    "pay_version": Text("version", "版本"),
    "pay_versions": Text("Versions", "版本"),
    "pay_without": Text(
        "No scheme pays {person}, who is an agent of these shops by the roster.",
        "没有方案为 {person} 计薪，其在名册中是这些店铺的客服。",
    ),
}
"""By key of the templates."""
