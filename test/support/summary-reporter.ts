import type { Reporter, TestModule, TestRunEndReason } from "vitest/node";

/** Ends the run with one line: the counts, and whether they were counted on the embedded Redis. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[], reason: TestRunEndReason): void {
    const counts = { passed: 0, failed: errors.length, skipped: 0 };
    for (const module of modules) {
      let failures = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        // A test that a failed hook or an interruption kept from running was skipped too.
        counts[state === "pending" ? "skipped" : state] += 1;
        if (state === "failed") failures += 1;
      }
      // A file that does not load, or a hook that throws, fails the run without failing a test.
      if (failures === 0 && module.state() === "failed") counts.failed += 1;
    }
    // A global setup that throws is in neither list, and no test ran.
    if (counts.failed === 0 && reason === "failed") counts.failed = 1;
    const embedded = process.env.TEST_REDIS_KIND === "embedded";
    const where = embedded ? " (on the embedded Redis, no redis-server found)" : "";
    process.stdout.write(
      `\nTests: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped${where}\n`,
    );
  }
}
