"""④⑤ The operator: turns each Conversion into one worker Job, and tells in its status how that goes.

Read `reconciler.decide` first, then `reconciler.reconcile`; `app.handlers` is where kopf's events come in and
`app.bootstrap` where all is wired.
"""
