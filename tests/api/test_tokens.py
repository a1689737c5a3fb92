"""Tokens are believed if a key of ours has signed them with the one algorithm, for us, and their time has come."""

import base64
import hashlib
import hmac
import json
import os
import stat
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from api import keys as keys_module
from api.front import Front
from api.keys import Keyring, make, public_pem
from api.locksmith import main
from api.tokens import AUDIENCE, ISSUER, LIFETIME, NOBODY, BadToken, Tokens
from events.memory import MemoryLog
from tests.api.entries import TOKENS, client_of, closed

pytestmark = pytest.mark.anyio

KEY = TOKENS.keyring.signing()


def claims(**changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    said = {
        "sub": str(uuid4()), "roles": ["customer"], "iss": ISSUER, "aud": AUDIENCE, "iat": now,
        "exp": now + timedelta(hours=1), "jti": "1", **changes,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value is not None}


def token(
    key: Any = KEY.private, algorithm: str = "EdDSA", header: dict[str, Any] | None = None, **changes: Any
) -> str:
    return jwt.encode(claims(**changes), key, algorithm, {"kid": KEY.kid, **(header or {})})


def raw(header: dict[str, Any], signature: bytes = b"", **changes: Any) -> str:
    """A token put together by hand, for what no library signs."""
    body = claims(**changes)
    body |= {name: int(body[name].timestamp()) for name in ("iat", "exp")}
    return ".".join(map(_word, (json.dumps(header).encode(), json.dumps(body).encode(), signature)))


def confused(secret: bytes) -> str:
    """Signed by HMAC with what everybody knows: the public key."""
    said = raw({"alg": "HS256", "typ": "JWT", "kid": KEY.kid}).rpartition(".")[0]
    return f"{said}.{_word(hmac.new(secret, said.encode(), hashlib.sha256).digest())}"


def _word(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


PEM = public_pem(KEY)
DER = KEY.public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
RAW = KEY.public.public_bytes(Encoding.Raw, PublicFormat.Raw)
STRANGER = Ed25519PrivateKey.generate()
NOW = datetime.now(UTC)
GOOD = token()

ATTACKS = {
    "no token": "Bearer ",
    "no scheme": GOOD,
    "another scheme": f"Basic {GOOD}",
    "no JWT": "Bearer x.y.z",
    "no ASCII": "Bearer \xe9\xe8",
    "alg none": f"Bearer {raw({'alg': 'none'})}",
    "alg None": f"Bearer {raw({'alg': 'None', 'kid': KEY.kid})}",
    "alg none, signed": f"Bearer {raw({'alg': 'none', 'kid': KEY.kid}, b'x' * 64)}",
    "alg missing": f"Bearer {raw({'kid': KEY.kid}, b'x' * 64)}",
    "signature stripped": f"Bearer {GOOD.rpartition('.')[0]}.",
    "signature of another": f"Bearer {GOOD.rpartition('.')[0]}.{token().rpartition('.')[2]}",
    "payload exchanged": f"Bearer {GOOD.split('.')[0]}.{token(roles=['operator']).split('.')[1]}.{GOOD.split('.')[2]}",
    "HS256 with the PEM": f"Bearer {confused(PEM)}",
    "HS256 with the PEM, stripped": f"Bearer {confused(PEM.strip())}",
    "HS256 with the PEM, other line ends": f"Bearer {confused(PEM.replace(bytes([10]), bytes([13, 10])))}",
    "HS256 with the PEM, indented": f"Bearer {confused(b' ' + PEM)}",
    "HS256 with the DER": f"Bearer {confused(DER)}",
    "HS256 with the raw key": f"Bearer {confused(RAW)}",
    "HS256 with an empty secret": f"Bearer {confused(b'')}",
    "RS256": f"Bearer {token(rsa.generate_private_key(65537, 2048), 'RS256')}",
    "ES256": f"Bearer {token(ec.generate_private_key(ec.SECP256R1()), 'ES256')}",
    "a stranger's key under our kid": f"Bearer {token(STRANGER)}",
    "a stranger's key and kid": f"Bearer {token(STRANGER, header={'kid': 'stranger'})}",
    "an embedded key": "Bearer " + token(STRANGER, header={"jwk": {"kty": "OKP", "crv": "Ed25519", "x": _word(
        STRANGER.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))}}),
    "jku": f"Bearer {token(STRANGER, header={'jku': 'https://attacker.example/jwks.json', 'kid': 'x'})}",
    "x5u": f"Bearer {token(STRANGER, header={'x5u': 'https://attacker.example/cert.pem', 'kid': 'x'})}",
    "kid missing": f"Bearer {jwt.encode(claims(), STRANGER, 'EdDSA')}",
    "kid a path": f"Bearer {token(header={'kid': '../../etc/passwd'})}",
    "kid SQL": f"""Bearer {token(header={'kid': "' OR 1=1 --"})}""",
    "crit": f"Bearer {token(header={'crit': ['exp'], 'kid': 'x'})}",
    "expired": f"Bearer {token(exp=NOW - timedelta(seconds=1))}",
    "not yet": f"Bearer {token(nbf=NOW + timedelta(hours=1))}",
    "issued tomorrow": f"Bearer {token(iat=NOW + timedelta(days=1))}",
    "no exp": f"Bearer {token(exp=None)}",
    "no sub": f"Bearer {token(sub=None)}",
    "an empty sub": f"Bearer {token(sub='')}",
    "no jti": f"Bearer {token(jti=None)}",
    "no iat": f"Bearer {token(iat=None)}",
    "no roles": f"Bearer {token(roles=None)}",
    "roles a text": f"Bearer {token(roles='operator')}",
    "another audience": f"Bearer {token(aud='another')}",
    "another issuer": f"Bearer {token(iss='another')}",
    "no audience": f"Bearer {token(aud=None)}",
    "1 MB": f"Bearer {token(sub='x' * (1 << 20))}",
}  # fmt: skip


@pytest.fixture(scope="module")
async def gateway() -> AsyncIterator[httpx2.AsyncClient]:
    """A gateway with nothing behind it: whoever it lets in meets a read model that is away."""
    async with client_of(Front(closed(), MemoryLog())) as client:
        yield client


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("url", ["/api/users/me", "/api/orders"])
async def test_a_token_that_is_not_ours_is_nobodys(gateway: httpx2.AsyncClient, url: str, attack: str) -> None:
    answer = await gateway.get(url, headers=[(b"Authorization", ATTACKS[attack].encode("latin-1"))])
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (401, "NotLoggedIn")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert problem.keys() == {"type", "title", "status", "code", "detail", "instance", "request_id"}


async def test_a_token_that_is_ours_is_let_in(gateway: httpx2.AsyncClient) -> None:
    answer = await gateway.get("/api/orders", headers={"Authorization": f"bearer {GOOD}"})
    assert answer.json()["code"] == "ReadModelUnavailable"


async def test_two_tokens_are_none(gateway: httpx2.AsyncClient) -> None:
    twice = [(b"Authorization", f"Bearer {GOOD}".encode())] * 2
    assert (await gateway.get("/api/orders", headers=twice)).status_code == 401


async def test_who_has_no_token_sees_what_is_for_everybody(gateway: httpx2.AsyncClient) -> None:
    for authorization in ("", ATTACKS["expired"]):
        answer = await gateway.get("/api/products", headers={"Authorization": authorization} if authorization else {})
        assert answer.json()["code"] == "ReadModelUnavailable"


def test_a_key_is_made_where_there_is_none_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    tokens = Tokens(Keyring(tmp_path / "keys"))
    principal = tokens.read(f"Bearer {tokens.issue('ada', ('customer', 'staff'))}")
    assert principal.until is not None
    assert 0 < principal.until - time.time() <= LIFETIME.total_seconds()
    assert principal[:2] == ("ada", frozenset({"customer", "staff"}))
    (file,) = (tmp_path / "keys").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Tokens(Keyring(tmp_path / "keys")).read("") == NOBODY


def test_a_new_key_signs_and_the_old_one_verifies_until_it_is_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys_module, "_FRESH", 0.0)
    tokens = Tokens(Keyring(tmp_path))
    before = tokens.issue("ada")
    old = tokens.keyring.signing().kid
    new = make(tmp_path)
    after = tokens.issue("ada")
    assert jwt.get_unverified_header(after)["kid"] == new > old
    assert [key["kid"] for key in tokens.keyring.jwks()["keys"]] == sorted((old, new))
    assert tokens.read(f"Bearer {before}").subject == tokens.read(f"Bearer {after}").subject == "ada"

    (tmp_path / f"{old}.pem").unlink()
    with pytest.raises(BadToken):
        tokens.read(f"Bearer {before}")


