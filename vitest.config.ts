import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** What the tests that run inside workerd share: the Worker's own compatibility settings, no bindings. */
const inWorkerd = () =>
  cloudflareTest({
    miniflare: { compatibilityDate: "2026-04-24", compatibilityFlags: ["nodejs_compat"] },
  });

export default defineConfig({
  test: {
    globalSetup: ["./test/support/global-setup.ts"],
    reporters: ["default", "./test/support/summary-reporter.ts"],
    projects: [
      {
        extends: true,
        plugins: [inWorkerd()],
        test: { name: "unit", include: ["test/unit/**/*.test.ts"], exclude: ["test/unit/tools/**"] },
      },
      {
        extends: true,
        plugins: [inWorkerd()],
        test: { name: "contract", include: ["test/contract/**/*.test.ts"] },
      },
      {
        extends: true,
        test: {
          name: "node",
          include: ["test/e2e/**/*.test.ts", "test/unit/tools/**/*.test.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "docs",
          include: ["test/docs/**/*.test.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
