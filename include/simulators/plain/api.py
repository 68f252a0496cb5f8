"""Plain's endpoint: credentials and transport around the GraphQL schema."""

from dataclasses import dataclass

from ..clock import Clock
from ..http import Request, Response
from ..world.world import World


@dataclass(frozen=True, slots=True)
class Settings:
    token: str = "plainApiKey_sim"  # noqa: S105 - opens a simulator only


class PlainApi:
    def __init__(self, world: World, clock: Clock, settings: Settings) -> None:
        self.world, self.clock, self.settings = world, clock, settings

    def __call__(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self.settings.token}":
            return Response(401, b'{"message":"Unauthorized"}', {"content-type": "application/json"})
        return Response(404, b'{"message":"Not Found"}', {"content-type": "application/json"})
