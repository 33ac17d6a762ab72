const PATH = "/.test/idle";

/**
 * A module around the Worker that counts the promises given to `waitUntil`, and answers one path of its own once all are
 * done. The Worker is the one that is deployed: its requests, bindings and other handlers pass unchanged.
 */
export const withDeferredCounted = `
import worker from "./worker.js";
export * from "./worker.js";

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

async function idle() {
  while (pending > 0) await scheduler.wait(5);
  return new Response("idle");
}

export default {
  ...worker,
  fetch: (request, env, context) =>
    new URL(request.url).pathname === "${PATH}" ? idle() : worker.fetch(request, env, counted(context)),
};
`;

/** Work that never ends fails the test here, with its reason. */
const WAIT_MS = 30_000;

/** Waits until a Worker inside {@link withDeferredCounted} has nothing left to do after its responses. */
export async function untilIdle(url: string): Promise<void> {
  const response = await fetch(`${url}${PATH}`, { signal: AbortSignal.timeout(WAIT_MS) });
  if ((await response.text()) !== "idle") throw new Error(`${PATH} was answered by the Worker itself`);
}
