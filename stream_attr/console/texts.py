"""Texts of the screens in both languages, beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stream_attr.console.changes.texts import OF_CHANGES
from stream_attr.console.pay.texts import PAY_TEXTS
from stream_attr.console.people_texts import PEOPLE_TEXTS
from stream_attr.ledger.texts import Text

__all__ = ["TEXTS"]

TEXTS: Final[Mapping[str, Text]] = {
    **PAY_TEXTS,
    **PEOPLE_TEXTS,
    "about": Text("of whom or what", "对象"),
    "accounts": Text("Accounts", "账号"),
    "add": Text("Add", "添加"),
    "active": Text("active", "启用"),
    "agent": Text("agent", "客服"),
    "alerts": Text("Alerts", "告警"),
    "all": Text("all", "全部"),
    "appeal": Text("Appeal", "申诉"),
    "appeal_answer": Text("Answer", "答复"),
    "appeal_answered": Text("Answered by {by}", "由 {by} 答复"),
    "appeal_awaited": Text("The decision has not come back yet.", "归属结果尚未更新。"),
    "appeal_by_age": Text("the oldest first", "最早优先"),
    "appeal_by_amount": Text("the largest order first", "金额最大优先"),
    "appeal_change": Text("Whose it is to be", "归属更改"),
    "appeal_changed": Text(
        "The decision has changed since: revision {before} was appealed, and {now} holds.",
        "申诉后归属结果已变化：申诉的是第 {before} 次修订，现为第 {now} 次。",
    ),
    "appeal_expected": Text("who is to have the sale", "业绩应归属"),
    "appeal_help": Text(
        "A reviewer whom it does not concern answers it. What you write is kept.",
        "将由无利害关系的复核员答复。所写内容会保留。",
    ),
    "appeal_open": Text("Appeal against this decision", "对此归属提出申诉"),
    "appeal_part_to": Text("to somebody else", "归属其他人"),
    "appeal_publishing": Text(
        "Granted; its ruling is being sent until the broker acknowledges it.",
        "已支持，正在发布裁定，直至 broker 确认。",
    ),
    "appeal_reason": Text("reason", "理由"),
    "appeal_revision": Text("Revision {number} of the decision", "归属结果第 {number} 次修订"),
    "appeal_ruled": Text("The ruling gives the sale to", "裁定将业绩归属"),
    "appeal_comment": Text("what happened, in a sentence", "用一句话说明情况"),
    "appeal_send": Text("Send the appeal", "提交申诉"),
    "appeal_send_answer": Text("Send the answer", "提交答复"),
    "appeal_useless": Text(
        "The worker could not use the ruling, and the decision stays: {code}: {message}",
        "worker 无法使用该裁定，归属不变：{code}：{message}",
    ),
    "appeal_why": Text("why; needed unless it is granted whole", "说明；全部支持时可不填"),
    "appeal_withdraw": Text("Withdraw the appeal", "撤回申诉"),
    "appeals": Text("Appeals", "申诉"),
    "appeals_answered": Text("answered since you looked", "个新答复"),
    "appeals_waiting": Text("to be answered", "个待答复"),
    "appeals_elsewhere": Text("To be answered, or seen, in other shops:", "其他店铺待处理："),
    "appeals_none": Text("There is no such appeal.", "没有此类申诉。"),
    "as_of": Text("As of", "数据截至"),
    "as_of_help": Text(
        "All numbers on this page are of one state of the ledger. Events until this time are counted.",
        "本页所有数字取自账本的同一时刻，计入此时间之前的事件。",
    ),
    "as_of_behind": Text(
        "input partition {partition} is behind: judged up to {until} only",
        "输入分区 {partition} 落后：只判定到 {until}",
    ),
    "audit": Text("Audit", "操作记录"),
    "audit_empty": Text("There is no such line. Take a filter away.", "没有符合条件的记录，请减少筛选条件。"),
    "before": Text("before", "原"),
    "behind_is": Text("The orders behind a number: {what}.", "某个数字对应的订单：{what}。"),
    "behind_all": Text("Show all orders of these days", "显示这些日期的全部订单"),
    "before_is": Text("The period before is {days}.", "上期为 {days}。"),
    "behind_next": Text("{amount} ahead of the next one", "领先下一名 {amount}"),
    "busy": Text("Many people are logging in: try again.", "登录人数较多，请重试。"),
    "buyer": Text("Buyer", "买家"),
    "by_one": Text(
        "Rows are by agent, person or group: choose one of them. Times can be chosen beside it.",
        "每行只能按客服、人员、分组中的一种，可另选时间。",
    ),
    "buyer_days": Text("days with chat:", "有接待的日期："),
    "buyer_help": Text(
        "Each reception once, by its first message; chat itself is not kept. An order is shown where "
        "something happened to it in these days, or an inquiry of them led to it; whose it is stands at the "
        "time from which chat no longer changes it.",
        "每次接待按首条消息列出，不保存聊天内容。所选日期内发生变化的订单，或由当日询单带来的订单会列出；"
        "归属列在聊天不再改变归属的时间。",
    ),
    "by_hour": Text("Every hour", "每小时明细"),
    "by_day_table": Text("The same by day as a table", "每日数据表"),
    "by_day": Text("By day", "每日"),
    "changed_by": Text("changed by", "修订原因"),
    "changes": Text("what it changed", "变更内容"),
    "choose_agent": Text("Choose an agent", "选择客服"),
    "clock": Text("Days begin at {cut}, {zone}.", "每日从 {cut} 开始，{zone}。"),
    "compare_before": Text("beside the period before", "与上期对比"),
    "compared": Text("before: {value}", "前一日：{value}"),
    "data_health": Text("Data health", "数据健康"),
    "day": Text("day", "日期"),
    "day_before": Text("day before", "前一天"),
    "day_after": Text("day after", "后一天"),
    "definitions": Text("What the figures mean", "指标定义"),
    "differs": Text("somebody else", "归属不同"),
    "drawn_together": Text(
        "The lines are of these {count} agents together; of six or fewer each has its own.",
        "以上为所选 {count} 位客服合计；不超过 6 位时每人一条线。",
    ),
    "done": Text("what was done", "操作"),
    "delete_kept": Text("Delete {name}", "删除 {name}"),
    "empty_compare": Text("No order of these days would be another's.", "这些日期内没有归属会改变的订单。"),
    "empty_goals": Text(
        "No targets are set for these days: whoever looks after the ledger sets or imports them.",
        "这些日期没有设置目标，请联系账本管理员设置或导入。",
    ),
    "empty_losses": Text(
        "Nobody was lost or kept waiting in these days.", "这些日期内没有流失、未回复或慢响应。"
    ),
    "empty_pending": Text(
        "Nothing of these days is pending: all of it is final.", "这些日期内没有待定订单，全部已定。"
    ),
    "empty_signals": Text("Nothing stands out in these days.", "这些日期内没有异常。"),
    "empty": Text(
        "There is nothing of these days. Choose other days, or take a filter away.",
        "所选日期没有数据。请选择其他日期，或减少筛选条件。",
    ),
    "everything_in_order": Text("Nothing to look at.", "没有需要处理的事项。"),
    "explained": Text("Why", "归属理由"),
    "export": Text("Export all rows", "导出全部"),
    "figure": Text("figure", "指标"),
    "figure_add": Text("another figure", "添加指标"),
    "figure_earlier": Text("{name} further to the left", "{name} 左移"),
    "figure_later": Text("{name} further to the right", "{name} 右移"),
    "figure_without": Text("without {name}", "去掉 {name}"),
    "figures_chosen": Text("Figures: {count}", "指标：{count} 个"),
    "figures_usual": Text("the usual figures", "恢复默认指标"),
    "final_from": Text("final from {day}", "{day} 起已定"),
    "final_from_short": Text("until {day}", "至 {day}"),
    "from": Text("from", "从"),
    "goals": Text("Goals", "目标"),
    "history": Text("History", "修订记录"),
    "known": Text("known at", "获知时间"),
    "keep": Text("Keep", "保存"),
    "keep_as": Text("keep these figures and filters as", "将指标和筛选保存为"),
    "kept": Text("Kept:", "已保存："),
    "kind": Text("kind", "类型"),
    "lab_against": Text("against", "对比"),
    "lab_all_pairs": Text("each two", "任意两套"),
    "lab_ask": Text("Try these rules", "开始判定"),
    "lab_before": Text("rules", "规则"),
    "lab_by": Text("by", "发起人"),
    "lab_cancel": Text("Cancel", "取消"),
    "lab_choose": Text("Rules to try", "要对比的规则"),
    "lab_current": Text(
        "the shop's own settings, on each day those of the day", "店铺自己的设置，每天按当天生效的"
    ),
    "lab_events": Text("{read} of {total} events", "{total} 条事件中的 {read} 条"),
    "lab_help": Text(
        "Stored events are judged again by each rule set, side by side. Nothing of the shop's "
        "results changes.",
        "把存档的事件按每套规则重新判定并并排比较，不影响店铺的任何结果。",
    ),
    "lab_many": Text(
        "five trials of this shop are under way already: wait for one, or cancel one",
        "本店已有五个试算在进行：请等待或取消其中一个",
    ),
    "lab_month": Text(
        "pay is for a month: choose its first and its last day, or no scheme",
        "薪酬按月计算：请选择某月的第一天到最后一天，或不选方案",
    ),
    "lab_no_events": Text(
        "No events of this shop are stored: rules can be tried once stream-attr lab export keeps "
        "a folder up, and the console is started with --events FOLDER.",
        "没有本店的事件存档：用 stream-attr lab export 维护一个文件夹，"
        "并以 --events FOLDER 启动控制台后即可试用规则。",
    ),
    "lab_none": Text("No rules have been tried yet.", "还没有试过规则。"),
    "lab_own": Text("Rules of one's own", "自定义规则"),
    "lab_own_help": Text(
        "JSON as in a settings record: a preset and what differs from it. Name and rules, or neither.",
        "与设置记录相同的 JSON：预设加上不同之处。名称与规则要么都填，要么都不填。",
    ),
    "lab_own_name": Text("name of these rules", "规则名称"),
    "lab_period": Text("orders paid", "付款期间"),
    "lab_schedule": Text("Prepare as the shop's next settings", "拟定为店铺的下一份设置"),
    "lab_schedule_help": Text(
        "From tomorrow on, as a draft that is looked at and published under Rules.",
        "自明天起生效，先作为草稿，在“规则”中查看并发布。",
    ),
    "lab_scheme": Text("and pay by the scheme", "并按薪酬方案计算"),
    "lab_trials": Text("Trials", "试算记录"),
    "lab_view": Text("show", "查看"),
    "two_weeks": Text("The last 14 days", "近14天"),
    "last_days": Text(
        "The ledger has nothing of the last seven days; its last day is {day}.",
        "账本中没有最近七天的数据，最后一天是 {day}。",
    ),
    "link_used": Text(
        "This link has been used or is too old. Ask your administrator for another one.",
        "此链接已使用或已过期，请向管理员索取新链接。",
    ),
    "locked": Text("Locked", "已锁定"),
    "locked_months": Text(
        "{months}: a pay run is closed. What was paid stays; what changes later is paid as a correction.",
        "{months}：薪酬已结算。已结算的金额不变，之后的变化在下次结算中补差。",
    ),
    "log_in": Text("Log in", "登录"),
    "log_out": Text("Log out", "退出"),
    "login": Text("login", "账号"),
    "may_change": Text("can still change; final from {day}", "待定，{day} 起已定"),
    "may_change_between": Text(
        "can still change, between {between}; final from {day}", "待定，{between} 之间，{day} 起已定"
    ),
    "may_change_legend": Text(
        "can still change, until the day at its column's head; below it the least and the most that it can "
        "come to, by the orders and inquiries that are known so far.",
        "待定，至列名下的日期为止；数字下方为按目前已知的订单和询单可能的最小值和最大值。",
    ),
    "menu": Text("menu", "菜单"),
    "meaning": Text("meaning", "含义"),
    "name": Text("name", "姓名"),
    "net": Text("net", "净额"),
    "newest": Text("newest", "最新"),
    "next": Text("next page", "下一页"),
    "no_account": Text("Login and password do not go together.", "账号或密码不正确。"),
    "no_agent": Text(
        "Nothing is known yet of an agent of this shop: no roster, no chat and no order.",
        "还没有本店客服的任何数据：没有名册、接待或订单。",
    ),
    "no_buyer": Text(
        "Nothing is known of buyer {buyer} in these days: no chat that was received, and no order's event.",
        "这些日期内没有买家 {buyer} 的接待，也没有订单变化。",
    ),
    "no_value": Text("none (null)", "不设（null）"),
    "nobody": Text("nobody", "无人"),
    "no_order": Text(
        "There is no decision on order {order} in shop {shop}.", "店铺 {shop} 没有订单 {order} 的归属结果。"
    ),
    "no_order_help": Text(
        "It has not been reported yet, its id is written otherwise, or it is of another shop. "
        "Data health shows what could not be used.",
        "可能尚未上报、订单号有误或属于其他店铺。无法使用的数据见数据体检。",
    ),
    "no_profile": Text(
        "This shop has one set of rules. Name further profiles in its settings to compare with them.",
        "该店铺只有一套规则。在店铺设置中增加其他方案后即可对比。",
    ),
    "no_shop": Text("There is no shop that you can see.", "没有您可查看的店铺。"),
    "no_shop_at_all": Text(
        "The ledger is empty. A shop is here as soon as its first record is. On the machine of the ledger:",
        "账本是空的。店铺的第一条记录进入账本后，店铺就会出现在这里。请在账本所在的机器上运行：",
    ),
    "no_shop_demo": Text("shows all of it with sample traffic.", "用示例数据演示全部功能。"),
    "no_shop_ledger": Text(
        "keeps it filled with what the workers decide; leave it running.",
        "把判定结果持续写入账本；请让它一直运行。",
    ),
    "no_shop_own": Text(
        "Nothing of your shops has come into the ledger yet: {shops}. If one of them is written otherwise "
        "where it sells, an administrator changes it on the screen Accounts; else ask who runs the ledger.",
        "您的店铺还没有数据进入账本：{shops}。如果店铺编号与平台不一致，请管理员在“账号”页更改；"
        "否则请联系维护账本的人员。",
    ),
    "no_shop_replay": Text("fills it from files of events.", "用事件文件写入账本。"),
    "not_found": Text("There is no such page.", "没有这个页面。"),
    "not_found_help": Text(
        "It does not exist, or it is not for your account.", "页面不存在，或您的账号无权查看。"
    ),
    "not_verified": Text(
        "The receipt does not support this verdict. Do not pay by it; report it.",
        "判定依据与归属结果不符。请勿据此计薪，并请报告。",
    ),
    "open_order": Text("Open", "查看"),
    "order": Text("order", "订单"),
    "other_rules": Text("By other rules", "其他规则下"),
    "page": Text("page {number}", "第 {number} 页"),
    "password": Text("password", "密码"),
    "password_again": Text("password, again", "再次输入密码"),
    "password_rules": Text("10 to 1,024 characters.", "10 到 1,024 个字符。"),
    "passwords_differ": Text("The two passwords differ.", "两次输入的密码不同。"),
    "pending": Text("What can still change", "仍可能变化"),
    "people": Text("People", "人员"),
    "period_before": Text("before: {value}", "上期：{value}"),
    "previous": Text("previous page", "上一页"),
    "preset": Text("preset", "预设"),
    "profile": Text("rules", "规则"),
    "rank": Text("Rank by credited sales: {place} of {of}", "按归属销售额排名：第 {place} 名，共 {of} 名"),
    "not_matched": Text("all but what matches", "除一致外的全部"),
    "reconcile_help": Text(
        "Set a sheet that the platform exported (xlsx, xls, CSV; at most {largest} MiB) beside the ledger: "
        "what matches, what is on one side alone, what differs, and why. Send the file as it was exported: a "
        "spreadsheet that has saved it may have eaten digits of order ids. It is not kept.",
        "把平台导出的表格（xlsx、xls、CSV，最大 {largest} MiB）与账本对比："
        "哪些一致、哪些只有一方有、哪些不一致以及原因。"
        "请上传导出的原始文件：用 Excel 打开并保存过的文件可能丢失订单号的尾数。文件不会保存。",
    ),
    "refused": Text("{count} records could not be used: {code}.", "{count} 条记录无法使用：{code}。"),
    "refused_elsewhere": Text(
        "{count} records of no known shop could not be used: {code}.",
        "{count} 条不属于任何已知店铺的记录无法使用：{code}。",
    ),
    "revision": Text("revision", "修订"),
    "role": Text("role", "角色"),
    "rules": Text("Rules", "规则"),
    "rules_on": Text("Rules in force on {day}", "{day} 生效的规则"),
    "rules_origin": Text("where it comes from", "来源"),
    "rules_value": Text("value", "值"),
    "search": Text("Open an order", "查找订单"),
    "session_began": Text("began", "开始"),
    "session_used": Text("last used", "最近使用"),
    "session_way": Text("by", "登录方式"),
    "sessions": Text("Logged in", "已登录"),
    "set_password": Text("Set a password", "设置密码"),
    "sheet_as": Text("As {format}", "导出 {format}"),
    "sheet_compare": Text("Compare", "对比"),
    "sheet_cut": Text(
        "These are the first {most} of {rows} rows: choose the file again and take all of them as a sheet.",
        "共 {rows} 行，此处为前 {most} 行：请再次选择文件并导出，导出文件包含全部。",
    ),
    "sheet_days": Text("days are", "日期按"),
    "sheet_file": Text("file", "文件"),
    "sheet_known": Text("Known are the exports", "可直接识别的导出："),
    "sheet_map": Text("what columns say: one in a line, theirs=ours", "列的含义，每行一个：对方列名=字段"),
    "sheet_name": Text("sheet, where there are several", "工作表（有多个时）"),
    "sheet_same": Text(
        "There is nothing of these results: choose others to see what matches.",
        "没有这类结果；可选择其他结果查看一致的部分。",
    ),
    "sheet_unknown": Text("The sheet is another one", "其他格式的表格"),
    "shop": Text("shop", "店铺"),
    "show": Text("Show", "显示"),
    "sort": Text("sort", "排序"),
    "state": Text("state", "状态"),
    "team": Text("Team", "团队"),
    "timeline": Text("What happened", "时间线"),
    "took_too_long": Text("This takes too long: choose fewer days.", "查询时间过长，请减少天数。"),
    "away": Text(
        "The ledger's database cannot be reached. Try again in a moment.",
        "暂时无法连接账本数据库，请稍后再试。",
    ),
    "to": Text("to", "到"),
    "to_next": Text("{amount} to the next better one", "距上一名 {amount}"),
    "too_many": Text(
        "Too many attempts. Try again in {seconds} seconds.", "尝试次数过多，请 {seconds} 秒后再试。"
    ),
    "unit": Text("unit", "单位"),
    "until_change": Text("Until {time}, chat can still change it.", "{time} 之前，聊天仍可能改变归属。"),
    "since_final": Text(
        "Final since {time}: chat can no longer change it.", "自 {time} 起已定，聊天不再改变归属。"
    ),
    "verified": Text(
        "The receipt supports this verdict and no other.", "已复核：判定依据支持且仅支持此归属结果。"
    ),
    "when": Text("when", "时间"),
    "whose": Text("whose it is", "归属"),
    "who": Text("who", "谁"),
    "why_not": Text("Why not this agent?", "为什么不是这位客服？"),
    "why_agent": Text("any agent, by id or name", "任意客服，ID 或姓名"),
    "why_of": Text("Who talked with the buyer around this order:", "此订单前后接待过买家的客服："),
    "why_ask": Text("Ask", "查询"),
    "older": Text("older", "更早"),
    "oidc": Text("Log in with your company's account", "使用公司账号登录"),
    "oidc_away": Text(
        "Your company's log-in does not answer. Try again in a moment.",
        "公司登录服务暂时没有响应，请稍后再试。",
    ),
    "oidc_no_account": Text(
        "Your company's log-in says that you are {login}. There is no account of this name that may log in: "
        "ask your administrator.",
        "公司登录服务表明您是 {login}，但没有可登录的同名账号，请联系管理员。",
    ),
    "oidc_not_ours": Text(
        "This log-in has been used, is too old, or was begun in another browser. Begin again.",
        "此次登录已使用、已过期，或在其他浏览器中开始，请重新登录。",
    ),
    "oidc_not_proven": Text(
        "Your company's log-in did not prove who you are. Your administrator finds why in the audit.",
        "公司登录服务未能证明您的身份。请告知管理员，原因见操作记录。",
    ),
    "oidc_refused": Text(
        "Your company's log-in has let nobody in ({kind}). Begin again.",
        "公司登录服务没有放行（{kind}），请重新登录。",
    ),
    "out": Text("You are logged out.", "您已退出。"),
    "out_of_provider": Text("Log out of your company's account, too", "同时退出公司账号"),
    "out_of_proxy": Text(
        "The proxy before this page still says that you are {login}: log out there, too.",
        "本页前面的代理仍认为您是 {login}，请在那里也退出。",
    ),
    "proxy_no_account": Text(
        "The proxy before this page says that you are {login}. There is no account of this name that may log "
        "in: ask your administrator.",
        "本页前面的代理表明您是 {login}，但没有可登录的同名账号，请联系管理员。",
    ),
    "wrong": Text("This cannot be shown.", "无法显示。"),
    **OF_CHANGES,
}
"""By key of the templates."""
