import { afterEach, describe, expect, it, vi } from "vitest";
import {
  addressRange,
  comparableGroups,
  networksOf,
  normaliseAddress,
  rangeLookup,
} from "../../../src/runtime/ip-address.ts";

afterEach(() => vi.restoreAllMocks());

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

describe("a network of another size counts as one caller", () => {
  it.each([
    ["2001:db8:7:42ff::1", 64, "2001:db8:7:42ff::/64"],
    ["2001:db8:7:42ff::1", 63, "2001:db8:7:42fe::/63"],
    ["2001:db8:7:42ff::1", 60, "2001:db8:7:42f0::/60"],
    ["2001:db8:7:42ff::1", 56, "2001:db8:7:4200::/56"],
    ["2001:db8:7:42ff::1", 52, "2001:db8:7:4000::/52"],
    ["2001:db8:7:42ff::1", 49, "2001:db8:7:0::/49"],
    ["2001:db8:7:ffff::1", 49, "2001:db8:7:8000::/49"],
    ["2001:db8:7:42ff::1", 48, "2001:db8:7::/48"],
    ["::ffff:203.0.113.7", 56, "203.0.113.7"],
    ["203.0.113.7", 48, "203.0.113.7"],
    ["nothing", 56, null],
  ])("%s by /%d is %s", (written, prefix, counted) => {
    expect(normaliseAddress(written, prefix)).toBe(counted);
  });

  it.each([
    ["203.0.113.7", ["203.0.113", "203.0"]],
    ["2001:db8:7:4200::/56", ["2001:db8:7", "2001:db8"]],
    ["2001:db8:7::/48", ["2001:db8:7", "2001:db8"]],
    ["unknown", ["unknown", "unknown"]],
  ])("%s lies in %j", (address, networks) => {
    expect(networksOf(address)).toEqual(networks);
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
    ["::ffff:192.0.2.7", 128],
    ["::ffff:192.0.2.0/120", 120],
    ["::ffff:192.0.2.0/95", null],
    ["::ffff:192.0.2.0/129", null],
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

describe("an address in a list of ranges", () => {
  const isIn = (address: string, ...ranges: string[]): boolean => {
    const groups = comparableGroups(address);
    if (!groups) throw new Error(`${address} is no address`);
    return rangeLookup(ranges.flatMap((range) => addressRange(range) ?? []))(groups);
  };
  const cases: [address: string, ranges: string[], isIn: boolean][] = [
    ["192.0.2.7", ["192.0.2.7"], true],
    ["192.0.2.8", ["192.0.2.7"], false],
    ["192.0.2.255", ["192.0.2.0/24"], true],
    ["192.0.3.0", ["192.0.2.0/24"], false],
    ["192.0.3.0", ["192.0.2.0/23"], true],
    ["192.0.2.129", ["192.0.2.128/25"], true],
    ["192.0.2.127", ["192.0.2.128/25"], false],
    ["8.8.8.8", ["0.0.0.0/0"], true],
    ["2001:db8::1", ["0.0.0.0/0"], false],
    ["8.8.8.8", ["::/0"], false],
    ["2001:db8::1", ["::/0"], true],
    ["2001:db8:1:2::9", ["2001:db8:1:2::1"], true],
    ["2001:db8:1:3::9", ["2001:db8:1:2::1"], false],
    ["2001:db8:7fff::1", ["2001:db8::/33"], true],
    ["2001:db8:8000::1", ["2001:db8::/33"], false],
    ["::ffff:192.0.2.7", ["192.0.2.0/24"], true],
    // Bits behind the prefix do not count.
    ["192.0.2.1", ["192.0.2.77/24"], true],
    ["10.1.2.3", ["192.0.2.0/24", "2001:db8::/32", "10.0.0.0/8"], true],
    ["1.2.3.4", [], false],
  ];
  it.each(cases)("%s in %j: %s", (address, ranges, expected) => {
    expect(isIn(address, ...ranges)).toBe(expected);
  });

  it("is found in as many steps among ten thousand as among ten", () => {
    const steps = (count: number) => {
      const ranges = Array.from({ length: count }, (_, n) => `10.${n >> 8}.${n & 255}.0/24`);
      const isInOne = rangeLookup(ranges.flatMap((range) => addressRange(range) ?? []));
      const looks = vi.spyOn(Set.prototype, "has");
      isInOne(comparableGroups("192.0.2.7") ?? []);
      const made = looks.mock.calls.length;
      looks.mockRestore();
      return made;
    };
    expect(steps(10)).toBe(1);
    expect(steps(10_000)).toBe(1);
  });
});
