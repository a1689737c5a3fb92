"""Login rules: an account's password, its sessions, and what mailed tokens prove.

A session is begun by a login and lives for 30 days at most. Its token is exchanged for the next at every refresh. A
token that was exchanged and comes again means that two have it: the session is revoked. Only within ten seconds of the
exchange is it refused without that, for a client may have asked twice at once; it gets nothing either way.
"""

from datetime import datetime, timedelta

from aggregates.account import Asked, User
from aggregates.errors import CredentialsStale, ProofSpent, SessionOver, TokenJustUsed
from events.event import Event
from events.user import (
    EmailVerified,
    PasswordChanged,
    PasswordRehashed,
    ResetRequested,
    SessionRefreshed,
    SessionRevoked,
    SessionsEnded,
    SessionStarted,
    VerificationRequested,
)
from schemas.user import (
    ChangePassword,
    EndSessions,
    RefreshSession,
    RequestReset,
    RequestVerification,
    ResetPassword,
    StartSession,
    VerifyEmail,
)

SESSION = timedelta(days=30)
AT_ONCE = timedelta(seconds=10)
"""How long after its exchange a token is taken for a client's own second try."""
SESSIONS = 20
"""Sessions of one user; one more ends the one that was used least lately."""
VERIFICATION = timedelta(hours=24)
RESET = timedelta(minutes=30)
PAUSE = timedelta(minutes=1)
"""Between two mails of a kind, whoever asks for them."""


def start_session(command: StartSession, user: User, at: datetime) -> list[Event]:
    if not user.email or command.password_changes != user.password_changes:
        raise CredentialsStale
    started = SessionStarted(
        user_id=command.user_id,
        session_id=command.session_id,
        token_hash=command.token_hash,
        started_at=at,
        expires_at=at + SESSION,
    )
    return [*_too_many(command.user_id, user, at), started, *_rehashed(command)]


def _too_many(user_id: str, user: User, at: datetime) -> list[Event]:
    live = sorted((session.at, name) for name, session in user.sessions.items() if session.expires_at > at)
    over = tuple(name for _, name in live[: max(0, len(live) + 1 - SESSIONS)])
    return _ended(user_id, over, "too many")


def _rehashed(command: StartSession) -> list[Event]:
    return [PasswordRehashed(user_id=command.user_id, password_hash=command.rehashed)] if command.rehashed else []


def refresh_session(command: RefreshSession, user: User, at: datetime) -> list[Event]:
    session = user.sessions.get(command.session_id)
    if session is None or session.expires_at <= at or command.turn > session.turn:
        raise SessionOver
    if command.turn == session.turn:
        if command.token_hash != session.token_hash:
            raise SessionOver
        return [
            SessionRefreshed(
                user_id=command.user_id,
                session_id=command.session_id,
                turn=session.turn + 1,
                token_hash=command.next_hash,
                refreshed_at=at,
            )
        ]
    if command.turn == session.turn - 1 and at - session.at <= AT_ONCE:
        raise TokenJustUsed
    return [
        SessionRevoked(
            user_id=command.user_id,
            email=user.email,
            name=user.name,
            session_id=command.session_id,
            turn=command.turn,
        )
    ]


def end_sessions(command: EndSessions, user: User, _: datetime) -> list[Event]:
    ended = tuple(name for name in user.sessions if command.session_id in (None, name))
    return _ended(command.user_id, ended, "logout")


def _ended(user_id: str, session_ids: tuple[str, ...], reason: str) -> list[Event]:
    return [SessionsEnded(user_id=user_id, session_ids=session_ids, reason=reason)] if session_ids else []


def change_password(command: ChangePassword, user: User, _: datetime) -> list[Event]:
    if not user.email or command.password_changes != user.password_changes:
        raise CredentialsStale
    others = tuple(name for name, session in user.sessions.items() if session.token_hash != command.keep_hash)
    return [_changed(command, user), *_ended(command.user_id, others, "password changed")]


def _changed(command: ChangePassword | ResetPassword, user: User) -> PasswordChanged:
    return PasswordChanged(
        user_id=command.user_id,
        email=user.email,
        name=user.name,
        password_hash=command.password_hash,
        changes=user.password_changes + 1,
    )


def request_verification(command: RequestVerification, user: User, at: datetime) -> list[Event]:
    if not user.email or user.verified or _is_recent(user.verification, at):
        return []  # nobody is told which
    return [
        VerificationRequested(
            user_id=command.user_id,
            email=user.email,
            name=user.name,
            requested_at=at,
            expires_at=at + VERIFICATION,
            **dict(command.proof),
        )
    ]


def verify_email(command: VerifyEmail, user: User, at: datetime) -> list[Event]:
    _check(user.verification, command, at)
    return _verified(command.user_id, user)


def _verified(user_id: str, user: User) -> list[Event]:
    return [] if user.verified else [EmailVerified(user_id=user_id)]


def request_reset(command: RequestReset, user: User, at: datetime) -> list[Event]:
    if not user.email or _is_recent(user.reset, at):
        return []  # nobody is told which
    return [
        ResetRequested(
            user_id=command.user_id,
            email=user.email,
            name=user.name,
            requested_at=at,
            expires_at=at + RESET,
            **dict(command.proof),
        )
    ]


def reset_password(command: ResetPassword, user: User, at: datetime) -> list[Event]:
    """Who has the mail has the address too, so it is verified; every session ends."""
    _check(user.reset, command, at)
    ended = _ended(command.user_id, tuple(user.sessions), "password reset")
    return [*_verified(command.user_id, user), _changed(command, user), *ended]


def _is_recent(asked: Asked | None, at: datetime) -> bool:
    return asked is not None and at - asked.at < PAUSE


def _check(asked: Asked | None, command: VerifyEmail | ResetPassword, at: datetime) -> None:
    held = asked is not None and (asked.proof_id, asked.token_hash) == (command.proof_id, command.token_hash)
    if asked is None or not held or asked.expires_at <= at:
        raise ProofSpent


RULES = {
    StartSession: start_session,
    RefreshSession: refresh_session,
    EndSessions: end_sessions,
    ChangePassword: change_password,
    RequestVerification: request_verification,
    VerifyEmail: verify_email,
    RequestReset: request_reset,
    ResetPassword: reset_password,
}
