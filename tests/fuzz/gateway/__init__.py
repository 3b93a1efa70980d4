"""Looks for heads and forms that the gateway does not answer well.

`cases` makes them, of `heads`, `forms` and `framing`; `client` sends them to a real gateway; `answers`, `judge` and
`peer` say what is wrong with what came back, `trial` what is wrong with what stayed. All but `client` and `trial` are
pure.
"""
