import { type Answer, ask } from "../ask.ts";
import { failed, type Outcome, passed, type VerifyOptions } from "./outcome.ts";
import { shown } from "./refusals.ts";

/** What `/health` says, as far as it is looked at. */
export interface Health {
  mode?: string;
  system: { redis: { available: boolean; status?: string } };
  services?: object;
}

/** Null where the answer is not that of an edge. */
function parsed({ text }: Answer): Health | null {
  try {
    const body = JSON.parse(text) as Partial<Health> | null;
    return typeof body?.system?.redis?.available === "boolean" ? (body as Health) : null;
  } catch {
    return null;
  }
}

/** @throws AskError */
export async function healthOf({ url, healthPath }: VerifyOptions): Promise<Health | null> {
  return parsed(await ask(`${url}${healthPath}`));
}

/** How many redirects lead to an edge: to https, and to another spelling of its path. */
const MAX_REDIRECTS = 3;

/**
 * Finds the edge behind an address. A redirect on the same host is followed; one to another host is not, because that host
 * would get the service token.
 *
 * @returns its address, or why there is none.
 * @throws AskError
 */
export async function findEdge(
  url: string,
  healthPath: string,
): Promise<{ kind: "found"; url: string } | { kind: "none"; says: string }> {
  let at = new URL(`${url}${healthPath}`);
  for (let hops = 0; ; hops += 1) {
    const answer = await ask(at.href);
    const location = answer.status >= 300 && answer.status < 400 ? answer.headers.get("location") : null;
    if (location === null || hops === MAX_REDIRECTS || !URL.canParse(location, at.href)) {
      if (parsed(answer)) return { kind: "found", url: at.href.slice(0, -healthPath.length) };
      const type = answer.headers.get("content-type")?.split(";")[0];
      const what = `${healthPath} answered ${shown(answer)}${type ? `, ${type}` : ""}`;
      return { kind: "none", says: `this is no edge: ${what}. Its health may be elsewhere: --health PATH` };
    }
    const target = new URL(location, at.href);
    const lessSafe = at.protocol === "https:" && target.protocol === "http:";
    if (target.hostname !== at.hostname || lessSafe || !target.pathname.endsWith(healthPath)) {
      const where = target.origin === at.origin ? target.pathname : target.origin;
      return {
        kind: "none",
        says: `${healthPath} sends on to ${where}: verify that address, if it is yours`,
      };
    }
    at = new URL(`${target.origin}${target.pathname}`);
  }
}

/** Redis answers the edge. */
export async function redisConnection(options: VerifyOptions): Promise<Outcome> {
  const answer = await ask(`${options.url}${options.healthPath}`);
  const health = parsed(answer);
  if (answer.status !== 200 || !health) return failed(`${options.healthPath} answered ${shown(answer)}`);
  if (!health.system.redis.available)
    return failed(`Redis is ${health.system.redis.status ?? "not mentioned"}`);
  return passed(JSON.stringify(health.services));
}
