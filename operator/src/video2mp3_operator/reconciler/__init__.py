"""④⑤ One Conversion: snapshot → decide → admission → effects → one status write.

`observer`, `reconcile`, the effects and the outbox ask the outside; the rest is pure.
Imports `scheduling`, `telemetry`, `policy` and what is below them.
"""
