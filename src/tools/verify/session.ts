import { randomUUID } from "node:crypto";
import { type Answer, ask } from "../ask.ts";
import { failed, type Outcome, passed, type VerifyOptions } from "./outcome.ts";
import { shown } from "./refusals.ts";

interface Opened {
  user: string;
  token: string;
  /** Where the session can be read and ended. */
  path: string;
}

const service = (token: string) => ({ authorization: `Bearer ${token}`, "content-type": "application/json" });

/** Starts a session of a user that nobody else is. @returns the edge's answer where it starts none. */
async function open({ url, authBasePath, serviceToken = "" }: VerifyOptions): Promise<Opened | Answer> {
  const user = `verify_${randomUUID()}`;
  const created = await ask(`${url}${authBasePath}/sessions`, {
    method: "POST",
    headers: service(serviceToken),
    body: JSON.stringify({ user_id: user, ttl: 300 }),
  });
  if (created.status !== 201) return created;
  const { session, token } = JSON.parse(created.text) as { session: { session_id: string }; token: string };
  return { user, token, path: `${url}${authBasePath}/sessions/redis/${session.session_id}` };
}

/**
 * Runs `work` with the bearer of a new user, whose limits nobody has used, and ends the session. Without a service token, or
 * where no session starts, with no credential at all.
 */
export async function asNewUser<Result>(
  options: VerifyOptions,
  work: (headers: Record<string, string>) => Promise<Result>,
): Promise<Result> {
  const opened = options.serviceToken ? await open(options).catch(() => null) : null;
  if (opened === null || "status" in opened) return work({});
  try {
    return await work({ authorization: `Bearer ${opened.token}` });
  } finally {
    await ask(opened.path, { method: "DELETE", headers: service(options.serviceToken ?? "") }).catch(
      () => {},
    );
  }
}

/** A session can be started, read by its user and by nobody else, and ended. */
export async function sessionManagement(options: VerifyOptions): Promise<Outcome> {
  const { serviceToken } = options;
  if (!serviceToken) return failed("set SERVICE_TOKEN in the environment: creating a session needs it");
  const opened = await open(options);
  if ("status" in opened) return failed(`creating one answered ${refusalOf(opened)}`);
  const { user, token, path } = opened;
  const own = { authorization: `Bearer ${token}` };

  const read = await ask(path, { headers: own });
  if (read.status !== 200 || !read.text.includes(JSON.stringify(user)))
    return failed(`reading it answered ${shown(read)}`);
  const stranger = await ask(path);
  if (stranger.status === 200) return failed("a stranger can read it");
  const removed = await ask(path, { method: "DELETE", headers: own });
  if (removed.status !== 200) return failed(`deleting answered ${shown(removed)}`);
  const again = await ask(path, { headers: service(serviceToken) });
  if (again.status !== 404) return failed(`it is still there after it was deleted (${shown(again)})`);
  return passed("created, read, kept from a stranger, deleted, gone");
}

function refusalOf(answer: Answer): string {
  const text = shown(answer);
  if (answer.status === 401) return `${text}: SERVICE_TOKEN is not the edge's`;
  if (answer.status === 404) return `${text}: the edge has no SERVICE_TOKEN, or another --auth path`;
  return text;
}
