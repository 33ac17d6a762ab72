import { describe, expect, it } from "vitest";
import { Admission } from "../../../src/response-cache/admission.ts";
import { bodyOf } from "../../../src/response-cache/body.ts";
import type { Entry } from "../../../src/response-cache/entry.ts";
import { testPlatform } from "../../support/platform.ts";

const MINUTE = 60_000;

function opened() {
  const platform = testPlatform();
  const admission = new Admission(platform);
  const address = (name: string) => ({ key: name, sharedKey: name, urlHash: name, url: name }) as never;
  const entry = (size = 100, over: Partial<Entry> = {}): Entry => ({
    variant: "",
    id: "id",
    meta: { status: 200, headers: [], requestTime: 0, responseTime: 0, vary: [], credentials: false },
    shareable: false,
    tags: [],
    keepUntil: platform.now() + 60 * MINUTE,
    body: bodyOf(new Uint8Array(size)),
    ...over,
  });
  const fill = (count: number, size?: number) => {
    let admitted = 0;
    for (let n = 0; n < count; n += 1) if (admission.admits(address(`f${n}`), entry(size))) admitted += 1;
    return admitted;
  };
  return { platform, admission, address, entry, fill };
}

describe("entries that were asked for once", () => {
  it.each([
    ["of 100 bytes", 100, 1000],
    ["of 3000 bytes", 3000, 1000],
    ["of 100 kB", 100_000, 44],
    ["of a megabyte", 1_000_000, 4],
    ["longer than all may be", 7_000_000, 0],
  ])(
    "%s: of twenty thousand a bounded number is written",
    (_, size, most) => {
      const { fill } = opened();
      const admitted = fill(size > 10_000 ? 200 : 20_000, size);
      expect(admitted).toBeLessThanOrEqual(most);
      expect(admitted).toBeGreaterThanOrEqual(Math.floor(most * 0.9));
    },
    60_000,
  );

  it("are written on the second request, whether it brings them anew or finds them", () => {
    const { admission, address, entry, fill } = opened();
    fill(1000);
    expect(admission.admits(address("a"), entry())).toBe(false);
    expect(admission.admits(address("a"), entry()), "brought anew").toBe(true);
    expect(admission.admits(address("b"), entry())).toBe(false);
    expect(admission.askedAgain(address("b"), entry()), "found").toBe(true);
    expect(admission.askedAgain(address("b"), entry()), "once").toBe(false);
  });

  it("wait ten minutes for it", () => {
    const { platform, admission, address, entry, fill } = opened();
    fill(1000);
    admission.admits(address("a"), entry());
    platform.advance(11 * MINUTE);
    expect(admission.askedAgain(address("a"), entry())).toBe(false);
    expect(admission.admits(address("a"), entry())).toBe(false);
  });

  it("count until they expire, or are asked for again", () => {
    const { platform, admission, address, entry, fill } = opened();
    fill(1000);
    expect(admission.askedAgain(address("f7"), entry()), "it is written").toBe(false);
    expect(admission.admits(address("a"), entry())).toBe(true);
    expect(admission.admits(address("b"), entry())).toBe(false);
    platform.advance(61 * MINUTE);
    expect(admission.admits(address("c"), entry())).toBe(true);
  });

  it("are counted by variant", () => {
    const { admission, address, entry, fill } = opened();
    fill(999);
    expect(admission.admits(address("a"), entry(100, { variant: "en" }))).toBe(true);
    expect(admission.admits(address("a"), entry(100, { variant: "fr" }))).toBe(false);
    expect(admission.admits(address("a"), entry(100, { variant: "en" }))).toBe(true);
  });
});
