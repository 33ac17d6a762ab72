import { join } from "node:path";
import { helpText, OptionError, readStartOptions } from "./options.ts";
import { supervise } from "./supervise.ts";

/**
 * `npm start`: runs the edge on this machine, without an account. This process starts one other, which runs the store, the
 * sample API, the Worker and the page; whatever happens to it, this one ends all that it started and removes its files.
 */
try {
  const args = process.argv.slice(2);
  if (readStartOptions(args).help) console.log(helpText());
  else process.exitCode = await supervise(join(import.meta.dirname, "run.ts"), args);
} catch (error) {
  if (!(error instanceof OptionError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
