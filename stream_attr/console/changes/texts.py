"""Texts of the screens on which rules and roster are changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stream_attr.ledger.texts import Text

__all__ = ["OF_CHANGES"]

OF_CHANGES: Final[Mapping[str, Text]] = {
    "add_agent": Text("Add an agent", "新增客服"),
    "add_profile": Text("Add", "增加"),
    "all_changes": Text("All changes", "全部变更"),
    "as_json": Text("The record as it is published", "将发布的记录"),
    "basis_changed": Text(
        "Others have changed this since it was prepared, or the ledger has not read it yet. Look at "
        "it again on what holds now.",
        "此变更准备之后，规则已被他人修改，或账本尚未读到。请在现行规则上重新查看。",
    ),
    "basis_changed_form": Text(
        "Others have changed this since you opened the form. What you entered stands below; what "
        "holds now is in the history. Send it again to go on.",
        "您打开表单之后，规则已被他人修改。您填写的内容仍在下方，现行规则见修订记录。再次提交即可继续。",
    ),
    "change_is_another": Text(
        "The change has another content by now: look at it again.", "变更内容已更新，请重新查看。"
    ),
    "change_is_over": Text("This change is published or discarded already.", "此变更已发布或已放弃。"),
    "change_number": Text("change {number}", "变更 {number}"),
    "change_refused": Text(
        "The worker would refuse this record: correct it first.", "此记录会被拒绝，请先更正。"
    ),
    "change_rules": Text("Change the rules", "修改规则"),
    "changes_nothing": Text("It changes nothing.", "没有变化。"),
    "check_and_preview": Text("Check, then preview", "检查并预览"),
    "discard": Text("Discard", "放弃"),
    "drop_profile": Text("Remove {name}", "删除 {name}"),
    "edit": Text("Change", "修改"),
    "effective_from": Text("effective from", "生效日期"),
    "end_agent": Text("End", "停用"),
    "first_record": Text(
        "The shop has no settings yet: the first record says its time zone and day cut for good, and "
        "may begin in the past.",
        "该店铺还没有设置：首条记录永久确定时区和业务天分割点，可以从过去的日期开始。",
    ),
    "form_wrong": Text("To be corrected: {count}. Nothing was saved.", "有 {count} 处需要更正，尚未保存。"),
    "later_record": Text("From {day} on another record holds already.", "自 {day} 起已有另一条记录生效。"),
    "left_empty": Text("Left empty", "留空"),
    "more_rows": Text("More rows", "增加行"),
    "new_profile": Text("name of a new one", "新方案名称"),
    "no_broker": Text(
        "The console was given no broker (--broker): it cannot publish.",
        "控制台没有配置 Kafka（--broker），无法发布。",
    ),
    "no_changes": Text("Nothing was prepared or published here yet.", "尚未在此准备或发布变更。"),
    "no_events": Text(
        "There are no stored events here to try the change on (--events): nobody can say what it "
        "would have done.",
        "这里没有可供试算的历史事件（--events），无法得知此变更的影响。",
    ),
    "no_records": Text("There is no record yet.", "还没有记录。"),
    "not_acknowledged": Text(
        "Kafka has not acknowledged it: {why}. It may be there all the same; to publish again is "
        "safe, it is not sent twice.",
        "Kafka 未确认：{why}。记录可能已写入；可以再次发布，不会重复发送。",
    ),
    "not_here": Text("not on the console", "不是在控制台发布"),
    "open_draft": Text("Draft {number} of {who}", "{who} 的草稿 {number}"),
    "prepared_by": Text("prepared by", "准备人"),
    "preview": Text("What it would have done", "影响试算"),
    "preview_cut": Text("{rows} more rows are not shown.", "另有 {rows} 行未显示。"),
    "preview_empty": Text(
        "No order that was paid in {period} is among the stored events: nobody can say what the change does.",
        "历史事件中没有 {period} 付款的订单，无法得知此变更的影响。",
    ),
    "preview_events": Text("{events} events judged twice", "两次判定 {events} 个事件"),
    "preview_nothing": Text("Nothing moves.", "没有变动。"),
    "preview_failed": Text("The preview has failed. {why}", "预览失败。{why}"),
    "preview_none": Text(
        "Not tried yet. Last month's events are judged by the rules as they were and with this "
        "change; nothing is sent.",
        "尚未试算。将用原规则和此变更分别判定上月事件，不会发送任何内容。",
    ),
    "preview_not_seen": Text("It can be published once its preview has been seen.", "查看预览之后才能发布。"),
    "preview_running": Text("The events are being judged.", "正在判定事件。"),
    "preview_start": Text("Preview", "预览"),
    "publish": Text("Publish", "发布"),
    "published_by": Text("published by", "发布人"),
    "published_unseen": Text("without a preview", "未经预览"),
    "rebase": Text("Go on from what holds now", "在现行规则上继续"),
    "record_refused": Text("refused, holds on no day:", "被拒绝，从未生效："),
    "reload": Text("Load again", "刷新"),
    "role_history": Text(
        "The record holds from its day on; earlier days stay as they were. To end an agent, choose frozen.",
        "记录从生效日期起有效，之前的日期不变。停用客服请选择冻结。",
    ),
    "roster": Text("Roster", "名册"),
    "roster_change": Text("Roster: {agent}", "名册：{agent}"),
    "roster_history": Text("History of the roster", "名册修订记录"),
    "rules_about": Text("what", "内容"),
    "rules_change": Text("Rules of the shop", "店铺规则"),
    "rules_field": Text("field", "字段"),
    "rules_history": Text("History of the rules", "规则修订记录"),
    "rules_number": Text("number", "编号"),
    "rules_record": Text("record", "记录"),
    "rules_state": Text("state", "状态"),
    "stands_alone": Text(
        "The record stands alone: what is left empty is the preset's or the default, not the previous "
        "record's. Earlier days stay as they were.",
        "记录独立生效：留空即为预设值或默认值，而不是上一条记录的值。之前的日期不变。",
    ),
    "state_discarded": Text("discarded", "已放弃"),
    "state_draft": Text("draft", "草稿"),
    "state_published": Text("published", "已发布"),
    "value_after": Text("then", "变更后"),
    "value_before": Text("now", "现在"),
    "whole_history": Text("All earlier records", "全部历史记录"),
    "what_changes": Text("What changes", "变更内容"),
    "without_preview": Text(
        "I publish it without knowing what it does. This is noted in the audit.",
        "我在不了解影响的情况下发布，此操作会记入操作记录。",
    ),
}
"""By key of the templates."""
