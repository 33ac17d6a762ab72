import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onFreePort } from "../ports.ts";
import { commandOn, type LocalRedis } from "./redis.ts";

/** A server that is asked so often has a minute to answer: a busy machine needs many seconds. */
const LOOK_EVERY_MS = 25;
const MAX_LOOKS = 2400;

/**
 * Starts a `redis-server`, on a free loopback port and in a folder of its own, without persistence. It ends
 * with this process.
 *
 * @param rules Its address is that of a user with these ACL rules, in place of the one who may do everything.
 */
export async function startRedisServer(
  program: string,
  onGone: () => void,
  rules?: readonly string[],
): Promise<LocalRedis> {
  const folder = await mkdtemp(join(tmpdir(), "envoyou-edge-redis-"));
  const dump = join(folder, "dump.rdb");
  const user = rules && { password: randomBytes(16).toString("hex"), rules };
  const launch = async (port: number) => {
    const launched = await spawnServer(program, port, folder, user);
    launched.once("exit", onGone);
    return launched;
  };
  let { child, port } = await onFreePort(async (free) => ({ child: await launch(free), port: free }));
  const command = commandOn({ port });
  const running = () => child.exitCode === null && child.signalCode === null;

  const abandon = () => {
    if (running()) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", abandon);

  const end = async (signal: NodeJS.Signals) => {
    if (!running()) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await gone;
  };
  return {
    kind: "redis-server",
    port,
    address: { port, ...(user && { greeting: [["AUTH", LIMITED_USER, user.password]] }) },
    get pid() {
      return running() ? child.pid : undefined;
    },
    async stop() {
      if (!running()) return;
      const gone = new Promise((resolve) => child.once("exit", resolve));
      // SHUTDOWN SAVE is one step without a reply. Between a separate SAVE and the end, writes would be lost.
      command("SHUTDOWN", "SAVE").catch(() => child.kill("SIGTERM"));
      await gone;
    },
    async start({ keepData = true } = {}) {
      if (running()) return;
      if (!keepData) await rm(dump, { force: true });
      child = await launch(port);
      // The file is loaded by now. If it stayed, a restart after a kill would restore it.
      await rm(dump, { force: true });
    },
    kill: () => end("SIGKILL"),
    command,
    async dispose() {
      process.off("exit", abandon);
      await end("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The name of the user whom `rules` describe. */
export const LIMITED_USER = "edge";

async function spawnServer(
  program: string,
  port: number,
  folder: string,
  user?: { password: string; rules: readonly string[] },
): Promise<ChildProcess> {
  const options = { port, bind: "127.0.0.1", dir: folder, save: "", appendonly: "no", loglevel: "warning" };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  // In the arguments, so that a server that is started again knows the user too.
  if (user) args.push("--user", LIMITED_USER, "on", `>${user.password}`, ...user.rules);
  const child = spawn(program, args, { stdio: "ignore" });
  let failed: Error | undefined;
  child.once("error", (error) => {
    failed = error;
  });
  const info = commandOn({ port });
  for (let attempt = 0; attempt < MAX_LOOKS; attempt += 1) {
    if (failed) throw failed;
    if (child.exitCode !== null) throw new Error(`redis-server ended with code ${child.exitCode}`);
    // Compares the pid: another Redis may listen on that port.
    const reply = await info("INFO", "server").catch(() => null);
    if (Buffer.isBuffer(reply) && reply.includes(`process_id:${child.pid}\r\n`)) return child;
    await sleep(LOOK_EVERY_MS);
  }
  child.kill("SIGKILL");
  throw new Error("redis-server did not answer within a minute");
}
