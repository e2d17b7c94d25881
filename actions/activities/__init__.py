"""The life activity: what people sign up for, alone or together, and what becomes of it."""

from actions.activities.asked import ActivityRosters
from actions.activities.audience import ActivityRegistrants
from actions.activities.life import Activities
from actions.activities.own import ActivityRecords

__all__ = ["Activities", "ActivityRecords", "ActivityRegistrants", "ActivityRosters"]
