"""Text that people and their files bring, and one function for each place where it ends.

Nothing here reads such a text as if it were written in the language of that place: it is encoded, never parsed. What
comes out means, to whoever decodes it there, the text that went in. All functions are pure and raise
nothing; `address` alone refuses what is none.

`harm`: what is taken out of a text before it is shown anywhere, on a terminal and in a log above all.
`content_disposition`: the name under which a download is saved. Needs the extra `text`, as `address` does.
`mail_header`: subjects and names in the head of an email. HTML has its own: Jinja2's autoescape. Imports no other room.
"""
