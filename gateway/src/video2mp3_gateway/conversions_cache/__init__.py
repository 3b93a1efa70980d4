"""③ The Conversions of one namespace in memory, so that a list asks nobody.

One list and one watch (`reflector`) keep an index by owner (`index`) of packed records (`records`); `cache` guards it
between threads and says how old it is; `client` is what the rest of the gateway sees. Imports `ports`, no SDK: the
feed is `adapters.kubernetes_api`'s.
"""
