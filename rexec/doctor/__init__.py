"""`rexec doctor`: looks at everything a deployment stands on, and says what to do about what is broken.

It needs no application, so it works where settings are too broken to make one.
"""
