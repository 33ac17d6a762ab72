import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** What the tests that run inside workerd share: the Worker's own compatibility settings, no bindings. */
const inWorkerd = () =>
  cloudflareTest({
    miniflare: { compatibilityDate: "2026-04-24", compatibilityFlags: ["nodejs_compat"] },
  });

export default defineConfig({
  test: {
    globalSetup: ["./test/setup/global.ts"],
    reporters: ["default", "./test/setup/summary-reporter.ts"],
    projects: [
      { extends: true, plugins: [inWorkerd()], test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      {
        extends: true,
        plugins: [inWorkerd()],
        test: { name: "contract", include: ["test/contract/**/*.test.ts"] },
      },
      {
        extends: true,
        test: {
          name: "node",
          include: ["test/{e2e,local,check}/**/*.test.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
