"""Accounts, login and tokens: what stands before ① of the design.

Entry points are `app` (gunicorn) and `cli` (the command `video2mp3-auth`). The decisions are in `login`,
`key_schedule` and `tokens`; what they need from outside are the ports of `stores` and `passwords`.
"""
