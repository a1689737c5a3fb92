"""What if stock had been held for five minutes, and not for fifteen?"""

from datetime import timedelta

from aggregates.reservation import decider

DECIDER = decider(hold=timedelta(minutes=5))
