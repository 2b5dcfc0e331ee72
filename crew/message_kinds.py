"""The kinds of messages to people in the crews, by what they have in common. See dispatch/messages/kinds.py."""

JOINS = ("crew_assigned", "crew_claimed")
"""Somebody has a place now."""
LEAVES = ("crew_cancelled", "crew_released")
"""Somebody has none any more."""
PLAN = "crew_plan"
STAYS_ON = (*JOINS, "crew_changed", "crew_stays", PLAN)
"""Good while the place is theirs."""
SIGN_IN = "crew_sign_in"
ALSO_BY_TEXT = ("crew_assigned", "crew_changed", "crew_stays", *LEAVES)
"""What others decided about somebody's next day is a text, too: who is out does not read mail."""
