import { spawnSync } from "node:child_process";
import { type Api, startProgram } from "./express-api.ts";
import { generated } from "./generated.ts";
import { blocksOf } from "./markdown.ts";

/**
 * What docs/your-api.md uses of FastAPI, over Python's own HTTP server, because FastAPI is not installed here: a middleware around
 * all paths, a response that a function may have injected, and what a function returns in its place.
 */
const FASTAPI = `
import asyncio, inspect, json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

class Response:
    def __init__(self, content=b"", status_code=200):
        self.content, self.status_code, self.headers = content, status_code, {}

class Request:
    def __init__(self, headers, body):
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.state, self.body = SimpleNamespace(), body

    async def json(self):
        return json.loads(self.body)

class FastAPI:
    def __init__(self):
        self.functions, self.around = {}, None

    def middleware(self, kind):
        assert kind == "http"
        def add(function):
            self.around = function
            return function
        return add

    def get(self, path):
        return self.handles("GET", path)

    def post(self, path):
        return self.handles("POST", path)

    def handles(self, method, path):
        def add(function):
            self.functions[method, path] = function
            return function
        return add

    async def answer(self, method, path, request):
        async def call_next(request):
            function = self.functions.get((method, path))
            if function is None:
                return Response(status_code=404)
            injected = Response()
            values = {"request": request, "response": injected}
            result = await function(**{name: values[name] for name in inspect.signature(function).parameters})
            if isinstance(result, Response):
                return result
            injected.content = json.dumps(result).encode()
            injected.headers["content-type"] = "application/json"
            return injected
        return await self.around(request, call_next)

def serve(app):
    class Handler(BaseHTTPRequestHandler):
        def reply(self):
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            path = self.path.split("?")[0]
            answer = asyncio.run(app.answer(self.command, path, Request(self.headers, body)))
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = reply

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"port {server.server_port}", flush=True)
    server.serve_forever()
`;

const MORE = `
@app.get("/me")
async def me(request: Request):
    return {"user": request.state.user}

from fastapi import serve
serve(app)
`;

export const hasPython = spawnSync("python3", ["--version"]).status === 0;

/** Runs the page's lines for FastAPI on a free port. @param options Of python3. */
export async function startFastApi(originToken: string, options: readonly string[] = []): Promise<Api> {
  const [lines] = blocksOf("docs/your-api.md").filter(({ text }) => text.includes("from fastapi"));
  if (!lines) throw new Error("docs/your-api.md shows no lines for FastAPI");
  // Python finds what stands in the program's own folder first.
  await generated("fastapi.py", FASTAPI);
  const file = await generated("fastapi_api.py", `${lines.text}\n${MORE}`);
  return startProgram("python3", ["-B", ...options, file], originToken);
}
