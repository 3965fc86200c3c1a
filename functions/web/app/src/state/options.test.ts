import { expect, test } from "vitest";
import { takenGroups } from "../domain/courses";
import { entryOf } from "../domain/random";
import { optionsOf } from "./options";
import { type Choices, noChoices } from "./types";

const events = ["COS 212 G01", "COS 212 P02", "WTW 114 T01", "PHY 114 G01"].map((name) => entryOf({ module: name.slice(0, 7), group: name.slice(8) }));

const options = (choices: Choices) => optionsOf(choices, takenGroups(choices.groups, [events]));

test("nothing chosen asks for nothing", () => {
  expect(options(noChoices)).toEqual({});
});

test("every choice of the page is one that the API takes", () => {
  const range = { start: "2026-03-28", end: "2026-04-06" };
  const change = { event: "e", date: "2026-03-02", cancelled: true };
  const extra = { module: "COS 212", date: "2026-05-25", startTime: "08:30", endTime: "10:20" };
  const chosen = {
    ...noChoices,
    name: "Mine",
    groups: { "COS 212": { G: "G01", P: "P02" }, "WTW 114": { T: "T01" }, "PHY 114": {}, "OLD 100": { G: "G01" } },
    modulesOut: ["WTW 114"],
    eventsOut: ["a1"],
    title: "kind" as const,
    colors: { "COS 212": "gold" },
    reminders: [15],
    terms: { S1: range },
    recess: [],
    exclude: [range],
    changes: [change],
    extra: [extra],
  };
  expect(options(chosen)).toEqual({
    name: "Mine",
    groups: { "COS 212": ["G01", "P02"] },
    without: ["WTW 114"],
    omit: ["a1"],
    title: "kind",
    colors: { "COS 212": "gold" },
    reminders: [15],
    terms: { S1: range },
    recess: [],
    exclude: [range],
    changes: [change],
    extra: [extra],
  });
});

test("a group that a newer timetable no longer has is not asked for", () => {
  const chosen = { ...noChoices, groups: { "COS 212": { G: "G01", P: "P09" }, "PHY 114": { G: "G07" } } };
  expect(options(chosen)).toEqual({ groups: { "COS 212": ["G01"] } });
});
