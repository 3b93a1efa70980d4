"""One rule for addresses: who may have an account is believed by the gateway, and gets emails."""

import pytest

from tests.unit.gateway.adapters.test_tokens import Scene
from tests.unit.notifier.builders import a_message
from tests.unit.notifier.fakes import START
from video2mp3_auth.commands import usable_email
from video2mp3_auth.errors import UnusableInput
from video2mp3_contracts.api.conversion import Notify
from video2mp3_contracts.text.address import InvalidAddressError
from video2mp3_gateway.ports.systems import TokenRejected
from video2mp3_notifier.compose import Composer

COMPOSER = Composer("noreply@example.org", "https://mp3.example.org")


@pytest.mark.parametrize(
    "address",
    ["ada@example.org", "josé@example.com", "a+b@bücher.example", "ada@straße.de", "root@localhost", "o'b@x.de"],
)
def test_an_account_is_believed_and_told(address: str) -> None:
    assert usable_email(address) == address
    scene = Scene()
    assert scene.account(scene.issuer.token(sub=address)) == address
    assert Notify(email=address).email == address
    COMPOSER.compose(a_message().to(address).build(), START)


@pytest.mark.parametrize("address", ["ada", "a b@example.org", '"a"@example.org', "a@b@c", "ada@-", "ada@[127.0.0.1]"])
def test_what_is_none_is_none_for_everybody(address: str) -> None:
    with pytest.raises(UnusableInput):
        usable_email(address)
    scene = Scene()
    with pytest.raises(TokenRejected):
        scene.account(scene.issuer.token(sub=address))
    with pytest.raises(InvalidAddressError):
        COMPOSER.compose(a_message().to(address).build(), START)
