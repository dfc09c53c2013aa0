"""Audits of input files: what can be used, but hints at a mistake of an export (RULEBOOK 13)."""

from stream_attr.audit.audit import Audit
from stream_attr.audit.warning import AuditCode, AuditWarning, Place

__all__ = ["Audit", "AuditCode", "AuditWarning", "Place"]
