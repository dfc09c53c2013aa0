"""Why something is refused, in the reader's language.

Decoders, pay schemes, reports, sheets and the lab say it in English, for logs, dead letters, the command line
and programs; what a page shows of it is translated here, by the form of the sentence. A sentence that is not
here is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from stream_attr.ledger.texts import Text

__all__ = ["CHINESE", "refusal", "refusal_text"]

CHINESE: Final[Mapping[str, str]] = {
    # Records (codec, processor)
    "`{}`: {}": "`{0}`：{1}",
    "`{}` {}": "`{0}` {1}",
    "Object missing required field `{}`": "缺少必填字段 `{0}`",
    "Object contains unknown field `{}`": "没有字段 `{0}`",
    "Expected `{}`, got `{}`": "应为 `{0}`，而不是 `{1}`",
    "Expected `{}` >= {}": "应为不小于 {1} 的 `{0}`",
    "Expected `{}` <= {}": "应为不大于 {1} 的 `{0}`",
    "Expected `{}` of length >= {}": "`{0}` 的长度至少为 {1}",
    "Expected `{}` of length <= {}": "`{0}` 的长度至多为 {1}",
    "Expected `{}` matching regex {}": "应为符合 {1} 的 `{0}`",
    "Invalid enum value {}": "没有值 {0}",
    "Invalid enum value {}; it is one of {}": "没有值 {0}，可选：{1}",
    "not JSON in UTF-8: {}": "不是 UTF-8 的 JSON：{0}",
    "it begins with a byte order mark (EF BB BF); leave it out": "开头有字节顺序标记（EF BB BF），请去掉",
    "nested more than {} deep": "嵌套超过 {0} 层",
    "the value is not a JSON object": "值不是 JSON 对象",
    "a tombstone (no value) is not a record of this topic": "空值（tombstone）不是该主题的记录",
    "a key of {} bytes is more than the {} that one may have": "键有 {0} 字节，超过上限 {1} 字节",
    "{} bytes are more than the {} that a record may have": "记录有 {0} 字节，超过上限 {1} 字节",
    "`{}` has a `|`, which separates the parts of a key": "`{0}` 含有分隔键的 `|`",
    "`{}` has a control character or an escaped lone surrogate": "`{0}` 含有控制字符或不成对的代理项",
    "`{}` is not a date YYYY-MM-DD: {}": "`{0}` 不是日期 YYYY-MM-DD：{1}",
    "`{}` is not a time HH:MM: {}": "`{0}` 不是时间 HH:MM：{1}",
    "`{}` is `*`, which is not an agent": "`{0}` 为 `*`，不是客服",
    "`agent_id` is `*`, which stands for a shop's totals": "`agent_id` 为 `*`，它代表店铺合计",
    "`{}preset` is unknown; it is one of {}": "没有预设 `{0}preset`，可选：{1}",
    "`{}validity` has exactly one of `hours` and `natural_days`": (
        "`{0}validity` 须在 `hours` 和 `natural_days` 中恰好填一个"
    ),
    "`{}silent_followup`: preset `{}` never credits silent follow-up; leave it off "
    "or choose another preset": (
        "`{0}silent_followup`：预设 `{1}` 不把全静默订单跟进计入业绩，请关闭或选择其他预设"
    ),
    "`{}filters.advert` is on and needs its `phrase`": "`{0}filters.advert` 已开启，须填写 `phrase`",
    "`profiles` names {}: a name is 1 to 64 of a-z 0-9 _ - and not `{}`": (
        "`profiles` 中的名称 {0} 不可用：须为 1 至 64 个 a-z 0-9 _ -，且不是 `{1}`"
    ),
    "`{}to` is not later than `from`: a shift past midnight is two, the first to 24:00": (
        "`{0}to` 不晚于 `from`：跨午夜的班次请分成两个，前一个到 24:00"
    ),
    "`{}` is {} since the shop's first record and cannot change": ("`{0}` 自店铺首条记录起为 {1}，不能更改"),
    "`effective_from` lies before the day on which the record was sent: a change "
    "holds from today at the earliest": ("`effective_from` 早于发送当天：更改最早从当天开始生效"),
    "{} is not a date YYYY-MM-DD": "{0} 不是日期 YYYY-MM-DD",
    "{} is not an IANA time zone": "{0} 不是 IANA 时区",
    "{} is not a time HH:MM from 00:00 to 12:00": "{0} 不是 00:00 至 12:00 的时间 HH:MM",
    # Pay schemes
    "the scheme cannot be read: {}": "无法读取方案：{0}",
    "is missing: {}": "缺少此字段",
    "must be {}: {}": "应为{0}",
    "must be {}, and is {}: {}": "应为{0}，而不是{1}",
    "must be at least {}: {}": "须不小于 {0}",
    "must be at most {}: {}": "须不大于 {0}",
    "must have at least {}: {}": "须至少有 {0}",
    "must have at most {}: {}": "须至多有 {0}",
    "an integer": "整数",
    "a number with a fraction": "小数",
    "text": "文本",
    "an object": "对象",
    "a list": "列表",
    "true or false": "true 或 false",
    "{} character": "{0} 个字符",
    "{} characters": "{0} 个字符",
    "{} element": "{0} 项",
    "{} elements": "{0} 项",
    "is not a field; here may be {}": "不是字段，此处可用：{0}",
    "is not a field: leave it out": "不是字段，请去掉",
    "is {}, not one of {}: {}": "为 {0}，可选：{1}",
    "is {}, not {}": "为 {0}，应为{1}",
    'a percentage from 0% to 100% as text, such as "0.8%", with at most six decimals': (
        '0% 至 100% 的百分比文本，如 "0.8%"，最多六位小数'
    ),
    'a percentage below 1000% as text, such as "120%", with at most six decimals': (
        '低于 1000% 的百分比文本，如 "120%"，最多六位小数'
    ),
    'is {}, not an integer from 0, nor a percentage or decimal as text, "35%" or "1.75"': (
        '为 {0}，应为不小于 0 的整数，或百分比、小数文本，如 "35%" 或 "1.75"'
    ),
    "is {}, and pay is by the month: write the first of one, {} or that of a later one": (
        "为 {0}，而薪酬按月计算：请填写某月 1 日，如 {1} 或之后某月的 1 日"
    ),
    "is not a date YYYY-MM-DD: {}; write the first of a month": "不是日期 YYYY-MM-DD：{0}；请填写某月 1 日",
    "is not an ISO 4217 code (three capitals), such as CNY": "不是 ISO 4217 货币代码（三个大写字母），如 CNY",
    "is {}: write 1 to 64 of a-z 0-9 _ -": "为 {0}：请用 1 至 64 个 a-z 0-9 _ -",
    "is {}, as that of {}: choose another": "为 {0}，与 {1} 相同：请换一个",
    "is a second split, and an order's money can be split once: keep `{}` or this one": (
        "是第二个拆分，而订单金额只能拆分一次：请保留 `{0}` 或这一个"
    ),
    "is a split, which feeds a commission of {} or {}: add one, or leave the split out": (
        "是拆分，须配合按 {0} 或 {1} 的提成：请添加提成，或去掉拆分"
    ),
    "is {}, which is not the id of a component of kind score; {}": "为 {0}，不是 score 类项目的 id；{1}",
    "there are {}": "现有 {0}",
    "{}: how far {} can still move is not known; ask for {}:until": (
        "{0}：无法得知 {1} 还能变化多少；可填 {2}:until"
    ),
    "the scheme has none": "方案中没有",
    "is {}, which {} months cannot have: raise `months`": "为 {0}，{1} 个月内不可能达到：请增大 `months`",
    "picks one tier for all the money, so `mode` has to be whole; leave `by` out with marginal": (
        "为全部金额选定一档，`mode` 须为 whole；marginal 时请去掉 `by`"
    ),
    "has weights that add up to {}: they have to make 100%": "权重之和为 {0}，须为 100%",
    "is a score, and a score is not made of scores: name a figure": (
        "是积分，而积分不能由积分组成：请填写指标"
    ),
    "is 0%: leave the item out, or give it a weight": "为 0%：请去掉该项，或填写权重",
    "changes the components before it, and there are none: move it down": (
        "修改其前面的项目，而前面没有：请下移"
    ),
    "is missing: a factor has `rate`, or `by` and `tiers`": "缺少：factor 须有 `rate`，或 `by` 与 `tiers`",
    "does not go with `rate`: keep `rate`, or `by` and `tiers`": (
        "不能与 `rate` 同用：请保留 `rate`，或 `by` 与 `tiers`"
    ),
    "is {}, not more than the {} of the band before, which is easier": (
        "为 {0}，未高于前一档（更易达到）的 {1}"
    ),
    "is {}, more than the {} of the place before it": "为 {0}，高于前一名的 {1}",
    "has {} without {}, which {} changes together: name all of them or none": (
        "有 {0} 而没有 {1}，它们由 {2} 一起修改：请全部填写或都不填"
    ),
    "is {} and `placing` {}: both have to add up to 100%": "为 {0}，`placing` 为 {1}：两者之和须为 100%",
    "is {}, which is not a figure to pay by; {}": "为 {0}，不是可计薪的指标；{1}",
    "the nearest are {}": "相近的有 {0}",
    "the documentation lists all": "全部指标见文档",
    "is {}, a figure of the unit {}: name one that {}": "为 {0}，其单位 {1} 不适用：请填写其他指标",
    'is {}, and {} is a rate: write a percentage, such as "35%"': '为 {0}，而 {1} 是比率：请写如 "35%"',
    'is {}, and {} is a ratio: write a number, such as "1.75"': '为 {0}，而 {1} 是比值：请写数字，如 "1.75"',
    "is {}, and {} is {} as an integer": "为 {0}，而 {1} {2}",
    "money: write minor units": "是金额：请以分为单位写整数",
    "a number of things: write it": "是数量：请写整数",
    "a time: write milliseconds": "是时长：请以毫秒写整数",
    "is {}, not {} than the {} before it: {}": "为 {0}，与前一档 {2} 的顺序不对：{3}",
    "the easiest band is the first": "最易达到的一档在最前",
    "write them in ascending order": "请按从小到大填写",
    "version {} of scheme {} is there and says something else, and a version never "
    "changes: give it the version {}": (
        "方案 {1} 的版本 {0} 已存在且内容不同，而版本不可更改：请使用版本 {2}"
    ),
    "scheme {} has no version {} yet: give it that, not {}": (
        "方案 {0} 还没有版本 {1}：请用该版本号，而不是 {2}"
    ),
    # The lab
    "no rule set to judge by: name one or more": "没有选择规则：请至少选择一套",
    "there is no preset {}: it is one of {}": "没有预设 {0}，可选：{1}",
    "rule set {}: {}": "规则 {0}：{1}",
    "rule set {}: not a JSON object: write a preset and what differs from it": (
        "规则 {0}：不是 JSON 对象，请填写预设和不同之处"
    ),
    "rule set {}: not JSON: {}": "规则 {0}：不是 JSON：{1}",
    "rule set {}: a name is 1 to 64 printable characters": "规则 {0}：名称须为 1 至 64 个可显示字符",
    "rule set {} is there twice: give each a name of its own": "规则 {0} 出现两次：请使用不同名称",
    "rule set {}: the shop's settings as they stood can be there once": "规则 {0}：店铺自己的设置只能选一次",
    "rule set {}: `{}` is {} since the shop's first record and cannot change: leave it out": (
        "规则 {0}：`{1}` 自店铺首条记录起为 {2}，不能更改，请去掉"
    ),
    "pay is for all of {}: judge that month, from its first to its last day": (
        "薪酬按整月计算：请选择 {0} 的第一天到最后一天"
    ),
    "order {} is in {}, and scheme {} pays {}: a scheme pays for one currency": (
        "订单 {0} 的币种为 {1}，而方案 {2} 以 {3} 计薪：一个方案只用一种币种"
    ),
    "{} holds no events of shop {}; its shops: {}": "{0} 中没有店铺 {1} 的事件，现有店铺：{2}",
    # Sheets that are compared
    "no file was chosen: choose the sheet that the platform exported": "没有选择文件：请选择平台导出的表格",
    "two sheets are being compared already: try again in a minute": "已有两个表格正在对比：请一分钟后再试",
    "shop {} has several currencies, and agents' days add them up: compare a sheet of orders": (
        "店铺 {0} 有多种币种，而客服日报合并计算：请对比订单表"
    ),
    "{}: this sheet is not known.{} Its columns may be: {}. Say of each what it is, --map 'their column=our "
    "field': of orders {} (order at least), of agents {} and figures such as sales.amount, "
    "inquiries.inquiries. Known are: {}": (
        "{0}：不认识此表格。可能的列：{2}。请说明各列的含义，写成“对方列名=字段”：订单的字段为 {3}（至少要有 "
        "order），客服的字段为 {4} 以及 sales.amount、inquiries.inquiries 等指标。可直接识别：{5}"
    ),
    "{}: there is no row that could be the heads of columns: export it again, with its heads": (
        "{0}：没有可作列名的行：请带列名重新导出"
    ),
    "--map {}: a sheet of agents can be compared with figures of agents only": (
        "列的含义 {0}：客服表只能与客服指标对比"
    ),
    "{}: several sheets can be meant, {}: name one with --sheet": "{0}：有多个可用工作表（{1}），请填写其一",
    "{}: it is a sheet of {}, which has no {}": "{0}：这是{1}表，没有 {2}",
    "--map {}: write it as 'their column=our field'": "列的含义 {0}：请写成“对方列名=字段”",
    "--map {}: {} is already {}; name one column": "列的含义 {0}：{1} 已对应 {2}，请只选一列",
    "--map {}: a field of orders is one of {}, of agents {} or a figure like sales.amount: {}": (
        "列的含义 {0}：订单的字段为 {1}，客服的字段为 {2} 或 sales.amount 这样的指标：{3}"
    ),
    "{}: there is no sheet {}; there are {}": "{0}：没有工作表 {1}，现有 {2}",
    "{}: beside the agent no column is compared: --map 'their column=sales.amount', or another figure": (
        "{0}：除客服外没有可对比的列：请填写“对方列名=sales.amount”或其他指标"
    ),
    "--agent, --group and --person choose rows of a sheet of agents; this one is of orders, and is compared "
    "as a whole": "客服、分组、人员只能筛选客服表；这是订单表，须整表对比",
    # Pay runs, figures, names
    "nobody is paid by scheme {} in {}: enter the persons with stream-attr pay person set": (
        "{1} 没有人按方案 {0} 计薪：请先登记人员"
    ),
    "the roster says of no person of scheme {} which agents they are: publish it with `person_id`; the "
    "scheme's persons are {}": (
        "名册没有写明方案 {0} 的人员是哪些客服：请发布带 `person_id` 的名册记录；方案的人员为 {1}"
    ),
    "{} is employed after {}: name a later month": "{0} 在 {1} 之后入职：请选择之后的月份",
    "the other scheme pays {}, and {} {}": "另一方案以 {0} 计薪，而 {1} 以 {2} 计薪",
    "`scheme_id` is {}, which pays persons of other shops: choose another": (
        "`scheme_id` 为 {0}，它为其他店铺的人员计薪：请换一个"
    ),
    "there is no scheme {}: choose one of the list": "没有方案 {0}：请从列表中选择",
    "{}: a figure can be asked for with one of these behind a colon: {}": "{0}：指标的冒号之后可写：{1}",
    "{}: {} does not add up, so it has no share of the shop's": "{0}：{1} 不可累加，没有占店铺的比例",
    "{} is no name: take 1 to {} characters that can be printed, the first no '-'": (
        "{0} 不能作为名称：请用 1 至 {1} 个可显示字符，且不以“-”开头"
    ),
    "{} is the name of another report": "{0} 已是其他报表的名称",
    "{} is the name of another report: take another one": "{0} 已是其他报表的名称：请换一个",
    # Reports
    "{} is no figure; like it are {}": "没有指标 {0}；相近的有 {1}",
    "{} is no figure; there are {}": "没有指标 {0}；现有 {1}",
    "the ledger knows no agents": "账本中没有客服",
    "the ledger knows no groups": "账本中没有分组",
    "the ledger knows no persons": "账本中没有人员",
    "there is no agent {}; {}": "没有客服 {0}；{1}",
    "there is no group {}; {}": "没有分组 {0}；{1}",
    "there is no person {}; {}": "没有人员 {0}；{1}",
    "{} and {} more": "{0} 等，另有 {1} 个",
    "--by hour: agents' days have no hours; take the report sales or pressure": (
        "客服日报不分时段：请看销售或接待压力"
    ),
    "--hour {}: a full hour such as 09:00": "时段 {0}：请填写整点，如 09:00",
    "--weekday {}: a weekday such as Wednesday or 周三": "星期 {0}：请填写 Wednesday 或“周三”这样的星期",
    "--by {}: what compares with the period before is of the whole period": (
        "按 {0} 分行时不能与上期对比：对比的是整个时期"
    ),
    "--by {}: rows are by one of {}; name one of them": "每行只能按 {1} 之一，而不是 {0}",
    "--as-known-on: of agents' days the last revision alone is kept; see sales": (
        "客服日报只保留最新修订：请看销售"
    ),
    "rows by time cannot stand beside the period before: choose one of the two": (
        "按时间分行与上期对比不能同时使用：请选其一"
    ),
    "shop {} has no decisions under a profile {}; it has {}": "店铺 {0} 没有按规则 {1} 的判定，现有 {2}",
    "{} to compare with {}: {}": "{0}，无法与 {1} 对比：{2}",
    "--profile is missing": "没有选择规则",
    "there is no profile {}": "没有规则 {0}",
    "the settings of these shops name none": "店铺设置中没有其他规则",
    "a sheet holds {} rows and this report has more: take a shorter period, or --format csv": (
        "一个工作表最多 {0} 行，而此报表更多：请缩短时期，或导出 csv"
    ),
    "several agents are named {}: {}; give one of these ids": "有多位客服名为 {0}：{1}；请填写其中一个编号",
    "from … to are {} days: a screen has at most {}, choose fewer": (
        "所选时期有 {0} 天，页面最多显示 {1} 天：请缩短"
    ),
    # Sheets that are read
    "{}, row {}, column {}: {}": "{0} 第 {1} 行 列 {2}：{3}",
    "{}, row {}: {}": "{0} 第 {1} 行：{2}",
    "{}, sheet {}": "{0} 工作表 {1}",
    "{}: the file is empty: export it again": "{0}：文件是空的，请重新导出",
    "{}: it is a web page, whatever its name says: open it in a spreadsheet and save it as "
    "xlsx, or export it as "
    "CSV": "{0}：虽有此文件名，内容却是网页：请用表格软件打开后另存为 xlsx，或导出为 CSV",
    "{}: cannot be read after row {}: {}; is a quotation mark left open there?": (
        "{0}：第 {1} 行之后无法读取：{2}；是否有未闭合的引号？"
    ),
    "{}: a workbook needs the library {}: pip install 'stream-attr[sheets]', or export it as CSV": (
        "{0}：读取工作簿需要程序库 {1}：请联系维护人员安装，或导出为 CSV"
    ),
    "{}: it is protected by a password: open it and save it without one": (
        "{0}：文件有密码保护：请打开后去掉密码再保存"
    ),
    "{}: it is no workbook that can be read ({}): export it again": (
        "{0}：不是可读取的工作簿（{1}）：请重新导出"
    ),
    "{}: it is cut off or damaged ({}): export it again": "{0}：文件不完整或已损坏（{1}）：请重新导出",
    "{}: unpacked it has {} MiB, and at most {} are read: export fewer days at once, or as CSV": (
        "{0}：解压后有 {1} MiB，最多读取 {2} MiB：请减少导出天数，或导出为 CSV"
    ),
    "{}, sheet {}: it is damaged and cannot be read ({}): export it again": (
        "{0} 工作表 {1}：已损坏，无法读取（{2}）：请重新导出"
    ),
    "{}, row {}: column {} is there {} times: rename or delete the others": (
        "{0} 第 {1} 行：列 {2} 出现 {3} 次：请改名或删除多余的列"
    ),
    "{}: it is written in UTF-16: {}": "{0}：编码为 UTF-16：{1}",
    "{}: it is no text, as it has bytes of 0: {}": "{0}：含有值为 0 的字节，不是文本：{1}",
    "{}: it begins as UTF-8, and goes on as something else: {}": "{0}：开头为 UTF-8，后面却不是：{1}",
    "{}: it is neither UTF-8 nor GB18030: {}": "{0}：既不是 UTF-8 也不是 GB18030：{1}",
    "export it again, or save it in a spreadsheet as CSV UTF-8 or xlsx": (
        "请重新导出，或用表格软件另存为 CSV UTF-8 或 xlsx"
    ),
    "{}: all long ids of this column end in 0 from the 16th digit on: {}": (
        "{0}：此列的长编号从第 16 位起全是 0：{1}"
    ),
    "a spreadsheet has made a number of the id, and its last digits are lost. Export the sheet "
    "again and name that "
    "file as it is, without opening it; to open it, import it with this column as text": (
        "表格软件把编号变成了数字，末尾几位已丢失。请重新导出，不要打开，直接选择该文件；"
        "如需打开，请以文本格式导入此列"
    ),
    "{}: it is {} or more": "{0}：不小于 {1}",
    "{} is no amount like 1,234.50": "{0} 不是如 1,234.50 的金额",
    "{} is no number": "{0} 不是数字",
    "{} is no rate like 28.33%": "{0} 不是如 28.33% 的比率",
    "{} is no duration like 23.5, 0分23秒 or 00:00:23": "{0} 不是如 23.5、0分23秒 或 00:00:23 的时长",
    "{} is no time like 2026-11-01 10:12:00": "{0} 不是如 2026-11-01 10:12:00 的时间",
    "{} is no time like 2026-11-01 10:12:00: give the column a date format": (
        "{0} 不是如 2026-11-01 10:12:00 的时间：请把该列设为日期格式"
    ),
    "{} is no time: {}": "{0} 不是时间：{1}",
    "{} is no whole number": "{0} 不是整数",
    "{} has more decimals than {} has, which are {}": "{0} 的小数位多于 {1} 的 {2} 位",
    "{} may be a percentage or not: write it with a percent sign": (
        "{0} 可能是百分比，也可能不是：请加上百分号"
    ),
    "{} is not in the years 2000 to 2099": "{0} 不在 2000 至 2099 年之内",
    "{} is another agent than {} of the same order": "{0} 与同一订单的客服 {1} 不同",
    "the {} of order {} is {}, and {} has {} decimals": "订单 {1} 的 {0} 为 {2}，而 {3} 有 {4} 位小数",
    "{}, row {}: the {} of order {} is {}, and {} has {} decimals": (
        "{0} 第 {1} 行：订单 {3} 的 {2} 为 {4}，而 {5} 有 {6} 位小数"
    ),
    "{}: agent {} is in row {} too: delete one": "{0}：客服 {1} 在第 {2} 行也有：请删除一个",
    "{}: {} is in row {} too, and the rows differ: an order has one row, or several of "
    "sub-orders with ids of "
    "their own (--map 'their column=line')": (
        "{0}：{1} 在第 {2} 行也有，且内容不同：一个订单一行，或各子订单一行并有各自的编号（“对方列名=line”）"
    ),
    "order {}": "订单 {0}",
    "sub-order {} of order {}": "订单 {1} 的子订单 {0}",
    "a sheet is of one shop: name one with --shop": "一个表格对应一个店铺：请选择店铺",
    # Pay
    "the ledger's watermark of {} is behind the one that the run of scheme {} for {} had: let "
    "stream-attr ledger "
    "catch up, then draft it again": (
        "账本中 {0} 的水位落后于方案 {1} 的 {2} 薪酬批次当时的水位：请等账本追上后再起草"
    ),
    "order {} of {} is in {}, and scheme {} pays {}: a scheme pays for one currency; have its "
    "persons' agents on "
    "shops of that currency alone": (
        "{1} 的订单 {0} 币种为 {2}，而方案 {3} 以 {4} "
        "计薪：一个方案只用一种币种，其人员的客服须只在该币种的店铺"
    ),
    "--month {} is not a month like 2026-11": "{0} 不是如 2026-11 的月份",
    "there is no run of scheme {} for {}: make one with stream-attr pay run draft --scheme {} --month {}": (
        "方案 {0} 没有 {1} 的薪酬批次：请先起草"
    ),
    "there is no version {} of scheme {}: see stream-attr pay scheme list": "方案 {1} 没有版本 {0}",
    "there is no scheme {}; stream-attr pay scheme put keeps one": "没有方案 {0}：请先保存一个",
    "scheme {} holds from {}, after {}: name another": "方案 {0} 自 {1} 起生效，晚于 {2}：请换一个",
    "nobody is paid as {}: stream-attr pay person list shows who there is": "没有计薪人员 {0}：请先登记人员",
    "nobody is paid as {}: see stream-attr pay person list": "没有计薪人员 {0}：请先登记人员",
    "there is no statement of {} for {}: see stream-attr pay run list": "{0} 没有 {1} 的薪酬单",
    "{}: scheme {} does not pay by it; it pays by {}": "{0}：方案 {1} 不按它计薪；计薪指标为 {2}",
    "{}: it is the shop's, and no person has it": "{0}：这是店铺的指标，个人没有",
    "--figure: the scheme splits each order: assume orders with --order instead": (
        "方案拆分每个订单：请改为假设订单"
    ),
    "{} is too great": "{0} 太大",
    "{}: at most {} digits behind the point": "{0}：最多 {1} 位小数",
    "{}: at most 100%": "{0}：最多 100%",
    "{} is not an amount like 50000.00": "{0} 不是如 50000.00 的金额",
    "{} is not a whole number": "{0} 不是整数",
    "{} is not seconds like 30 or 12.5": "{0} 不是如 30 或 12.5 的秒数",
    "{} is not a rate like 45% or 0.45": "{0} 不是如 45% 或 0.45 的比率",
    "{} is not a ratio like 1.5": "{0} 不是如 1.5 的比值",
    "{}, {}: figure {} is missing, and the scheme pays by it": "{0}，{1}：缺少计薪指标 {2}",
    "{}: no person has the figure {}, of which a pot is; give the shop's": (
        "{0}：没有人有奖金池所用的指标 {1}：请用店铺的"
    ),
    "{}: {} is there twice; give each person once, over all accounts": (
        "{0}：{1} 出现两次：每人一次，含其所有账号"
    ),
    "{}, {}: {} days of probation and {} of employment do not go with the {} of the month": (
        "{0}，{1}：试用 {2} 天、在职 {3} 天与当月 {4} 天不符"
    ),
    "{}: order {} of {} is there twice; give each once, with all of its refunds": (
        "{0}：{2} 的订单 {1} 出现两次：每单一次，含其所有退款"
    ),
    "{}, {}: {} is {}, and the orders add up to {}; take both from one state of the ledger": (
        "{0}，{1}：{2} 为 {3}，而订单合计为 {4}：两者须取自账本的同一状态"
    ),
    "{} is not text in UTF-8: save it as that": "{0} 不是 UTF-8 文本：请另存为 UTF-8",
    "role {} cannot {} a run": "角色 {0} 不能对薪酬批次执行 {1}",
    # Rulings, stored events, the broker
    "this cannot be ruled: {}": "无法裁定：{0}",
    "{} bytes are more than the broker accepts": "{0} 字节超过消息队列的上限",
    "{} files bear on this period, and a process may have {} of them open: judge a shorter "
    "period, or allow more "
    "with ulimit -n": "此时期涉及 {0} 个文件，而一个进程最多打开 {1} 个：请缩短时期，或请维护人员调高上限",
    "{} holds no stored events (there is no {}): make it with stream-attr lab export --out {}": (
        "{0} 中没有事件存档（没有 {1}）：请维护人员用 stream-attr lab export --out {2} 生成"
    ),
    "{} is not what stream-attr lab export writes: {}": "{0} 不是 stream-attr lab export 写出的文件：{1}",
    "{} is of version {}, which this program does not know": "{0} 的版本为 {1}，本程序不认识",
    "the console was stopped": "控制台已停止",
    "an error of the program: its log says which": "程序出错：详见其日志",
    # Forms and addresses
    "{}: {}": "{0}：{1}",
    "a password has at least {} characters and at most {}": "密码至少 {0} 个字符，至多 {1} 个",
    "this form was sent from another site's page": "此表单是从其他网站的页面提交的",
    "this form does not say how large it is": "此表单没有说明大小",
    "this form is larger than {} bytes: send less at once": "此表单超过 {0} 字节：请减少内容",
    "this form is of another session: load the page again": "此表单属于另一次登录：请重新打开页面",
    "{} has a character of value 0": "{0} 含有值为 0 的字符",
    "state {} is none: open, answered, withdrawn or all": (
        "没有状态 {0}：可填 open、answered、withdrawn 或 all"
    ),
    "page {} is none": "没有第 {0} 页",
    "before={}: it is the number of a line": "before={0}：应为一行的编号",
    "do={}: write try, cancel or schedule": "do={0}：可填 try、cancel 或 schedule",
    "before={} after={}: write two of {}": "before={0} after={1}：请填写 {2} 中的两个",
    "do={}: it is no change of an account": "do={0}：不是账号的更改",
    "role={}: it is none of {}": "role={0}：可填 {1}",
    "session={}: it is the number of a session": "session={0}：应为会话的编号",
    # Addresses
    "{} {} is before {} {}: name the later day with {}": "{0} {1} 早于 {2} {3}：请把较晚的日期填在后面",
    "{} {} is not in the years 2000 to 2099": "{0} {1} 不在 2000 至 2099 年之内",
    "{} {} is neither a day like 2026-11-01 nor a month like 2026-11": (
        "{0} {1} 既不是 2026-11-01 这样的日期，也不是 2026-11 这样的月份"
    ),
    "{}={}: write one of {}": "{0}={1}：可填 {2}",
    "{}={}: write a number from 1": "{0}={1}：请填写不小于 1 的数字",
    "there is no {} {}; {}": "没有 {0} {1}；{2}",
}
"""By the English sentence, with ``{}`` for what it names; the Chinese one numbers these."""


def refusal(message: str, language: str) -> str:
    """Return why something is refused in a language; what it names stays as it is."""
    if language != "zh":
        return message
    for form, chinese in _forms():
        if (found := form.fullmatch(message)) is not None:
            return chinese.format(*(refusal(one, language) for one in found.groups()))
    return message


def refusal_text(message: str) -> Text:
    """Return why something is refused in both languages."""
    return Text(message, refusal(message, "zh"))


@cache
def _forms() -> list[tuple[re.Pattern[str], str]]:
    """Return the forms of sentences, the most telling first."""
    forms = sorted(CHINESE, key=lambda one: -len(one.replace("{}", "")))
    texts = ("(.*?)".join(map(re.escape, one.split("{}"))).replace("`(.*?)`", "`([^`]*?)`") for one in forms)
    return [(re.compile(text, re.DOTALL), CHINESE[one]) for one, text in zip(forms, texts, strict=True)]
