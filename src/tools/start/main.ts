import { join } from "node:path";
import { isPortTaken } from "../ports.ts";
import { helpText, OptionError, readStartOptions, type StartOptions } from "./options.ts";
import { supervise } from "./supervise.ts";

/**
 * `npm start`: runs the edge on this machine, without an account. This process starts one other, which runs the store, the
 * sample API, the Worker and the page; whatever happens to it, this one ends all that it started and removes its files.
 */
try {
  const args = process.argv.slice(2);
  const options = readStartOptions(args);
  if (options.help) console.log(helpText());
  else {
    console.log("Starting Envoyou Edge …");
    // Here, because the other process takes a second to load wrangler.
    await refuseTakenPorts(options);
    process.exitCode = await supervise(join(import.meta.dirname, "run.ts"), args);
  }
} catch (error) {
  if (!(error instanceof OptionError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

/** @throws OptionError that names the port, and the option with which another is taken. */
async function refuseTakenPorts(options: StartOptions): Promise<void> {
  const { port, pagePort, page, originPort, upstashPort } = options;
  const ports = {
    port,
    ...(page && pagePort && { "page-port": pagePort }),
    "origin-port": originPort,
    "upstash-port": upstashPort,
  };
  for (const [name, number] of Object.entries(ports)) {
    if (number === 0 || !(await isPortTaken(number))) continue;
    const other = number < 65_535 ? number + 1 : number - 1;
    throw new OptionError(
      `Port ${number} is in use by another program. End it, or take another port: npm start -- --${name} ${other}`,
    );
  }
}
