"""The day on which every bench is held: within the plan's year, at an hour at which nobody sleeps."""

import datetime as dt

NOON = dt.datetime.fromisoformat("2026-11-16T12:00:00+07:00")
