import { createServer, type Server } from "node:net";
import { afterEach, expect, it } from "vitest";
import { freePort, isPortTaken, onFreePort } from "../../../src/tools/ports.ts";

const servers: Server[] = [];
const listen = (host: string, port: number) => {
  const server = createServer();
  servers.push(server);
  return new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
};
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

it.each(["127.0.0.1", "0.0.0.0", "::", "::1"])("a program at %s has the port", async (host) => {
  const port = await freePort();
  expect(await isPortTaken(port)).toBe(false);
  await listen(host, port);
  expect(await isPortTaken(port)).toBe(true);
});

it("a free port is none that connections get, and another where one is taken", async () => {
  const rolled = [0, 0, 0.5, 0.999_999];
  const roll = () => rolled.shift() ?? 0.25;
  const first = await freePort(roll);
  await listen("127.0.0.1", first);
  const others = [await freePort(roll), await freePort(roll)];
  expect(new Set([first, ...others]).size).toBe(3);
  for (const port of [first, ...others]) {
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(32_000);
  }
});

it("a port is free again after its program", async () => {
  const port = await freePort();
  await listen("127.0.0.1", port);
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  expect(await isPortTaken(port)).toBe(false);
});

it("one port is given to nobody else, though it is free for a while", async () => {
  const ports = [await freePort(() => 0.125)];
  let rolls = 0;
  const roll = () => {
    rolls += 1;
    return rolls < 5 ? 0.125 : 0.375;
  };
  ports.push(await freePort(roll));
  expect(new Set(ports).size).toBe(2);
  expect(rolls).toBe(5);
});

it.each([0, 1, 2])("what does not start on a port is tried on another: %i times", async (failures) => {
  const ports: number[] = [];
  const started = await onFreePort(async (port) => {
    ports.push(port);
    if (ports.length <= failures) throw new Error("EADDRINUSE");
    return `on ${port}`;
  });
  expect(started).toBe(`on ${ports.at(-1)}`);
  expect(new Set(ports).size).toBe(failures + 1);
});

it("what starts on no port fails as it does", async () => {
  let tries = 0;
  const starting = onFreePort(async () => {
    tries += 1;
    throw new Error("no program");
  });
  await expect(starting).rejects.toThrow("no program");
  expect(tries).toBe(3);
});
