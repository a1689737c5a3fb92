"""Workers are the choreography and the processes that run it."""
