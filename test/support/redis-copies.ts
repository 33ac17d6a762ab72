import { inject } from "vitest";

/** Replaces the keys with one prefix by copies of those with another, as a Redis does that comes back with a snapshot. */
export async function copyKeys(from: string, to: string): Promise<void> {
  const script = `
for _, key in ipairs(redis.call('KEYS', ARGV[2] .. ':*')) do redis.call('DEL', key) end
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. ':*')) do
  redis.call('COPY', key, ARGV[2] .. string.sub(key, #ARGV[1] + 1))
end
return 1`;
  const response = await fetch(inject("ownerUrl"), {
    method: "POST",
    headers: { authorization: `Bearer ${inject("ownerToken")}` },
    body: JSON.stringify(["EVAL", script, 0, from, to]),
  });
  if (!response.ok) throw new Error(`Redis: ${await response.text()}`);
}
