import { expect, it } from "vitest";
import { hasLostNpm, whoRanIt } from "../../../../src/tools/start/parent.ts";

const env = { npm_lifecycle_event: "start" };
it.each([
  { who: "a script of npm", family: { env, pid: 30, group: 10, parentGroup: 10 }, lost: false },
  {
    who: "a script of npm, which is process 1 of a container",
    family: { env, pid: 30, group: 1, parentGroup: 1 },
    lost: false,
  },
  { who: "a script that init has adopted", family: { env, pid: 30, group: 10, parentGroup: 1 }, lost: true },
  {
    who: "a script that a container's runtime has adopted",
    family: { env, pid: 30, group: 10, parentGroup: 0 },
    lost: true,
  },
  {
    who: "a program that a test leads a group with",
    family: { env, pid: 30, group: 30, parentGroup: 10 },
    lost: false,
  },
  { who: "a program without npm", family: { env: {}, pid: 30, group: 10, parentGroup: 1 }, lost: false },
  { who: "a machine that does not tell", family: { env, pid: 30, group: null, parentGroup: 1 }, lost: false },
  {
    who: "a parent that has just ended",
    family: { env, pid: 30, group: 10, parentGroup: null },
    lost: false,
  },
])("$who: $lost", ({ family, lost }) => {
  expect(hasLostNpm(family)).toBe(lost);
});

it("this process has its parent", () => {
  expect(hasLostNpm()).toBe(false);
});

it.each([
  { parent: "sh", by: "20 10" },
  { parent: "dash", by: "20 10" },
  { parent: "bash", by: "20 10" },
  { parent: "busybox", by: "20 10" },
  { parent: "npm start", by: "20" },
  { parent: "node", by: "20" },
  { parent: "sshd", by: "20" },
  { parent: null, by: "20" },
])("a process whose parent is $parent was run by $by", ({ parent, by }) => {
  expect(whoRanIt(20, () => (parent === null ? null : { name: parent, parent: 10, group: 1 }))).toBe(by);
});

it("it is known of this process", () => {
  expect(whoRanIt().split(" ")[0]).toBe(String(process.ppid));
});
