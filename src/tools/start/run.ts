import { rmSync } from "node:fs";
import { basename } from "node:path";
import { freePort } from "../ports.ts";
import { announce } from "./announce.ts";
import { Development } from "./development.ts";
import { readStartOptions } from "./options.ts";
import { problemText } from "./problems.ts";

/** The program that `supervise` runs. It stops when the channel to that process closes. */
const say = (text = "") => void process.stdout.write(`${text}\n`);
/** How long what runs may take to end in order. The other process then ends the group. */
const STOP_WITHIN_MS = 2500;

const options = readStartOptions(process.argv.slice(2));
const development = new Development(options, say);

let stopping = false;
async function stop(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  const late = new Promise((resolve) => setTimeout(resolve, STOP_WITHIN_MS));
  await Promise.race([development.stop(), late]);
  process.exit(code);
}
const parent = process.ppid;
process.once("exit", () => {
  // The process that would end the group and remove the folder was killed.
  if (process.ppid === parent) return;
  const folder = process.env.TMPDIR ?? "";
  if (basename(folder).startsWith("envoyou-edge-")) rmSync(folder, { recursive: true, force: true });
  process.kill(-process.pid, "SIGKILL");
});
process.once("disconnect", () => void stop(0));
if (!process.connected) await stop(0);

try {
  say(announce(await development.start(options.port || (await freePort()))));
} catch (error) {
  if (!stopping) process.stderr.write(`${problemText(error)}\n`);
  await stop(1);
}
