"""House is how our own processes know each other: a proof that whoever asks has our secret, good for a minute."""

import hashlib
import hmac

SCHEME = "House"
GOOD_SECONDS = 60


def proof(secret: str, target: str, now: float) -> str:
    """What to say in `Authorization` to ask for a target, such as `POST /keys`; `now` in seconds."""
    return f"{SCHEME} {int(now)}.{_digest(secret, target, int(now))}"


def holds(said: str, secret: str, target: str, now: float) -> bool:
    """Whether it is a proof, of now and for this target."""
    scheme, _, rest = said.partition(" ")
    at, _, digest = rest.partition(".")
    if scheme != SCHEME or not at.isdecimal() or len(at) > 12 or abs(now - int(at)) > GOOD_SECONDS:
        return False
    return hmac.compare_digest(digest.encode(), _digest(secret, target, int(at)).encode())


def _digest(secret: str, target: str, at: int) -> str:
    key = hmac.digest(secret.encode(), b"house", hashlib.sha256)
    return hmac.digest(key, f"{target} {at}".encode(), hashlib.sha256).hex()
