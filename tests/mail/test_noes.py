"""What a mail server's no means: nobody has the address, or something else is the matter."""

import pytest

from schemas.mail import enhanced, is_nobodys, message_id, notification_of
from tests.builders.notification import MAIL


@pytest.mark.parametrize(
    ("code", "said", "nobodys"),
    [
        (550, "5.1.1 <ada@example.com>: Recipient address rejected: User unknown", True),
        (550, "No such user here", True),
        (551, "moved to elsewhere", True),
        (553, "no such domain", True),
        (556, "5.1.10 domain takes no mail", True),
        (550, "5.2.1 mailbox disabled", True),
        (552, "5.2.2 mailbox full", False),
        (552, "too much", False),
        (550, "5.7.1 blocked by policy, see 5.1.1", False),
        (553, "5.1.8 bad address of the sender", False),
        (554, "no", False),
    ],
)
def test_a_no_for_good_is_about_the_address_or_not(code: int, said: str, nobodys: bool) -> None:
    assert is_nobodys(enhanced(said), code) is nobodys


def test_a_mail_is_known_by_its_message_id() -> None:
    assert notification_of(f" {message_id(MAIL, 'orders@orderlog.example')}\n") == MAIL
    for other in ("", "None", f"<{MAIL}>", f"{MAIL}@orderlog.example", "<1@orderlog.example>", f"<{MAIL}@a b>"):
        assert notification_of(other) is None
