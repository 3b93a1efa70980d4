"""④⑤ One Conversion: snapshot → decide → effects → one status write.

All but `reconcile`, `effects` and `outbox` is pure. Imports `scheduling`, `telemetry`, `policy` and what is below them.
"""
