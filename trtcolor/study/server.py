"""The study's pages as an ASGI application.

GET  /                  where users join, on this machine alone
GET  /s/TOKEN/          the same where others can reach the server
POST join               beside each: {"name"} -> {"link"}
GET  /u/KEY/            a user's page
GET  /u/KEY/state       where the user is (trtcolor.study.session.State)
POST /u/KEY/answers     {"turn", "answer", "milliseconds", "pixel_ratio"} -> the state afterwards
GET  /u/KEY/pictures/N  the picture at place N of the user's order
GET  /assets/NAME

No path of a file is ever made from a request: assets are looked up among those that were loaded,
pictures by a number in the user's order.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from html import escape
from importlib.resources import files
from string import Template
from typing import Any, NamedTuple, cast

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from trtcolor.errors import StudyError
from trtcolor.study.answers import WIDEST_RATIO, WORDS, Word
from trtcolor.study.conduct import Conduct
from trtcolor.study.folder import QUESTION
from trtcolor.study.guard import Access, Guard
from trtcolor.study.session import StaleTurnError, State
from trtcolor.theme import theme

LARGEST_BODY = 4096
BODY_SECONDS = 10.0
TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
UNKNOWN_LINK = "This link belongs to nobody here. Please ask who runs the study for yours."


def create_app(conduct: Conduct, access: Access) -> ASGIApp:
    """The application; it takes answers through the conduct, which stays its owner's."""
    pages = _Pages(conduct, access)
    routes = [
        Route("/", pages.start, methods=["GET"]),
        Route("/join", pages.join, methods=["POST"]),
        Route("/s/{token}/", pages.start, methods=["GET"]),
        Route("/s/{token}/join", pages.join, methods=["POST"]),
        Route("/u/{key}/", pages.study, methods=["GET"]),
        Route("/u/{key}/state", pages.state, methods=["GET"]),
        Route("/u/{key}/answers", pages.answer, methods=["POST"]),
        Route("/u/{key}/pictures/{place:int}", pages.picture, methods=["GET"]),
        Route("/assets/{name}", pages.asset, methods=["GET"]),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: pages.refused})
    app.router.redirect_slashes = False
    return Guard(app, access.hosts)


class _Pages:
    def __init__(self, conduct: Conduct, access: Access) -> None:
        self._conduct, self._access = conduct, access
        folder = files("trtcolor.study") / "assets"
        loaded = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}
        loaded["theme.css"] = theme()
        self._assets = {n: text for n, text in loaded.items() if n.rpartition(".")[2] in TYPES}
        self._head = loaded["head.html"].rstrip()
        self._html = {n: Template(t) for n, t in loaded.items() if n.endswith(".html")}

    async def start(self, request: Request) -> Response:
        self._check_may_join(request)
        way = "the link that you are taken to"
        if self._access.token is None:
            way += ", or by the same name"
        return self._page("start.html", way=way)

    async def join(self, request: Request) -> Response:
        self._check_may_join(request)
        name = (await _entries(request)).get("name")
        if not isinstance(name, str):
            raise HTTPException(400, "no name came; one was needed")
        try:
            # On one machine whoever comes back may have lost the link, and says the name again.
            new = self._access.token is not None
            key = await run_in_threadpool(self._conduct.join, name, new=new)
        except StudyError as error:
            raise HTTPException(409, str(error)) from None
        except OSError as error:
            raise HTTPException(503, f"the name was not stored ({error.strerror})") from None
        return JSONResponse({"link": f"/u/{key}/"})

    async def study(self, request: Request) -> Response:
        await self._state(request)
        return self._page("study.html")

    async def state(self, request: Request) -> Response:
        return JSONResponse((await self._state(request)).to_dict())

    async def answer(self, request: Request) -> Response:
        await self._state(request)
        said = _said(await _entries(request))
        try:
            key = request.path_params["key"]
            state = await run_in_threadpool(self._conduct.answer, key, *said)
        except StaleTurnError:
            return JSONResponse((await self._state(request)).to_dict(), 409)
        except ValueError as error:
            raise HTTPException(400, str(error)) from None
        except OSError as error:
            raise HTTPException(503, f"the answer was not stored ({error.strerror})") from None
        return JSONResponse(_known(state).to_dict())

    async def picture(self, request: Request) -> Response:
        key, place = request.path_params["key"], request.path_params["place"]
        try:
            content = await run_in_threadpool(self._conduct.picture, key, place)
        except OSError as error:
            raise HTTPException(500, f"the picture cannot be read ({error.strerror})") from None
        if content is None:
            raise HTTPException(404, "no such picture is asked for")
        return Response(content, media_type="image/png")

    async def asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._assets:
            raise HTTPException(404, "there is nothing here")
        return Response(self._assets[name], media_type=TYPES[name.rpartition(".")[2]])

    async def refused(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if "text/html" in request.headers.get("accept", ""):
            return self._page("refused.html", error.status_code, message=escape(error.detail))
        return JSONResponse({"error": error.detail}, error.status_code)

    def _check_may_join(self, request: Request) -> None:
        token = request.path_params.get("token")
        wanted = self._access.token
        same = token == wanted
        if token is not None and wanted is not None:
            same = hmac.compare_digest(token.encode(), wanted.encode())
        if not same or self._access.invited:
            raise HTTPException(404, UNKNOWN_LINK)

    async def _state(self, request: Request) -> State:
        key = request.path_params["key"]
        return _known(await run_in_threadpool(self._conduct.state, key))

    def _page(self, name: str, status: int = 200, **entries: str) -> Response:
        text = self._html[name].substitute(head=self._head, question=escape(QUESTION), **entries)
        return HTMLResponse(text, status)


class _Said(NamedTuple):
    turn: int
    word: Word
    milliseconds: int
    pixel_ratio: float


def _said(entries: dict[str, Any]) -> _Said:
    turn, word = entries.get("turn"), entries.get("answer")
    milliseconds, ratio = entries.get("milliseconds"), entries.get("pixel_ratio", 0)
    if type(turn) is not int or word not in WORDS or type(milliseconds) is not int:
        raise HTTPException(400, "an answer with turn, answer and milliseconds was needed")
    is_number = isinstance(ratio, int | float) and not isinstance(ratio, bool)
    if not is_number or not 0 < ratio <= WIDEST_RATIO:
        raise HTTPException(400, f"pixel_ratio was needed, a number up to {WIDEST_RATIO:g}")
    return _Said(turn, cast(Word, word), milliseconds, float(ratio))


def _known(state: State | None) -> State:
    if state is None:
        raise HTTPException(404, UNKNOWN_LINK)
    return state


async def _entries(request: Request) -> dict[str, Any]:
    """What a request says, as JSON, no more than a little and within a short time."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415, "JSON was needed")
    content = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                content += chunk
                if len(content) > LARGEST_BODY:
                    raise HTTPException(413, f"at most {LARGEST_BODY} bytes were needed")
    except TimeoutError:
        raise HTTPException(408, "the rest did not come") from None
    try:
        entries = json.loads(content)
    except (ValueError, RecursionError):
        entries = None
    if not isinstance(entries, dict):
        raise HTTPException(400, "a JSON object was needed")
    return entries
