import { expect, it } from "vitest";
import { warningsOf } from "../../../../src/tools/check/wrangler-warnings.ts";

const OUTPUT = `
 ⛅️ wrangler 4.156.2
────────────────────
▲ [WARNING] Processing wrangler.toml configuration:

    - Unexpected fields found in top-level field: "rotues"


▲ [WARNING] Multiple environments are defined in the Wrangler configuration file, but no target environment was specified for the deploy command.

  To avoid unintentional changes, it is recommended to specify one.

Total Upload: 442.71 KiB / gzip: 145.63 KiB
--dry-run: exiting now.
`;

it("takes each warning out of wrangler's output, as a line", () => {
  expect(warningsOf(OUTPUT)).toEqual([
    'Processing wrangler.toml configuration: - Unexpected fields found in top-level field: "rotues"',
  ]);
  expect(warningsOf("Total Upload: 1 KiB\n")).toEqual([]);
});