def test_who_only_verifies_needs_no_private_key(tmp_path: Path) -> None:
    signing = Tokens(Keyring(tmp_path / "ours"))
    token = signing.issue("ada")
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / f"{signing.keyring.signing().kid}.pub.pem").write_bytes(public_pem(signing.keyring.signing()))
    assert Tokens(Keyring(theirs)).read(f"Bearer {token}").subject == "ada"
    with pytest.raises(ValueError, match="public keys alone"):
        Tokens(Keyring(theirs)).issue("ada")


def test_the_locksmith_makes_tokens_for_those_who_work_here_and_rotates_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ORDERLOG_KEYS", str(tmp_path))
    assert main(["token", "--role", "operator", "--role", "analyst", "--subject", "grace"]) == 0
    token = capsys.readouterr().out.strip()
    assert Tokens(Keyring(tmp_path)).read(f"Bearer {token}")[:2] == ("grace", frozenset({"operator", "analyst"}))
    (old,) = (file.stem for file in tmp_path.iterdir())
    assert main(["retire", old]) == 1
    assert "rotate first" in capsys.readouterr().err
    assert (main(["rotate"]), main(["retire", old])) == (0, 0)
    with pytest.raises(BadToken):
        Tokens(Keyring(tmp_path)).read(f"Bearer {token}")


def test_a_file_that_is_no_key_is_named(tmp_path: Path) -> None:
    private = rsa.generate_private_key(65537, 2048)
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "rsa.pub.pem").write_bytes(pem)
    with pytest.raises(ValueError, match=r"rsa\.pub\.pem is no Ed25519 key"):
        Keyring(tmp_path).all()
    os.remove(tmp_path / "rsa.pub.pem")
