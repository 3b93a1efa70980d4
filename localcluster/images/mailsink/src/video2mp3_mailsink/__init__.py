"""An SMTP sink: takes mail as a provider would (STARTTLS, login), delivers none, and shows it over HTTP.

It stands in for the SMTP provider behind ⑨ on the local cluster and in the tests.
"""
