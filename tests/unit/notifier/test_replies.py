"""What a mail server's refusal means, as a table.

What the notifier does then is in tests/integration/notifier/providers.py.
"""

import pytest

from video2mp3_notifier.replies import Refusal, meaning

REFUSALS = {
    # Greylisting, rates, load.
    ("recipient", "451 4.7.1 Greylisted, please try again in 300 seconds"): Refusal.FOR_NOW,
    ("recipient", "450 4.2.1 The user you are trying to contact is receiving mail too quickly"): Refusal.FOR_NOW,
    ("email", "421 4.7.0 Our system has detected an unusual rate of unsolicited mail"): Refusal.FOR_NOW,
    ("email", "452 4.3.1 Insufficient system storage"): Refusal.FOR_NOW,
    # The address is wrong.
    ("recipient", "550 5.1.1 The email account that you tried to reach does not exist"): Refusal.FINAL,
    ("recipient", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found"): Refusal.FINAL,
    ("recipient", "550 5.2.1 The email account that you tried to reach is disabled"): Refusal.FINAL,
    ("recipient", "556 5.1.10 Recipient address has null MX"): Refusal.FINAL,
    ("recipient", "553 5.1.3 The recipient address is not a valid RFC 5321 address"): Refusal.FINAL,
    ("recipient", "550 No such user here"): Refusal.FINAL,
    ("recipient", "550 Unrouteable address"): Refusal.FINAL,
    ("recipient", "550 <ada@example.org>: Recipient address rejected: User unknown in local recipient table"):
        Refusal.FINAL,
    ("recipient", "550 Invalid recipient ada@example.org"): Refusal.FINAL,
    ("recipient", "550 The mailbox ada@example.org doesn't exist"): Refusal.FINAL,
    ("recipient", "553 Sorry, this address is not in my list of allowed recipients"): Refusal.FINAL,
    ("recipient", "550 Mailbox disabled"): Refusal.FINAL,
    ("recipient", "551 User not local; please try <ada@example.net>"): Refusal.FINAL,
    ("email", "550 5.1.1 User unknown"): Refusal.FINAL,
    ("email", "554 5.6.0 Message content is not allowed"): Refusal.FINAL,
    # What an administrator can mend.
    ("recipient", "550 5.7.1 Relaying denied"): Refusal.TURNED_AWAY,
    ("recipient", "554 5.7.1 Service unavailable; Client host blocked using a list"): Refusal.TURNED_AWAY,
    ("recipient", "552 5.2.2 The email account that you tried to reach is over quota"): Refusal.TURNED_AWAY,
    ("recipient", "504 5.5.2 <pod-1>: Helo command rejected: need fully-qualified hostname"): Refusal.TURNED_AWAY,
    ("recipient", "550 5.7.606 Access denied, banned sending IP"): Refusal.TURNED_AWAY,
    ("recipient", "550 relay not permitted"): Refusal.TURNED_AWAY,
    ("recipient", "550 Sender verify failed"): Refusal.TURNED_AWAY,
    ("recipient", "550 Sender address unknown"): Refusal.TURNED_AWAY,
    ("recipient", "550 Rejected because 192.0.2.1 is in a black list at zen.spamhaus.org"): Refusal.TURNED_AWAY,
    ("recipient", "550 Requested action not taken: mailbox unavailable"): Refusal.TURNED_AWAY,
    ("recipient", "550 Your IP address was not found in our allow list"): Refusal.TURNED_AWAY,
    ("recipient", "550 Reverse DNS for your IP address not found"): Refusal.TURNED_AWAY,
    ("recipient", "550 PTR record of the address 192.0.2.1 not found"): Refusal.TURNED_AWAY,
    ("recipient", "550 Client address unknown"): Refusal.TURNED_AWAY,
    ("recipient", "550 Address not found on the whitelist"): Refusal.TURNED_AWAY,
    ("recipient", "550 Mail from address does not exist"): Refusal.TURNED_AWAY,
    ("recipient", "550 Your account has been disabled, contact support"): Refusal.TURNED_AWAY,
    ("recipient", "550 Account disabled, contact the postmaster"): Refusal.TURNED_AWAY,
    ("recipient", "550 Relaying denied for unknown user; please authenticate"): Refusal.TURNED_AWAY,
    ("recipient", "550 Unknown user: log in first"): Refusal.TURNED_AWAY,
    ("recipient", "553 Relaying denied"): Refusal.TURNED_AWAY,
    ("recipient", "553 sorry, your IP address is on a blacklist"): Refusal.TURNED_AWAY,
    ("recipient", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"): Refusal.TURNED_AWAY,
    ("recipient", "501 HELO needs a valid name"): Refusal.TURNED_AWAY,
    ("recipient", "554 Relay access denied"): Refusal.TURNED_AWAY,
    ("recipient", "552 Mailbox full"): Refusal.TURNED_AWAY,
    ("email", "550 5.7.26 This message does not pass authentication checks (SPF and DKIM both do not pass)"):
        Refusal.TURNED_AWAY,
    ("email", "554 5.7.0 Message rejected by policy"): Refusal.TURNED_AWAY,
    ("email", "550 5.1.8 Sender address rejected"): Refusal.TURNED_AWAY,
    ("email", "550 Message refused"): Refusal.TURNED_AWAY,
}  # fmt: skip


@pytest.mark.parametrize(("said", "means"), REFUSALS.items(), ids=[f"{at}: {reply}" for at, reply in REFUSALS])
def test_a_refusal_is_final_only_where_the_address_is_wrong(said: tuple[str, str], means: Refusal) -> None:
    at, reply = said
    code, _, text = reply.partition(" ")
    assert meaning(int(code), text, of_recipient=at == "recipient") is means
