/** Sleeps until the next alarm is due, and says so. Atomics.wait is exact to some hundredths of a millisecond, and takes no processor. */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { Alarm, Bell } from "./delay.ts";

if (!parentPort) throw new Error("This is a thread of the bench");
const port = parentPort;
const bell = workerData as Bell;
let alarms: Alarm[] = [];

for (;;) {
  const rung = Atomics.load(bell, 0);
  for (let told = receiveMessageOnPort(port); told; told = receiveMessageOnPort(port))
    alarms.push(told.message as Alarm);
  // Parts of one message must not overtake each other.
  alarms.sort((one, other) => Number(one.dueAt - other.dueAt) || one.id - other.id);
  const now = process.hrtime.bigint();
  for (const { id, dueAt } of alarms) if (dueAt <= now) port.postMessage(id);
  alarms = alarms.filter(({ dueAt }) => dueAt > now);
  const [next] = alarms;
  // What is told meanwhile has rung the bell: the wait ends at once.
  Atomics.wait(bell, 0, rung, next ? Number(next.dueAt - now) / 1e6 : Number.POSITIVE_INFINITY);
}
