import { describe, expect, it } from "vitest";
import {
  helpText,
  OptionError,
  readStartOptions,
  startOptions,
} from "../../../../src/tools/start/options.ts";

describe("readStartOptions", () => {
  it.each([
    { args: [], read: { port: 8787, store: true, database: false, page: true, verbose: false, help: false } },
    { args: ["--origin", "http://localhost:4000"], read: { origin: "http://localhost:4000" } },
    {
      args: ["--origin=http://localhost:4000/v1?x=--port"],
      read: { origin: "http://localhost:4000/v1?x=--port" },
    },
    { args: ["--port", "0"], read: { port: 0 } },
    { args: ["--port=65535", "--page-port", "1"], read: { port: 65_535, pagePort: 1 } },
    { args: ["--port", "1", "--port", "2"], read: { port: 2 } },
    { args: ["--no-store", "--no-page", "--verbose"], read: { store: false, page: false, verbose: true } },
    { args: ["--database"], read: { database: true, store: true } },
    { args: ["-h"], read: { help: true } },
    { args: ["--env", "staging"], read: { env: "staging" } },
    {
      args: ["--origin-port", "4001", "--upstash-port", "8079"],
      read: { originPort: 4001, upstashPort: 8079 },
    },
  ])("reads $args", ({ args, read }) => {
    expect(readStartOptions(args)).toMatchObject(read);
  });

  it.each([
    { args: ["--orgin", "http://x"], says: /Unknown option --orgin\. Did you mean --origin\?/ },
    { args: ["--orgin=http://x"], says: /Unknown option --orgin\. Did you mean --origin\?/ },
    { args: ["--prot", "1"], says: /Did you mean --port\?/ },
    { args: ["--verbos"], says: /Did you mean --verbose\?/ },
    { args: ["--datbase"], says: /Did you mean --database\?/ },
    { args: ["--database", "sessions"], says: /Unexpected argument sessions/ },
    { args: ["--colour"], says: /^Unknown option --colour\. npm start/ },
    { args: ["-x"], says: /Unknown option -x/ },
    { args: ["--constructor"], says: /Unknown option --constructor/ },
    { args: ["--store"], says: /Unknown option --store/ },
    { args: ["http://localhost:4000"], says: /npm start -- --origin/ },
    { args: ["--", "--origin"], says: /Unexpected argument --origin/ },
    { args: ["--port"], says: /--port needs a value: --port N/ },
    { args: ["--port", "eighty"], says: /--port is a number from 0 to 65535, not eighty/ },
    { args: ["--port", "65536"], says: /not 65536/ },
    { args: ["--port=-1"], says: /not -1/ },
    { args: ["--port", "0x50"], says: /not 0x50/ },
    { args: ["--origin", "--verbose"], says: /--origin needs a value: --origin URL/ },
    { args: ["--origin="], says: /--origin needs a value/ },
    { args: ["--no-store=yes"], says: /--no-store takes no value, not yes/ },
  ])("refuses $args", ({ args, says }) => {
    expect(() => readStartOptions(args)).toThrow(OptionError);
    expect(() => readStartOptions(args)).toThrow(says);
  });
});

it("the help lists every option", () => {
  for (const name of Object.keys(startOptions)) expect(helpText()).toContain(`--${name}`);
});
