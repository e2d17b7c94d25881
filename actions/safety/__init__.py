"""In a crisis: a fixed, calm answer, and an alert that goes down the duty list until somebody says 收到.

What was said is never stored, and no more is told than helping takes. Source: the catalogue's rules on safety
(精神卫生法 art. 23; the numbers are the settings').
"""

from actions.safety.alerts import Render, Safety, Told
from actions.safety.commands import Acknowledge, CheckedBack, Kind, RaiseAlert
from actions.safety.rules import SafetyRules
from actions.safety.tables import Alert, AlertNotice

__all__ = [
    "Acknowledge",
    "Alert",
    "AlertNotice",
    "CheckedBack",
    "Kind",
    "RaiseAlert",
    "Render",
    "Safety",
    "SafetyRules",
    "Told",
]
