"""The way in and out: settings, the turn, channels, the schedule, pushes and pictures."""
