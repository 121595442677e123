"""Plans: a committee's year as data (model.py and its parts), read from files (files.py), with one year's dates and
one person's duties (year.py), as a dated table (calendar.py), and where it comes from (trace.py)."""

from content.plan.dates import DayMonth
from content.plan.files import FOLDER, find_plan, load_plan, own_plans, parse_plan, plan_source
from content.plan.model import FIRST_YEAR, LAST_YEAR, Plan
from content.plan.year import OF_LEADERS, Duty, PlanYear

__all__ = [
    "FIRST_YEAR",
    "FOLDER",
    "LAST_YEAR",
    "OF_LEADERS",
    "DayMonth",
    "Duty",
    "Plan",
    "PlanYear",
    "find_plan",
    "load_plan",
    "own_plans",
    "parse_plan",
    "plan_source",
]
