import { expect, test } from "vitest";
import { ApiError } from "../api/client";
import { missingDates, nameIn } from "./generate";

test("a file's name is the one that the server gives", () => {
  for (const [header, want] of [
    ['attachment; filename="UP lectures 2026.ics"', "UP lectures 2026.ics"],
    ["attachment; filename=plain.ics", "plain.ics"],
    ["attachment; filename*=utf-8''Rooster%20%C3%AB.ics", "Rooster ë.ics"],
    ["attachment; filename=a.ics; filename*=utf-8''%E0%A4%A", "a.ics"],
    ["attachment", "timetable.ics"],
    [null, "timetable.ics"],
  ] as const) expect(nameIn(header)).toBe(want);
});

test("only the error that asks for dates asks for dates", () => {
  const details = { choices: { year: 2031, terms: ["S1"], suggestions: [{ term: "S1", start: "2031-02-10", end: "2031-05-30", from: 2026 }] } };
  expect(missingDates(new ApiError("", "MISSING_SEMESTER_DATES", 400, details))).toEqual(details.choices);
  expect(missingDates(new ApiError("", "MISSING_SEMESTER_DATES", 400, { choices: { year: 2031, terms: ["S2"] } }))?.suggestions).toEqual([]);
  for (const e of [new ApiError("", "MISSING_SEMESTER_DATES", 400, null), new ApiError("", "OTHER", 400, details), new Error("x"), undefined]) {
    expect(missingDates(e)).toBeNull();
  }
});
