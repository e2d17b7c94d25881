"""What the union says by itself: announcements to segments, greetings, groups, receipts and chasing, and the choice."""

from actions.announcements import chasing
from actions.announcements.greetings import load_calendar
from actions.announcements.life import Announcements
from actions.announcements.own import AnnouncementRecords
from actions.announcements.topics import load_topics

__all__ = ["AnnouncementRecords", "Announcements", "chasing", "load_calendar", "load_topics"]
