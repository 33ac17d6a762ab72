import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RedisConnection } from "./connection.ts";
import { onLoopback } from "./loopback.ts";
import type { RespReply } from "./resp.ts";

/** The Redis behind the endpoint. */
export interface LocalRedis {
  kind: "redis-server" | "external" | "embedded";
  port: number;
  /** Ends it in order (a redis-server that we started), keeping what it holds for the next {@link start}. */
  stop(): Promise<void>;
  /** Starts it again on the same port, with or without what it held. */
  start(options?: { keepData?: boolean }): Promise<void>;
  /** SIGKILL: nothing is saved, connections break. */
  kill(): Promise<void>;
  /** Runs a command over a connection of its own, for assertions. */
  command(...args: string[]): Promise<RespReply>;
  /** Ends it for good and removes its files. */
  dispose(): Promise<void>;
}

export type RedisChoice = "auto" | "required" | "embedded";

/**
 * `LOCAL_REDIS_URL` where it is set (loopback only), else a `redis-server` on PATH, else the embedded one.
 *
 * @throws Error when `required` and there is no redis-server, or `LOCAL_REDIS_URL` names another host.
 */
export async function openRedis(
  choice: RedisChoice,
  env: NodeJS.ProcessEnv = process.env,
): Promise<LocalRedis> {
  if (choice !== "embedded" && env.LOCAL_REDIS_URL) return externalRedis(env.LOCAL_REDIS_URL);
  const installed = choice !== "embedded" && spawnSync("redis-server", ["--version"]).status === 0;
  if (installed) return startRedisServer();
  if (choice === "required") {
    throw new Error(
      "A real Redis is required (REQUIRE_REDIS=1), and there is no redis-server on PATH: apt-get install redis-server",
    );
  }
  return embeddedRedis();
}

async function externalRedis(address: string): Promise<LocalRedis> {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url?.protocol !== "redis:" || !["127.0.0.1", "localhost", "[::1]"].includes(url.hostname)) {
    throw new Error("LOCAL_REDIS_URL must be a Redis on this machine, such as redis://127.0.0.1:6379");
  }
  const port = Number(url.port || 6379);
  const notOurs = () =>
    Promise.reject(new Error("The Redis at LOCAL_REDIS_URL is not ours to stop or start"));
  return {
    kind: "external",
    port,
    stop: notOurs,
    start: notOurs,
    kill: notOurs,
    command: commandOn(port),
    dispose: async () => {},
  };
}

async function startRedisServer(): Promise<LocalRedis> {
  const folder = await mkdtemp(join(tmpdir(), "envoyou-edge-redis-"));
  const port = await freePort();
  let child = await spawnServer(port, folder);
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await gone;
  };
  const command = commandOn(port);
  return {
    kind: "redis-server",
    port,
    async stop() {
      await command("SAVE").catch(() => {});
      await end("SIGTERM");
    },
    async start({ keepData = true } = {}) {
      if (!keepData) await rm(join(folder, "dump.rdb"), { force: true });
      child = await spawnServer(port, folder);
    },
    kill: () => end("SIGKILL"),
    command,
    async dispose() {
      await end("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function spawnServer(port: number, folder: string): Promise<ChildProcess> {
  const child = spawn(
    "redis-server",
    [
      "--port",
      String(port),
      "--bind",
      "127.0.0.1",
      "--dir",
      folder,
      "--save",
      "",
      "--appendonly",
      "no",
      "--loglevel",
      "warning",
    ],
    { stdio: "ignore" },
  );
  const command = commandOn(port);
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`redis-server ended with code ${child.exitCode}`);
    const up = await command("PING").then(
      (reply) => reply === "PONG",
      () => false,
    );
    if (up) return child;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  child.kill("SIGKILL");
  throw new Error("redis-server did not answer within 5 s");
}

/** A Redis in JavaScript, for machines without one. It listens on loopback like everything else here. */
async function embeddedRedis(): Promise<LocalRedis> {
  const { createRedisMock } = await import("js-redis-server");
  const start = async (port: number) => onLoopback(() => createRedisMock({ port }));
  let server = await start(0);
  const { port } = server;
  const close = async () => {
    await server.close();
  };
  return {
    kind: "embedded",
    port,
    stop: close,
    kill: close,
    async start() {
      server = await start(port);
    },
    command: commandOn(port),
    dispose: close,
  };
}

function commandOn(port: number) {
  return async (...args: string[]): Promise<RespReply> => {
    const connection = new RedisConnection(port);
    try {
      return await connection.command(...args);
    } finally {
      connection.close();
    }
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}
