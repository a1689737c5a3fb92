"""What is done between processes: links cut, delay, slow or lose answers; provider and mail server misbehave."""

import asyncio
import time

import httpx2

from tests.faults.nemesis import Site
from tests.faults.plan import Step
from tests.faults.proxy import FAIR, Weather
from workers.mailbox import set_mode


async def link(site: Site, step: Step) -> None:
    """Bad weather on one link for a while."""
    way, at, detail = site.world.links[step.target], time.time(), step.detail
    before = way.lost
    way.set(_weather(step))
    await asyncio.sleep(step.seconds)
    way.set(FAIR)
    if detail.get("how") == "silent":
        way.reset()  # what was silent for so long is dead to one side at least
    site.note(step, at, time.time(), lost=way.lost - before)


def _weather(step: Step) -> Weather:
    detail = step.detail
    match step.fault:
        case "cut":
            return Weather("refuse" if detail["how"] == "reset" else "silent")
        case "delay":
            return Weather(delay=detail["delay"], jitter=detail["delay"] / 2)
        case "slow":
            return Weather(rate=detail["rate"])
        case _:
            return Weather("lose-answer", answers=detail["answers"])


async def provider(site: Site, step: Step) -> None:
    """The payment provider goes wrong for a while."""
    at = time.time()
    await provider_mode(site, **{name: step.detail[name] for name in ("mode", "probability", "seed", "ms")})
    await asyncio.sleep(step.seconds)
    await provider_mode(site, mode="normal")
    site.note(step, at, time.time())


async def provider_mode(site: Site, **rule: object) -> None:
    """Switch the provider's fault; one that is away just now has forgotten its fault anyway."""
    async with httpx2.AsyncClient(base_url=site.world.address.provider, trust_env=False) as client:
        try:
            await client.put("/v1/mode", json=rule)
        except httpx2.HTTPError as error:
            site.world.say(f"the provider does not hear {rule}: {error!r}")


async def mail(site: Site, step: Step) -> None:
    """The mail server goes wrong for a while, or is not to be reached."""
    mode, way, at = step.detail["mode"], site.world.links["worker-smtp"], time.time()
    folder = site.world.folder / "mailbox"
    match mode:
        case "down":
            way.set(Weather("refuse"))
        case "slow":
            way.set(Weather(delay=0.5, jitter=0.3))
        case _:
            set_mode(folder, mode)
    await asyncio.sleep(step.seconds)
    way.set(FAIR)
    set_mode(folder, "normal")
    site.note(step, at, time.time())
