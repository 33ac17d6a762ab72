import { signInOf } from "./session-id.ts";

/**
 * Which sessions of a user are over: those created up to `until`, but for the excepted one, which is over where it was
 * created up to `exceptedUntil`. Times are ms since the epoch.
 *
 * A mark is the sum of all endings of a user's sessions. Adding one is commutative and idempotent, so an ending may be
 * written late, twice, or after a newer one, and nothing that any of them ended comes back.
 */
export interface Mark {
  until: number;
  /** A session's sign-in, or one id; null: none. */
  except: string | null;
  exceptedUntil: number;
}

export const NO_MARK: Mark = { until: 0, except: null, exceptedUntil: 0 };

/** The mark that also ends every session created up to `at`, but for those of `except`. */
export function withEnding(mark: Mark, at: number, except: string | null): Mark {
  if (except === mark.except) return { ...mark, until: Math.max(mark.until, at) };
  // The excepted session of the earlier of two endings is over by the later one, and the other way round.
  if (at > mark.until) return { until: at, except, exceptedUntil: mark.until };
  return { ...mark, exceptedUntil: Math.max(mark.exceptedUntil, at) };
}

/** The endings that make up a mark, each with the id that it excepts. */
export function endingsOf({ until, except, exceptedUntil }: Mark): [at: number, except: string | null][] {
  return except === null || exceptedUntil === 0
    ? [[until, except]]
    : [
        [until, except],
        [exceptedUntil, null],
      ];
}

/** Sessions with this id that were created up to this time are over; 0: none is. */
export function markedAt({ until, except, exceptedUntil }: Mark, id: string): number {
  return except !== null && (except === id || except === signInOf(id)) ? exceptedUntil : until;
}

/** A stored mark: `"<until> <except> <excepted until>"`. What cannot be read ends nothing. */
export function parseMark(text: string | null): Mark {
  const [, until, except, exceptedUntil] = /^(\d+) ?([^ ]*) ?(\d*)/.exec(text ?? "") ?? [];
  return { until: Number(until ?? 0), except: except || null, exceptedUntil: Number(exceptedUntil ?? 0) };
}

/**
 * The same rules in Lua: `mark_of(text)`, `marked_at(text, id)` and `with_ending(text, at, except)`, which returns a text.
 * `test/contract/identity/session-marks.test.ts` compares them with the functions above.
 */
export const luaMarks = `
local function sign_in_of(id) return string.match(id, "^[^~]*") end
local function mark_of(text)
  local ends, except, spared = string.match(text or "", "^(%d+) ?([^ ]*) ?(%d*)")
  return tonumber(ends) or 0, except or "", tonumber(spared) or 0
end
local function marked_at(text, id)
  local ends, except, spared = mark_of(text)
  if except ~= "" and (except == id or except == sign_in_of(id)) then return spared end
  return ends
end
local function with_ending(text, at, excepted)
  local ends, except, spared = mark_of(text)
  if excepted == except then ends = math.max(ends, at)
  elseif at > ends then ends, except, spared = at, excepted, ends
  else spared = math.max(spared, at) end
  return string.format("%.0f %s %.0f", ends, except, spared)
end`;
