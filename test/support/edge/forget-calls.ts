import { afterAll } from "vitest";
import { forgetCalls } from "../../../src/edge/middleware-scope.ts";

/** What a process remembers of the calls that made middlewares is bounded, and test files share a process: each begins anew. */
afterAll(forgetCalls);
