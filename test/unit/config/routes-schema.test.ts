import { expect, expectTypeOf, it } from "vitest";
import type * as z from "zod/mini";
import type { CacheRuleInput, InvalidatesInput, RouteInput } from "../../../src/config/route-input.ts";
import { cacheSchema, invalidatesSchema, routeSchema } from "../../../src/config/routes-schema.ts";

it("an interface of route-input.ts is what its schema accepts, no more and no less", () => {
  expectTypeOf<z.infer<typeof routeSchema>>().toEqualTypeOf<RouteInput>();
  expectTypeOf<z.infer<typeof cacheSchema>>().toEqualTypeOf<CacheRuleInput>();
  expectTypeOf<z.infer<typeof invalidatesSchema>>().toEqualTypeOf<InvalidatesInput>();
  expectTypeOf<z.input<typeof routeSchema>>().toEqualTypeOf<RouteInput>();
  expectTypeOf<keyof typeof routeSchema.shape>().toEqualTypeOf<keyof RouteInput>();
  expectTypeOf<keyof typeof cacheSchema.shape>().toEqualTypeOf<keyof CacheRuleInput>();
  expectTypeOf<keyof typeof invalidatesSchema.shape>().toEqualTypeOf<keyof InvalidatesInput>();
  // A key that is added to one of them, or made optional, or whose value gets another type, is an error of the compiler:
  expectTypeOf<z.infer<typeof routeSchema>>().not.toEqualTypeOf<RouteInput & { more?: string }>();
  expectTypeOf<z.infer<typeof routeSchema>>().not.toEqualTypeOf<
    Omit<RouteInput, "path"> & { path?: string }
  >();
  expectTypeOf<z.infer<typeof cacheSchema>>().not.toEqualTypeOf<
    Omit<CacheRuleInput, "ttl"> & { ttl?: string }
  >();
  expect(Object.keys(routeSchema.shape)).toContain("path");
  expect([cacheSchema, invalidatesSchema].every(({ shape }) => "tags" in shape)).toBe(true);
});
