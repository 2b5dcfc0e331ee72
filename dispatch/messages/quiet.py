"""Quiet hours: texts wait until they are over, by the clock on the board's wall."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .kinds import Kind

if TYPE_CHECKING:
    from dispatch.models import Board


def until(
    kind: Kind, channel: str, board: "Board", moment: datetime, *, needed: datetime | None = None
) -> datetime:  # fmt: skip
    """When a message may leave: e-mails, what somebody waits for at this moment, and what would come too late after the
    quiet hours, at any time. `needed` is by when its reader has to know."""
    if channel != "sms" or kind.on_demand:
        return moment
    awake = over(board, moment)
    return moment if needed and needed <= awake else awake


def over(board: "Board", moment: datetime) -> datetime:
    """The moment itself, or the end of the quiet hours that it falls into."""
    local = moment.astimezone(board.zone)
    start, end, now = board.quiet_from, board.quiet_until, local.time()
    quiet = start <= now < end if start < end else start != end and (now >= start or now < end)
    if not quiet:
        return moment
    day = local.date() + timedelta(days=now >= end)  # of the evening part the end is tomorrow
    return datetime.combine(day, end, tzinfo=board.zone).astimezone(moment.tzinfo)
