import type { Reporter, TestModule } from "vitest/node";

/** Ends the run with one line: the counts, and whether they were counted on a real Redis. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = { passed: 0, failed: errors.length, skipped: 0 };
    for (const module of modules) {
      if (module.state() === "failed" && [...module.children.allTests()].length === 0) counts.failed += 1;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed" || state === "failed" || state === "skipped") counts[state] += 1;
      }
    }
    const embedded = process.env.TEST_REDIS_KIND === "embedded";
    const where = embedded ? " (on the embedded Redis: no redis-server was found)" : "";
    process.stdout.write(
      `\nTests: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped${where}\n`,
    );
  }
}
