import { describe, expect, it } from "vitest";
import { NONCE_BYTES } from "../../../src/identity/sealed-text.ts";
import { luaSessionOutcome, sessionArguments, sessionKeys } from "../../../src/identity/session-outcome.ts";
import type { SessionClaims } from "../../../src/identity/session-token.ts";
import { signToken } from "../../../src/identity/session-token.ts";
import { recordOf } from "../../../src/session/claims.ts";
import type { SessionRecord } from "../../../src/session/record.ts";
import { isoTime } from "../../../src/session/record.ts";
import { defineScript } from "../../../src/store/script.ts";
import { openSessions, SECRET } from "../../support/sessions.ts";

const ID = "session-of-ada-0000000";
const outcomeScript = defineScript(`${luaSessionOutcome}\nreturn (session_outcome(1))`);

interface Stored {
  record?: Partial<SessionRecord> | string;
  tombstone?: true;
  /** Milliseconds after the session was issued, and the id that the mark excepts. */
  mark?: readonly [offset: number, except: string] | string;
  /** Milliseconds after the session was issued, or the text itself. */
  version?: number | string;
}

/** What validate says and what the charge script says of one session, each asked with the same keys in Redis. */
async function outcomesOf(stored: Stored, claimed: Partial<SessionClaims> = {}) {
  const { platform, store, keys, sessionUser, present } = openSessions();
  const issuedAt = platform.now() - 60_000;
  const claims: SessionClaims = {
    id: ID,
    userId: "ada",
    tier: null,
    issuedAt,
    expiresAt: issuedAt + 3_600_000,
    confirmedAt: issuedAt,
    offline: false,
    userData: null,
    syncToken: null,
    ...claimed,
  };
  const user = await sessionUser("ada");
  const put = (key: string, text: string) => store.redis().set(key, text, { px: 600_000 });
  const { record, tombstone, mark, version } = stored;
  if (record !== undefined) {
    const text =
      typeof record === "string" ? record : JSON.stringify({ ...recordOf(claims).record, ...record });
    await put(keys.session(ID), text);
  }
  if (tombstone) await put(keys.sessionTombstone(ID), "1");
  if (mark !== undefined) {
    await put(
      keys.sessionMark(user[0]),
      typeof mark === "string" ? mark : `${issuedAt + mark[0]} ${mark[1]}`,
    );
  }
  if (version !== undefined)
    await put(keys.sessionVersion(), typeof version === "string" ? version : String(issuedAt + version));

  const batch = store.batch();
  const asked = { claims, user };
  const outcome = batch.run(outcomeScript, sessionKeys(keys, asked), sessionArguments(asked));
  await batch.send();
  const verdict = await present(await signToken(claims, SECRET, new Uint8Array(NONCE_BYTES)));
  return {
    script: (await outcome) === 1 ? "alive" : "over",
    validate: verdict.kind === "active" ? "alive" : verdict.kind,
  };
}

const ENDS: readonly (readonly [what: string, stored: Stored, ends: boolean])[] = [
  ["nothing that ends it", {}, false],
  ["a tombstone", { tombstone: true }, true],
  ["a mark from before its creation", { mark: [-1, ""] }, false],
  ["a mark from the moment of its creation", { mark: [0, ""] }, true],
  ["a mark from after its creation", { mark: [1, ""] }, true],
  ["a mark that excepts it", { mark: [1, ID] }, false],
  ["a mark that excepts another session", { mark: [1, "another-session"] }, true],
  ["a mark that excepts it, and a tombstone", { mark: [1, ID], tombstone: true }, true],
  ["a mark without a number", { mark: "x " }, false],
  ["an empty mark", { mark: "" }, false],
  ["a version from before its creation", { version: -1 }, false],
  ["a version from the moment of its creation", { version: 0 }, true],
  ["a version from after its creation", { version: 1 }, true],
  ["a version that is not a number", { version: "x" }, false],
  ["a mark that excepts it, and a version from after its creation", { mark: [1, ID], version: 1 }, true],
];

describe.each([
  { text: "with a record", record: {}, offline: false },
  { text: "without a record", record: undefined, offline: false },
  { text: "with a record, created in an outage", record: {}, offline: true },
  { text: "without a record, created in an outage", record: undefined, offline: true },
])("validate and the charge script agree on a session $text", ({ record, offline }) => {
  it.each(ENDS)("and %s", async (_, stored, ends) => {
    const expected = !ends && (record !== undefined || offline) ? "alive" : "over";
    const outcomes = await outcomesOf({ ...stored, ...(record && { record }) }, { offline });
    expect(outcomes).toEqual({ script: expected, validate: expected });
  });
});

describe("only validate reads the record, so only validate ends a session", () => {
  it.each<[string, Stored["record"]]>([
    ["that is idle for too long", { last_active: isoTime(0) }],
    ["whose record names another user", { user_id: "bob" }],
    ["whose record is not JSON", "{"],
  ])("%s", async (_, record) => {
    expect(await outcomesOf({ ...(record !== undefined && { record }) })).toEqual({
      script: "alive",
      validate: "over",
    });
  });
});
