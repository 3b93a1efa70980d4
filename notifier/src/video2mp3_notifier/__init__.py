"""⑧⑨ The notifier: takes finished conversions from the `mp3` queue and tells people by email, once.

`notify` decides what becomes of a message; it knows two ports, `ports.Claims` (the ledger) and `ports.Mailer` (SMTP).
`consumer` alone talks to the broker: it runs `notify` in a thread, so that heartbeats go on, and does what it says.
"""
