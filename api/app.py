"""The app is the API's HTTP face: the routers of the contexts that this process serves, and nothing of the others."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, FastAPI

from api import (
    contacts,
    customers,
    described,
    erasure,
    health,
    jwks,
    letters,
    live,
    mail_reports,
    notifications,
    openapi,
    operations,
    orders,
    pages,
    passwords,
    payments,
    person_keys,
    problems,
    products,
    profiles,
    projections,
    reports,
    revenue,
    sessions,
    templates,
    unsubscribe,
    users,
    webhooks,
)
from api.access import Recognize, admit, admit_owner
from api.door import Door
from api.freshness import read_your_writes
from api.health import Probe
from api.keys import Keyring
from api.questions import well_asked
from api.system import System
from api.tokens import Tokens
from api.traced import Traced
from api.ways import ways_of
from events.kafka import KafkaLog, this_process
from events.log import Log
from events.tracing import exporting
from projections.postgres import Database
from schemas.settings import Settings
from schemas.version import this_version

ROUTERS: dict[str, tuple[APIRouter, ...]] = {
    "order": (orders.router, live.router, customers.router, revenue.router),
    "product": (products.router,),
    "payment": (payments.router, webhooks.router),
    "user": (users.router, sessions.router, passwords.router, profiles.router, erasure.router, jwks.router),
    "notification": (
        contacts.router,
        templates.router,
        unsubscribe.router,
        reports.router,
        mail_reports.router,
        notifications.router,  # the last, for one message's URL fits all of theirs
    ),
}


def create_app(settings: Settings, log: Log | None = None, databases: Mapping[str, Database] | None = None) -> FastAPI:
    """The app for these settings. It opens and closes the log and the databases by context, given or its own."""
    if databases is None:
        databases = {context: Database(settings.postgres, context) for context in settings.chosen()}

    tokens, ways = Tokens(Keyring(settings.key_folder())), ways_of(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        system = System(settings, KafkaLog(settings.kafka) if log is None else log, databases, tokens)
        app.state.system, app.state.probe = system, Probe(system)
        await system.open()
        try:
            async with exporting(settings.otlp, settings.sampled, this_process()):
                yield
        finally:
            await system.close()
            for way in ways.values():
                await way.close()

    app = FastAPI(
        title="orderlog",
        version=this_version(),
        docs_url=None,  # they load scripts from other people's servers
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        lifespan=lifespan,
        responses=openapi.DEFAULT,
        dependencies=[Depends(each) for each in (admit, well_asked, read_your_writes, admit_owner)],
        exception_handlers=problems.HANDLERS,  # type: ignore[arg-type]
    )
    app.state.tokens, app.state.ways = tokens, ways
    app.state.conditional = settings.conditional(openapi.CONDITIONAL)
    app.add_middleware(Recognize, tokens=tokens, inside=settings.inside == "open")
    app.add_middleware(Door)
    app.add_middleware(Traced)
    served = [router for context in settings.chosen() for router in ROUTERS[context]]
    kept = (person_keys.router,) if "user" in settings.chosen() else ()
    operating = (letters.router, operations.router, projections.router, health.router, pages.router)
    for router in (*served, *kept, *operating):
        app.include_router(router)
    described.complete(app)
    return app
