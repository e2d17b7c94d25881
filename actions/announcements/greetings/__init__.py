"""Greetings: the year's calendar from data/greetings.yml, birthdays, retirement, and new colleagues."""

from actions.announcements.greetings.calendar import Calendar, Falls, Greeting, load_calendar
from actions.announcements.greetings.schedules import schedules

__all__ = ["Calendar", "Falls", "Greeting", "load_calendar", "schedules"]
