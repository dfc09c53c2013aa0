"""Texts of the screens of accounts in both languages, beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stream_attr.ledger.texts import Text

__all__ = ["PEOPLE_TEXTS"]

PEOPLE_TEXTS: Final[Mapping[str, Text]] = {
    "account": Text("Account", "账号"),
    "account_add": Text("Add an account", "添加账号"),
    "account_all_shops": Text("all shops", "全部店铺"),
    "account_block": Text("Block", "停用"),
    "account_blocked": Text("blocked", "已停用"),
    "account_block_help": Text(
        "Who is blocked is logged out at once, and cannot log in by any way.",
        "停用后立即退出，且不能以任何方式登录。",
    ),
    "account_change": Text("Change role and shops", "更改角色和店铺"),
    "account_change_help": Text(
        "The sessions of this account end: the person logs in again, with the new role.",
        "该账号的会话随即结束，本人须以新角色重新登录。",
    ),
    "account_end": Text("End", "结束"),
    "account_end_all": Text("End all sessions", "结束全部会话"),
    "account_last_link": Text("No password yet", "尚未设置密码"),
    "account_link": Text("One-time link", "一次性链接"),
    "account_link_help": Text(
        "Send it to {name} alone: it sets the password, once and within a day. It is shown only now.",
        "请只发给 {name}。链接一天内可用一次，用于设置密码，且仅在此显示一次。",
    ),
    "account_new_link": Text("Make a new link", "生成新链接"),
    "account_new_link_help": Text(
        "For a forgotten password, or a link that is too old. Earlier links cannot be used any more.",
        "用于忘记密码或链接过期；之前的链接随即失效。",
    ),
    "account_no_sessions": Text("Nobody is logged in with this account.", "该账号没有登录的会话。"),
    "account_not_done": Text("Nothing was changed", "未作任何更改"),
    "account_own": Text(
        "This is your own account: another administrator changes its role, person and right to log in.",
        "这是您自己的账号：角色、本人和登录权限须由其他管理员更改。",
    ),
    "account_person": Text("person, by the roster", "本人（名册 person_id）"),
    "account_person_help": Text(
        "Nobody decides about oneself: who is paid by a run does not approve it, whom an appeal concerns "
        "does not answer it. Empty: who its agents are.",
        "任何人不得决定与自己有关的事项：领薪的人不能批准该次发薪，申诉涉及的人不能答复该申诉。"
        "留空：按其客服账号。",
    ),
    "account_person_set": Text("Set the person", "指定本人"),
    "account_shops": Text("shops, one a line", "店铺，每行一个"),
    "account_shops_help": Text(
        "Administrators and auditors see all shops: leave it empty. Of an agent write SHOP=AGENT, once for "
        "each account of the person; of others SHOP.",
        "管理员和审计可查看全部店铺，请留空；客服写作 店铺=客服账号，每个账号一行；其他角色只写店铺。",
    ),
    "account_unblock": Text("Unblock", "启用"),
}
"""By key of the templates."""
