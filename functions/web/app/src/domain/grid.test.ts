import { expect, test } from "vitest";
import { clashesOf, layoutWeek, nowLine } from "./grid";
import { overlap } from "./entry";
import { entryOf, randomAlternatives, randomOf } from "./random";

const at = (day: string, startTime: string, endTime: string, some = {}) => entryOf({ day, startTime, endTime, ...some });

test("lectures that overlap stand side by side and are marked as clashes", () => {
  const week = layoutWeek([at("Monday", "08:30", "10:20"), at("Monday", "09:30", "10:20", { module: "WTW 114" })], "S1");
  expect(week.placed.map((one) => [one.column, one.columns])).toEqual([
    [0, 2],
    [1, 2],
  ]);
  expect(clashesOf(week).map(([a, b]) => [a.module, b.module].sort())).toEqual([["COS 212", "WTW 114"]]);
});

test("lectures that follow each other do not touch", () => {
  const week = layoutWeek([at("Monday", "08:30", "09:30"), at("Monday", "09:30", "10:20", { module: "WTW 114" })], "S1");
  expect(week.placed.map((one) => [one.column, one.columns])).toEqual([
    [0, 1],
    [0, 1],
  ]);
  expect(clashesOf(week)).toEqual([]);
});

test("groups of which one is taken are alternatives, not a clash", () => {
  const week = layoutWeek(
    [at("Friday", "08:30", "09:20", { group: "P01" }), at("Friday", "08:30", "09:20", { group: "P02" })],
    "S1",
  );
  expect(week.placed.map((one) => [one.clashes.length, one.alternatives.length])).toEqual([
    [0, 1],
    [0, 1],
  ]);
});

test("lectures of different quarters do not clash, and stand side by side", () => {
  const week = layoutWeek(
    [at("Friday", "08:30", "09:20", { semester: "Q1" }), at("Friday", "08:30", "09:20", { module: "B", semester: "Q2" })],
    "S1",
  );
  expect(week.placed.map((one) => [one.columns, one.clashes.length])).toEqual([
    [2, 0],
    [2, 0],
  ]);
});

test("a semester shows its quarters, the year, and what names no term", () => {
  const terms = ["S1", "S2", "Q1", "Q2", "Q3", "Q4", "Y", ""];
  const shown = (semester: "S1" | "S2") =>
    layoutWeek(
      terms.map((term, hour) => at("Monday", `1${hour}:00`, `1${hour}:30`, { semester: term })),
      semester,
    ).placed.map((one) => one.entry.semester);
  expect(shown("S1")).toEqual(["S1", "Q1", "Q2", "Y", ""]);
  expect(shown("S2")).toEqual(["S2", "Q3", "Q4", "Y", ""]);
});

test("the weekend is shown only where it is used, and hours are full ones", () => {
  expect(layoutWeek([at("Monday", "08:30", "09:20")], "S1")).toMatchObject({ days: [0, 1, 2, 3, 4], from: 480, to: 960 });
  expect(layoutWeek([at("Sunday", "07:15", "20:10")], "S1")).toMatchObject({ days: [0, 1, 2, 3, 4, 6], from: 420, to: 1260 });
});

test("what could not be read has no place and is not lost", () => {
  const week = layoutWeek([at("Monday", "", "09:20"), entryOf({ day: undefined }), at("Monday", "10:00", "09:00")], "S1");
  expect([week.placed.length, week.unplaced.length]).toEqual([0, 3]);
});

test("no two lectures share a place, and a bunch is no wider than it must be", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const shape = { modules: 8, families: ["G", "P"], groups: 4, meets: 3, terms: ["S1"], periods: 9 };
    const entries = randomAlternatives(randomOf(seed), shape).flatMap((one) => one.groups.flatMap((group) => group.entries));
    const { placed } = layoutWeek(entries, "S1");
    for (const one of placed) {
      expect(one.column).toBeLessThan(one.columns);
      const beside = placed.filter((other) => other !== one && overlap(one, other));
      expect(
        beside.every((other) => other.column !== one.column && other.columns === one.columns),
        `seed ${seed}`,
      ).toBe(true);
      if (beside.length === 0) expect(one.columns, `seed ${seed}`).toBe(1);
    }
    expect(placed.length).toBe(entries.length);
  }
});

test("the line of the present stands only where the grid is", () => {
  const week = layoutWeek([at("Monday", "08:30", "09:20")], "S1");
  expect(nowLine(week, { date: "2026-02-11", minutes: 600 })).toEqual({ day: 2, minutes: 600 });
  expect(nowLine(week, { date: "2026-02-14", minutes: 600 })).toBeNull();
  expect(nowLine(week, { date: "2026-02-11", minutes: 1200 })).toBeNull();
});
