import { randomBytes } from "node:crypto";
import { type Answer, AskError, ask } from "../ask.ts";
import { type Finding, note, well, wrong } from "./report.ts";
import type { Settings } from "./settings.ts";

const HOW = 'let your API refuse what has another X-Edge-Token: docs/your-api.md, "Trusting the edge"';
const DEADLINE_MS = 5000;

/**
 * Whether the API answers, and whether it refuses who does not come through the edge: with ORIGIN_TOKEN, without, and with
 * another. Each is a GET of one path.
 *
 * @param path What is asked for, below the address's own path.
 */
export async function lookAtOrigin(
  { values, sources, boundOrigin }: Pick<Settings, "values" | "sources" | "boundOrigin">,
  path = "/",
  deadlineMs = DEADLINE_MS,
): Promise<Finding[]> {
  const { ORIGIN_URL: url, ORIGIN_TOKEN: token } = values;
  if (boundOrigin !== null) {
    return [note(`origin: the Worker ${boundOrigin} is bound as ORIGIN; it cannot be asked from here.`)];
  }
  if (!url) {
    return sources.has("ORIGIN_URL")
      ? [wrong("origin: not asked, because ORIGIN_URL is no address.")]
      : [
          wrong(
            "origin: ORIGIN_URL is not set: every request gets 503.",
            'ORIGIN_URL = "https://your.api" under [vars]',
          ),
        ];
  }
  const target = `${url.href.replace(/\/+$/, "")}${path.startsWith("/") ? path : `/${path}`}`;
  const where = `origin ${url.origin}`;
  const get = (value?: string) =>
    ask(target, { deadlineMs, headers: value === undefined ? {} : { "x-edge-token": value } });
  try {
    const [open, known, stranger] = await Promise.all([
      get(),
      token === null ? null : get(token),
      token === null ? null : get(randomBytes(24).toString("base64url")),
    ]);
    const answered = known ?? open;
    return [answers(where, url, answered), refuses(where, { open, known, stranger })];
  } catch (error) {
    if (!(error instanceof AskError)) throw error;
    return [
      wrong(
        `${where}: ${error.message}`,
        `start it, or set ORIGIN_URL to its address (now from ${sources.get("ORIGIN_URL")})`,
      ),
    ];
  }
}

function answers(where: string, url: URL, { status, headers }: Answer): Finding {
  if (status >= 500) return wrong(`${where} answers, with ${status}`, "look at your API's own log");
  const moved = status >= 300 && status < 400 ? movedTo(url, headers.get("location")) : null;
  if (moved !== null) {
    return wrong(`${where} sends every request on to ${moved}`, `ORIGIN_URL = "${moved}" under [vars]`);
  }
  return well(`${where} answers (${status})`);
}

/** Another host or scheme in `Location`, which clients of the edge would be sent to. */
function movedTo(url: URL, location: string | null): string | null {
  if (location === null || !URL.canParse(location, url.href)) return null;
  const target = new URL(location, url.href);
  return target.origin === url.origin || !target.protocol.startsWith("http") ? null : target.origin;
}

function refuses(
  where: string,
  { open, known, stranger }: { open: Answer; known: Answer | null; stranger: Answer | null },
): Finding {
  if (known === null || stranger === null) {
    return isRefusal(open)
      ? well(`${where} refuses requests without X-Edge-Token (${open.status})`)
      : wrong(
          `${where} answers ${open.status} to anybody, and there is no ORIGIN_TOKEN that it could ask for`,
          HOW,
        );
  }
  const same = open.status === known.status;
  if (isRefusal(known) && same) {
    return wrong(
      `${where} answers ${known.status} with ORIGIN_TOKEN too: it has another value there, or this path asks for a sign-in`,
      "give your API the same ORIGIN_TOKEN, or name a path that is open to the edge: --path /status",
    );
  }
  if (same || open.status < 400) {
    return wrong(`${where} answers ${open.status} without X-Edge-Token, as it does with it`, HOW);
  }
  if (open.status >= 500) {
    return wrong(`${where} answers ${open.status} without X-Edge-Token: a failure, not a refusal`, HOW);
  }
  if (stranger.status !== open.status && stranger.status < 400) {
    return wrong(`${where} takes any X-Edge-Token: it answers ${stranger.status} to a made-up one`, HOW);
  }
  return well(`${where} refuses requests without X-Edge-Token (${open.status})`);
}

function isRefusal({ status }: Answer): boolean {
  return status === 401 || status === 403;
}
