"""The app is the API's HTTP face: the routers of the contexts that this process serves, and nothing of the others."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from api import (
    contacts,
    customers,
    health,
    letters,
    notifications,
    openapi,
    operations,
    orders,
    pages,
    payments,
    problems,
    products,
    projections,
    reports,
    revenue,
    templates,
    unsubscribe,
    users,
    webhooks,
)
from api.door import Door
from api.health import Probe
from api.system import System
from events.kafka import KafkaLog
from events.log import Log
from projections.postgres import Database
from schemas.settings import Settings
from schemas.version import this_version

ROUTERS: dict[str, tuple[APIRouter, ...]] = {
    "order": (orders.router, customers.router, revenue.router),
    "product": (products.router,),
    "payment": (payments.router, webhooks.router),
    "user": (users.router,),
    "notification": (
        contacts.router,
        templates.router,
        unsubscribe.router,
        reports.router,
        notifications.router,  # the last, for one message's URL fits all of theirs
    ),
}


def create_app(settings: Settings, log: Log | None = None, databases: Mapping[str, Database] | None = None) -> FastAPI:
    """The app for these settings. It opens and closes the log and the databases by context, given or its own."""
    if databases is None:
        databases = {context: Database(settings.postgres, context) for context in settings.chosen()}

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        system = System(settings, KafkaLog(settings.kafka) if log is None else log, databases)
        app.state.system, app.state.probe = system, Probe(system)
        await system.open()
        try:
            yield
        finally:
            await system.close()

    app = FastAPI(
        title="orderlog",
        version=this_version(),
        docs_url=None,  # they load scripts from other people's servers
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        lifespan=lifespan,
        responses=openapi.DEFAULT,
        exception_handlers=problems.HANDLERS,  # type: ignore[arg-type]
    )
    app.add_middleware(Door)
    served = [router for context in settings.chosen() for router in ROUTERS[context]]
    operating = (letters.router, operations.router, projections.router, health.router, pages.router)
    for router in (*served, *operating):
        app.include_router(router)
    openapi.complete(app)
    return app
