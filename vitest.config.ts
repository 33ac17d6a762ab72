import { availableParallelism } from "node:os";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** One database for each test file that needs one: `freshDatabase(name)` in test/support/database.ts. */
const d1Databases = [
  "DB_STORE",
  "DB_SESSIONS",
  "DB_COPY",
  "DB_BY_ID",
  "DB_OTHER",
  "DB_OTHER_MAXIMUM",
  "DB_EDITED",
  "DB_CARRY",
  "DB_LOST",
  "DB_ROTATION",
  "DB_QUERIES",
  "DB_EDGE",
  "DB_MODEL",
];

/** What the tests that run inside workerd share: the Worker's own compatibility settings, and databases. */
const inWorkerd = () =>
  cloudflareTest({
    miniflare: {
      compatibilityDate: "2026-04-24",
      compatibilityFlags: ["nodejs_compat", "no_nodejs_global_timers"],
      d1Databases,
    },
  });

/**
 * Files share a process and its modules: to start one, and to import or build the Worker anew for each of some 150 files,
 * takes longer than the tests. So a test leaves nothing behind at module scope, as a request must not (law 4).
 */
const sharedModules = { isolate: false };

/** In Node: the engine in workerd has short cuts for some of the patterns that others, and browsers, are slow with. */
const PATTERNS = "test/unit/architecture/patterns.test.ts";
/** In Node: nothing in workerd tells how much memory is held. */
const MEMORY = "test/unit/architecture/memory.test.ts";

/** Each far longer than any takes on a busy machine: a bound on what hangs, not on what is slow. */
const longEnough = { testTimeout: 120_000, hookTimeout: 180_000 };

/**
 * With the docs, because they take minutes: `npm start`, their first command, is started some twenty times, each operation of the
 * OpenAPI document gets 200 inputs, and axe looks at the console some twenty times.
 */
const WITH_THE_DOCS = [
  "test/e2e/start.test.ts",
  "test/e2e/start-database.test.ts",
  "test/e2e/openapi-fuzz.test.ts",
  "test/e2e/console.test.ts",
  "test/e2e/console-answers.test.ts",
  "test/e2e/console-clock.test.ts",
  "test/unit/tools/start/supervise.test.ts",
];

export default defineConfig({
  test: {
    // One less than the cores, as is the default, would be one file after the other on two cores: most of them wait.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // What is waited for takes as long as a busy machine needs: a test fails by what it sees, not by when.
    expect: { poll: { timeout: 50_000 } },
    teardownTimeout: 60_000,
    globalSetup: ["./test/support/global-setup.ts"],
    reporters: ["default", "./test/support/summary-reporter.ts"],
    projects: [
      {
        extends: true,
        plugins: [inWorkerd()],
        test: {
          ...sharedModules,
          ...longEnough,
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          exclude: ["test/unit/tools/**", PATTERNS, MEMORY],
        },
      },
      {
        extends: true,
        plugins: [inWorkerd()],
        test: {
          ...sharedModules,
          ...longEnough,
          name: "contract",
          setupFiles: ["./test/support/edge/forget-calls.ts", "./test/support/edge/hour-clock.ts"],
          include: ["test/contract/**/*.test.ts"],
        },
      },
      {
        extends: true,
        test: {
          ...sharedModules,
          name: "node",
          include: ["test/e2e/**/*.test.ts", "test/unit/tools/**/*.test.ts", PATTERNS, MEMORY],
          exclude: WITH_THE_DOCS,
          ...longEnough,
        },
      },
      {
        extends: true,
        test: {
          name: "docs",
          include: ["test/docs/**/*.test.ts", ...WITH_THE_DOCS],
          ...longEnough,
        },
      },
    ],
  },
});
