import { clearOfTheHour } from "../clear-of-the-hour.ts";
import { until } from "../until.ts";

const PATH = "/.test/idle";

/**
 * A module around the Worker that counts the promises given to `waitUntil`, and answers one path of its own once all are
 * done. Then it prints the request's target: the log comes through a pipe of its own, and what was logged before has come when
 * that line has. Its clock is clear of the hour. The Worker is the one that is deployed: its requests, bindings and other handlers
 * pass unchanged.
 */
export const withDeferredCounted = () => `
import worker from "./worker.js";
export * from "./worker.js";

const machine = Date.now.bind(Date);
Date.now = () => machine() + ${clearOfTheHour(Date.now())};

let pending = 0;

/** A method of a platform object does not work on another \`this\`. */
function counted(context) {
  const waitUntil = (work) => {
    pending += 1;
    const done = () => void (pending -= 1);
    Promise.resolve(work).then(done, done);
    context.waitUntil(work);
  };
  return new Proxy(context, {
    get(target, name) {
      if (name === "waitUntil") return waitUntil;
      const value = target[name];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

async function idle({ search }) {
  while (pending > 0) await scheduler.wait(5);
  console.log("${PATH}" + search);
  return new Response("idle");
}

export default {
  ...worker,
  fetch(request, env, context) {
    const url = new URL(request.url);
    return url.pathname === "${PATH}" ? idle(url) : worker.fetch(request, env, counted(context));
  },
};
`;

/** Work that never ends fails the test here, with its reason. */
const WAIT_MS = 50_000;

/** Waits for a Worker inside {@link withDeferredCounted}. */
export class IdleWait {
  #asked = 0;
  readonly #printed = new Set<string>();

  /** @returns whether a message is one that {@link until} waits for, and not the Worker's. */
  takes(message: string): boolean {
    if (!message.startsWith(`${PATH}?`)) return false;
    this.#printed.add(message);
    return true;
  }

  /** Resolves when the Worker at this address has nothing left to do after its responses, and all that it has logged has come. */
  async until(url: string): Promise<void> {
    this.#asked += 1;
    const target = `${PATH}?${this.#asked}`;
    const response = await fetch(`${url}${target}`, { signal: AbortSignal.timeout(WAIT_MS) });
    if ((await response.text()) !== "idle") throw new Error(`${PATH} was answered by the Worker itself`);
    await until(() => this.#printed.delete(target), "the log has come");
  }
}
