import { expect, test } from "vitest";
import { byDate, byWeekday, daysLeft, monthsOf } from "./agenda";
import { entryOf } from "./random";
import { addDays, clock, dayNumber, johannesburg, minutesOf, weekdayOfDate } from "./time";

const exam = (date: string, some = {}) => entryOf({ kind: "exam", day: undefined, date, isRecurring: false, ...some });

test("lectures are listed from Monday on, in order of time, what has no day last", () => {
  const days = byWeekday([
    entryOf({ day: undefined }),
    entryOf({ day: "Friday" }),
    entryOf({ day: "Monday", startTime: "10:30" }),
    entryOf({ day: "Monday", startTime: "07:30" }),
  ]);
  expect(days.map((day) => [day.key, day.entries.map((entry) => entry.startTime)])).toEqual([
    [0, ["07:30", "10:30"]],
    [4, ["08:30"]],
    [-1, ["08:30"]],
  ]);
});

test("exams are listed by date, what has none last", () => {
  const days = byDate([exam("2026-11-03"), exam(""), exam("2026-06-01"), exam("2026-13-01")]);
  expect(days.map((day) => [day.key, day.entries.length])).toEqual([
    ["2026-06-01", 1],
    ["2026-11-03", 1],
    ["", 2],
  ]);
});

test("days left", () => {
  expect(daysLeft("2026-02-27", "2026-03-01")).toBe(2);
  expect(daysLeft("2026-03-01", "2026-03-01")).toBe(0);
  expect(daysLeft("2026-03-01", "2026-02-28")).toBe(-1);
  expect(daysLeft("2026-03-01", "2026-02-30")).toBeNull();
});

test("a month is whole weeks from Monday, and holds each exam once", () => {
  for (let month = 1; month <= 12; month++) {
    const name = `2026-${String(month).padStart(2, "0")}`;
    const [only, ...others] = monthsOf([exam(`${name}-01`), exam(`${name}-28`)]);
    expect(others).toEqual([]);
    const days = only!.weeks.flat();
    expect(days.length % 7).toBe(0);
    expect(weekdayOfDate(days[0]!.date)).toBe(0);
    const inMonth = days.filter((day) => day.inMonth);
    expect(inMonth.length).toBe(new Date(Date.UTC(2026, month, 0)).getUTCDate());
    expect(inMonth.flatMap((day) => day.entries).length).toBe(2);
  }
});

test("a month that begins on a Monday has no week before it", () => {
  expect(monthsOf([exam("2026-06-10")])[0]!.weeks.map((week) => week[0]!.date)).toEqual([
    "2026-06-01",
    "2026-06-08",
    "2026-06-15",
    "2026-06-22",
    "2026-06-29",
  ]);
});

test("times and dates", () => {
  expect(["08:30", "24:00", "8:30", "", "23:59"].map(minutesOf)).toEqual([510, null, null, null, 1439]);
  expect(clock(510)).toBe("08:30");
  expect(addDays("2024-02-28", 2)).toBe("2024-03-01");
  expect(dayNumber("2026-02-29")).toBeNull();
  expect(johannesburg(Date.UTC(2026, 1, 8, 22, 30))).toEqual({ date: "2026-02-09", minutes: 30 });
});
