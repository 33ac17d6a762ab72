import { clearOfTheHour } from "../clear-of-the-hour.ts";

/** The machine's clock: test files share a process, and each sets the clock anew. */
const machines = globalThis as { machineNow?: () => number };
const machine = machines.machineNow ?? Date.now.bind(Date);
machines.machineNow = machine;

const shiftMs = clearOfTheHour(machine());
Date.now = () => machine() + shiftMs;
