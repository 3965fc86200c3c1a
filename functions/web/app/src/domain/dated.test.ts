import { expect, test } from "vitest";
import { heldInWeek, type Item, mondayOf, weeksOf } from "./dated";
import { entryOf } from "./random";
import { specialDates } from "./year";

const weekly: Item = {
  uid: "weekly", event: entryOf({ day: "Tuesday" }), start: "2026-07-14T08:30:00+02:00", end: "2026-07-14T09:20:00+02:00",
  until: "2026-08-04T08:30:00+02:00", excluded: ["2026-07-21T08:30:00+02:00"],
};
const once: Item = { uid: "once", event: entryOf({ day: "Tuesday" }), start: "2026-07-23T14:00:00+02:00", end: "2026-07-23T16:30:00+02:00", remark: "Moved from Tuesday 21 July 2026, 08:30." };

const shown = (monday: string) => heldInWeek([weekly, once], monday).map(({ key, slot, entry }) => [key, slot.day, slot.start, slot.end, entry.startTime, entry.endTime]);

test("a week shows what is held in it, moved classes where they are", () => {
  expect(shown("2026-07-06")).toEqual([]);
  expect(shown("2026-07-13")).toEqual([["weekly", 1, 510, 560, "08:30", "09:20"]]);
  expect(shown("2026-07-20")).toEqual([["once", 3, 840, 990, "14:00", "16:30"]]);
  expect(shown("2026-08-03")).toHaveLength(1);
  expect(shown("2026-08-10")).toEqual([]);
  expect(heldInWeek([once], "2026-07-20")[0]!.entry).toMatchObject({ on: "2026-07-23", day: "Thursday", remark: once.remark }); // not the Tuesday of other weeks
});

test("times are South Africa's, however they are written", () => {
  const late: Item = { ...once, start: "2026-07-26T22:30:00Z", end: "2026-07-26T23:30:00Z" }; // half past midnight on Monday
  expect(heldInWeek([late], "2026-07-27")[0]?.slot).toEqual({ day: 0, start: 30, end: 90 });
  expect(heldInWeek([late], "2026-07-20")).toEqual([]);
});

test("weeks begin on Monday, over the year's end too", () => {
  expect(["2026-07-20", "2026-07-26", "2027-01-01"].map(mondayOf)).toEqual(["2026-07-20", "2026-07-20", "2026-12-28"]);
  expect(weeksOf([weekly, once])).toEqual({ first: "2026-07-13", last: "2026-08-03" });
  expect(weeksOf([])).toBeNull();
});

test("a day that differs is named on its date", () => {
  const year = {
    year: 2026, terms: {}, recess: [{ start: "2026-07-22", end: "2026-08-02", name: "Recess" }], noLectures: [], follows: [{ date: "2026-07-21", weekday: "Thursday" }],
    publicHolidays: [{ date: "2026-07-20", name: "A holiday" }],
  };
  const dates = specialDates("2026-07-20", year, { terms: {}, exclude: [{ start: "2026-07-20", end: "2026-07-20", name: "Mine" }] });
  expect([...dates].map(([date, day]) => `${date} ${day.what}`).sort()).toEqual([
    "2026-07-20 holiday", "2026-07-21 follows", "2026-07-22 recess", "2026-07-23 recess", "2026-07-24 recess", "2026-07-25 recess", "2026-07-26 recess",
  ]);
});
