/**
 * Every key this Worker has in Redis: name, type, lifetime and bound in one place (law 7). Callers and users appear as
 * 128-bit HMACs only, and each key has a TTL.
 *
 * | key | type | lifetime | bound |
 * |---|---|---|---|
 * | `{limits}:w:{policy}:{caller}:{window number}` | string, a counter | twice the window + 1 s | one per policy, caller and window |
 * | `{limits}:b:{policy}:{caller}` | hash, a token bucket | until it would be full again | one per policy and caller |
 * | `{limits}:l:{policy}:{caller}` | sorted set, exact log | the window + 1 s | `limit` members |
 * | `{limits}:v:{key hash}` | string: when an API key was accepted, for whom, and when it ended, see identity/key-status.ts | 5 min | one per key the origin has verified; 1000 per isolate of those it only refused |
 * | `{limits}:m:{minute}` | hash: what each isolate has counted, see metrics/stored.ts | 2 h once it is in the totals, 8 days before | 64 isolates of about 30 KB |
 * | `{limits}:h:{hour}` | string: all that was counted up to then | 8 days | 192 of about 80 KB |
 * | `{limits}:t` | hash: what isolates that are gone have counted, up to which minute, two hours by minute, and the minutes that wait for it | a year | 1 of about 80 KB, 2,000 fields |
 * | `{limits}:a` | sorted set: all that was counted at some moment, by time | 8 days | 14 of about 80 KB |
 * | `{limits}:f` | string: an isolate has taken the turn to add up | 55 s | 1 |
 * | `{sessions}:{session id}` | string, JSON: the record | idle lifetime | |
 * | `{sessions}:index:{user name}` | sorted set, id by creation | absolute lifetime of a session + 1 min | `SESSION_MAX_PER_USER` |
 * | `{sessions}:tombstone:{session id}` | string | longer than the token of the ended session lives | |
 * | `{sessions}:mark:{user name}` | string: which sessions of the user are over by their creation, see identity/session-marks.ts | a year + 1 min | one per user |
 * | `{sessions}:version` | string, a number: sessions of everyone up to then are over | a year + 1 min | 1 |
 * | `{sessions}:carried` | string: up to where Redis has the journal of D1, and when that was compared | a year + 1 min | 1 |
 * | `{cache}:r:{url hash}` | string: an answer that does not vary, or a marker | the answer; a withdrawal 1 h; 3 s where only a write is noted | |
 * | `{cache}:h:{url hash}` | hash, fields per variant, where answers vary | the longest variant in it | 32 variants |
 * | `{cache}:d:{url hash}` | string: the long body of an answer that does not vary | the answer | |
 * | `{cache}:s:{url hash}` | string: when the URL was invalidated | the longest of its entries; 3 s where none is stored | |
 * | `{cache}:u:{user hash}` | string, when all of a user's entries ended | 7 days | one per user whose data was deleted |
 * | `{cache}:changes` | sorted set, URLs that were written to or withdrawn, by time | 10 min | 2000 |
 * | `{cache}:purges` | sorted set, purges by time | the longest entry lifetime | 1002 |
 * | `{cache}:k:{name}` | string, JSON: a value of the key-value cache | as set | |
 *
 * A user's name in these keys is an HMAC under a key derived from `SESSION_SECRET`; a user has one name for each secret of
 * that list (identity/session-users.ts). What is written goes under the newest, and marks under all.
 *
 * The original service keeps sorted sets at `envoyou:ratelimit:{id}` and strings at `envoyou:cache:data`,
 * `envoyou:cache:timestamp` and `envoyou:cache:response:…`: no key here has such a name, so both may share a database.
 * Session records do share their name and type with the original on purpose: it can read them.
 */
export interface KeyPrefixes {
  cache: string;
  rateLimit: string;
  session: string;
}

export function createKeys({ cache, rateLimit, session }: KeyPrefixes) {
  return {
    /** What @upstash/ratelimit calls the identifier: it appends `:{window number}` itself. */
    windowCounter: (policy: string, caller: string) => `${rateLimit}:w:${policy}:${caller}`,
    tokenBucket: (policy: string, caller: string) => `${rateLimit}:b:${policy}:${caller}`,
    exactLog: (policy: string, caller: string) => `${rateLimit}:l:${policy}:${caller}`,
    keyStatus: (keyHash: string) => `${rateLimit}:v:${keyHash}`,
    metricMinute: (minute: number) => `${rateLimit}:m:${minute}`,
    metricHour: (hour: number) => `${rateLimit}:h:${hour}`,
    metricTotals: () => `${rateLimit}:t`,
    metricSnapshots: () => `${rateLimit}:a`,
    metricFold: () => `${rateLimit}:f`,
    session: (id: string) => `${session}:${id}`,
    sessionIndex: (userName: string) => `${session}:index:${userName}`,
    sessionTombstone: (id: string) => `${session}:tombstone:${id}`,
    sessionMark: (userName: string) => `${session}:mark:${userName}`,
    sessionVersion: () => `${session}:version`,
    sessionsCarried: () => `${session}:carried`,
    response: (urlHash: string) => `${cache}:r:${urlHash}`,
    variants: (urlHash: string) => `${cache}:h:${urlHash}`,
    longBody: (urlHash: string) => `${cache}:d:${urlHash}`,
    invalidatedAt: (urlHash: string) => `${cache}:s:${urlHash}`,
    userEnd: (userHash: string) => `${cache}:u:${userHash}`,
    changes: () => `${cache}:changes`,
    purges: () => `${cache}:purges`,
    value: (name: string) => `${cache}:k:${name}`,
  };
}

export type Keys = ReturnType<typeof createKeys>;
