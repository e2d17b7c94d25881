"""The life case: what members submit travels from state to state, is answered, and never vanishes."""

from actions.cases.life import Cases
from actions.cases.own import CaseRecords

__all__ = ["CaseRecords", "Cases"]
