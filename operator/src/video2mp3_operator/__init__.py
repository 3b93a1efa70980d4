"""④⑤ The operator: turns each Conversion into one worker Job, and tells in its status how that goes.

Read `decide` first, then `reconcile`; `handlers` is where kopf's events come in and `bootstrap` where all is wired.
"""
