"""The life appointment: a time with a counsellor or in a room."""

from actions.appointments.audience import AppointmentRegistrants
from actions.appointments.life import Appointments
from actions.appointments.own import AppointmentRecords

__all__ = ["AppointmentRecords", "AppointmentRegistrants", "Appointments"]
