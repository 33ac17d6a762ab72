import { describe, expect, it } from "vitest";
import { addressRange, normaliseAddress } from "../../../src/runtime/ip-address.ts";

describe("an address is counted as one caller", () => {
  const cases: [written: string, counted: string | null][] = [
    ["203.0.113.7", "203.0.113.7"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["::ffff:cb00:7107", "203.0.113.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2:ffff::9", "2001:db8:1:2::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["256.1.1.1", null],
    ["1.2.3", null],
    ["01.2.3.4", null],
    ["1:2:3:4:5:6:7", null],
    ["1::2::3", null],
    ["12345::", null],
    ["not an address", null],
    ["", null],
  ];
  it.each(cases)("%s is %s", (written, counted) => {
    expect(normaliseAddress(written)).toBe(counted);
  });
});

describe("a range of addresses", () => {
  const cases: [written: string, bits: number | null][] = [
    ["192.0.2.7", 128],
    ["192.0.2.0/24", 120],
    ["0.0.0.0/0", 96],
    ["2001:db8::/32", 32],
    ["2001:db8::1", 64],
    ["2001:db8::/65", null],
    ["192.0.2.0/33", null],
    ["192.0.2.0/", null],
    ["192.0.2.0/24/1", null],
    ["192.0.2.0/-1", null],
    ["office.example.com", null],
    ["", null],
  ];
  it.each(cases)("%s has %s bits of an IPv6 address", (written, bits) => {
    expect(addressRange(written)?.bits ?? null).toBe(bits);
  });
});
