"""How often something may be done in an hour, by whom or for whom: counted in the database, so that it is the same count
whichever process is asked.

A turn is a row among the answers that are kept for two days (`dispatch/answers.py`): they are forgotten with those. Its key
is the hour and a place in it. Of two that want the last place the unique key lets one have it.
"""

from time import time

from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from dispatch.answers import Answer

HOUR = 3600


def take(what: str, who: str, most: int) -> bool:
    """Takes one of the `most` turns that `who` has in this hour to do `what`, a word. False when none is left. Of `who`
    only a keyed hash is kept."""
    scope = f"{what} {salted_hmac('crew.turns', who, algorithm='sha256').hexdigest()[:24]}"
    hour = f"{int(time()) // HOUR}:"
    for place in range(Answer.objects.filter(scope=scope, key__startswith=hour).count(), most):
        try:
            with transaction.atomic():
                Answer.objects.create(scope=scope, key=f"{hour}{place}")
        except IntegrityError:
            continue  # somebody was faster
        return True
    return False


def seconds_left() -> int:
    """Until the next hour, when there are turns again."""
    return HOUR - int(time()) % HOUR
