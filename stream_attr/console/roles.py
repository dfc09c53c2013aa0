"""Who may see which screens (LEDGER 7): one table, which routes, menus and tests are derived from."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from stream_attr.ledger.texts import Text

__all__ = ["CHANGES_RULES", "EVERYBODY", "ROLE_NAMES", "WHOLE_SHOP", "Role"]


class Role(StrEnum):
    """What an account is for."""

    ADMIN = "admin"
    """All shops, and the accounts."""
    MANAGER = "manager"
    """Whole shops."""
    REVIEWER = "reviewer"
    """Whole shops, to answer appeals."""
    PAYROLL = "payroll"
    """Whole shops, to pay."""
    AGENT = "agent"
    """Own figures alone, and the receipts of orders that it can name."""
    AUDITOR = "auditor"
    """All shops, and changes nothing."""

    @property
    def sees_all_shops(self) -> bool:
        """Whether it needs no list of shops."""
        return self in (Role.ADMIN, Role.AUDITOR)


ROLE_NAMES: Final = {
    Role.ADMIN: Text("administrator", "管理员"),
    Role.MANAGER: Text("manager", "店长"),
    Role.REVIEWER: Text("reviewer", "复核员"),
    Role.PAYROLL: Text("payroll", "薪酬"),
    Role.AGENT: Text("agent", "客服"),
    Role.AUDITOR: Text("auditor", "审计"),
}
EVERYBODY: Final = frozenset(Role)
WHOLE_SHOP: Final = EVERYBODY - {Role.AGENT}
CHANGES_RULES: Final = frozenset({Role.ADMIN, Role.MANAGER})
"""Who publishes settings and roster records."""
