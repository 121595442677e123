"""The page's files, read once when the server starts: compressed for slow networks, tagged so that none is sent twice.

After a change of a file the server is to be started anew.
"""

import gzip
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ETag, web

PAGE = Path(__file__).parent / "page"

TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
PACKED = {".svg", ".png"}  # so small, or compressed already

OFFLINE = '<script src="/page/offline.js" type="module"></script>'
DEMO = '<link rel="stylesheet" href="/page/demo.css"><script src="/page/demo.js" type="module"></script>'


@dataclass(frozen=True)
class Asset:
    """One file as it is sent."""

    content_type: str
    body: bytes
    zipped: bytes | None
    tag: str

    @classmethod
    def of(cls, suffix: str, body: bytes) -> "Asset":
        zipped = None if suffix in PACKED else gzip.compress(body, mtime=0)
        return cls(TYPES[suffix], body, zipped, hashlib.sha256(body).hexdigest()[:16])

    def response(self, request: web.Request) -> web.Response:
        if any(known.value in (self.tag, "*") for known in request.if_none_match or ()):
            response = web.Response(status=304)
        elif self.zipped is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            response = web.Response(body=self.zipped, content_type=self.content_type)
            response.headers["Content-Encoding"] = "gzip"
        else:
            response = web.Response(body=self.body, content_type=self.content_type)
        if self.content_type.startswith("text/") and response.status == 200:
            response.charset = "utf-8"
        response.headers["Vary"] = "Accept-Encoding"
        response.etag = ETag(self.tag)
        return response


class Assets:
    """`files` by name; `chat` is the page itself, `worker` the service worker that keeps it for when there is no
    network. The demo's page has its bar and no worker: what runs on one's own machine needs none."""

    def __init__(self, *, demo: bool) -> None:
        sources = {path.name: path.read_bytes() for path in sorted(PAGE.iterdir()) if path.suffix in TYPES}
        worker = sources.pop("worker.js").decode()
        html = sources["chat.html"].decode().replace("<!-- more -->", DEMO if demo else OFFLINE)
        self.chat = Asset.of(".html", html.encode())
        self.files = {name: Asset.of(Path(name).suffix, body) for name, body in sources.items()}
        # The worker keeps what belongs together: it is another one as soon as any file is.
        kept = ["/chat", *(f"/page/{name}" for name in self.files if not name.startswith("demo."))]
        tags = "".join([worker, self.chat.tag, *(asset.tag for asset in self.files.values())])
        worker = worker.replace("{version}", hashlib.sha256(tags.encode()).hexdigest()[:16])
        self.worker = Asset.of(".js", worker.replace("{files}", json.dumps(kept)).encode())

    async def file(self, request: web.Request) -> web.Response:
        asset = self.files.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        return asset.response(request)

    async def worker_file(self, request: web.Request) -> web.Response:
        return self.worker.response(request)
