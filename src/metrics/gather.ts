import type { Meter, MeteredWindow } from "../events/meter.ts";
import type { EventName } from "../events/table.ts";
import { type Counts, count, observe } from "./counts.ts";
import {
  cacheAnswers,
  LIMIT_COLUMNS,
  limitChecks,
  originAnswers,
  requests,
  savedBytes,
  sessionChanges,
  sessionRefusals,
  storeCalls,
  storeCommands,
  storeLosses,
  verdicts,
} from "./families.ts";

/** A request within a limit is near it once more than this part is used: the same as Envoy's. */
const NEAR = 0.8;

type Fields = Readonly<Record<string, unknown>>;

/** The events that are counted. */
const BY_EVENT: { readonly [Name in EventName]?: (counts: Counts, fields: Fields) => void } = {
  request(counts, { route, method, status, verdict, total_ms: ms }) {
    const name = String(route);
    observe(counts.at(requests, name, String(method), String(status)), requests, Number(ms));
    count(counts.at(verdicts, name, String(verdict)));
  },
  "cors.preflight"(counts, { status }) {
    observe(counts.at(requests, "*", "OPTIONS", String(status)), requests, 0);
  },
  "session.created": changed("created"),
  "session.rotated": changed("rotated"),
  "session.revoked": changed("ended"),
  "session.revoked_all": changed("ended_user"),
  "session.revoked_everyone": changed("ended_everyone"),
  "session.refused": (counts, { route, reason }) =>
    count(counts.at(sessionRefusals, String(route), String(reason))),
  "store.lost": (counts, { reason }) => count(counts.at(storeLosses, String(reason))),
};

function changed(change: string) {
  return (counts: Counts) => count(counts.at(sessionChanges, change));
}

/** Counts into `counts`. */
export function createMeter(counts: Counts): Meter {
  return {
    event: (name, fields) => BY_EVENT[name]?.(counts, fields),
    limits(route, windows, source) {
      let denied: string | null = null;
      for (const window of windows) {
        const numbers = counts.at(limitChecks, route, window.policy.name, source);
        count(numbers, LIMIT_COLUMNS.total);
        count(numbers, outcomeOf(window));
        if (isNear(window)) count(numbers, LIMIT_COLUMNS.near);
        if (window.short && window.enforced) denied = window.caller;
      }
      if (denied !== null) counts.denied.add(denied);
    },
    origin(route, result, ms) {
      const isStatus = typeof result === "number";
      const failed = !isStatus || result >= 500;
      const status = isStatus ? String(result) : "";
      observe(counts.at(originAnswers, route, status, failed ? String(result) : ""), originAnswers, ms);
    },
    cache(route, word, reason, bytes) {
      count(counts.at(cacheAnswers, route, word, reason));
      if (bytes > 0) count(counts.at(savedBytes, route), 0, bytes);
    },
    store(commands, ms, failure) {
      observe(counts.at(storeCalls, failure), storeCalls, ms);
      count(counts.at(storeCommands, failure), 0, commands);
    },
  };
}

function outcomeOf({ short, enforced }: MeteredWindow): number {
  if (!short) return LIMIT_COLUMNS.within;
  return enforced ? LIMIT_COLUMNS.over : LIMIT_COLUMNS.shadow;
}

function isNear({ short, remaining, policy: { limit } }: MeteredWindow): boolean {
  return !short && limit - remaining > Math.floor(limit * NEAR);
}
