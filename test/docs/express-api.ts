import { type ChildProcess, spawn } from "node:child_process";
import { generated } from "./generated.ts";
import { blocksOf } from "./markdown.ts";

/** What a small API does beside the lines of docs/your-api.md: a list, a page for each user, an upload, events, a WebSocket. */
const HANDLERS = `
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
let asked = 0;
app.get("/items", (request, response) => {
  asked += 1;
  response.set({ "Cache-Control": "public, max-age=60", "X-Total-Count": "3", "Access-Control-Expose-Headers": "X-Total-Count" });
  response.json({ asked, q: request.query.q ?? null });
});
app.get("/me", (request, response) => {
  response.set("Cache-Control", "private").json({ user: request.user, ip: request.ip });
});
app.post("/upload", (request, response) => {
  const hash = createHash("sha256");
  let size = 0;
  request.on("data", (chunk) => { size += chunk.length; hash.update(chunk); });
  request.on("end", () => response.json({ size, sha256: hash.digest("hex") }));
});
app.get("/page", (_request, response) => response.set("Cache-Control", "no-cache").send("a page"));
app.get("/events", (request, response) => {
  response.set({ "Content-Type": "text/event-stream", "Cache-Control": "no-store" }).flushHeaders();
  let count = 0;
  const timer = setInterval(() => response.write("data: " + (count += 1) + "\\n\\n"), 50);
  request.on("close", () => clearInterval(timer));
});
const server = createServer(app);
const sockets = new WebSocketServer({ noServer: true });
server.on("upgrade", (request, socket, head) => {
  if (!fromEdge(request)) return socket.end("HTTP/1.1 403 Forbidden\\r\\n\\r\\n");
  sockets.handleUpgrade(request, socket, head, (ws) => ws.on("message", (text) => ws.send("echo " + text)));
});
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => console.log("port " + server.address().port));
`;

export interface Api {
  url: string;
  stop(): Promise<void>;
}

/** The source of the API: the page's lines for Express as they stand there, and the handlers. */
export function expressSource(): string {
  const [lines] = blocksOf("docs/your-api.md").filter(({ text }) => text.includes('from "express"'));
  if (!lines) throw new Error("docs/your-api.md shows no lines for Express");
  return `${lines.text}\n${HANDLERS}`;
}

/** Runs it on a free port. */
export async function startExpressApi(originToken: string): Promise<Api> {
  return startProgram("node", [await generated("express-api.mjs", expressSource())], originToken);
}

/** Runs a program that prints `port N` when it listens. @throws Error where it ends before that. */
export async function startProgram(program: string, args: string[], originToken: string): Promise<Api> {
  const child = spawn(program, args, {
    env: { ...process.env, ORIGIN_TOKEN: originToken, PORT: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const port = await portOf(child);
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill();
      await ended;
    },
  };
}

function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.once("close", (code) => reject(new Error(`the API ended with code ${code}: ${said}`)));
    child.stdout?.on("data", (chunk: Buffer) => {
      const port = /port (\d+)/.exec(chunk.toString())?.[1];
      if (port) resolve(Number(port));
    });
  });
}
