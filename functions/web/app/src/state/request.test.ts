import { expect, test } from "vitest";
import { ApiError } from "../api/client";
import { missingDates } from "./request";

test("only the error that asks for dates asks for dates", () => {
  const details = { choices: { year: 2031, terms: ["S1"], suggestions: [{ term: "S1", start: "2031-02-10", end: "2031-05-30", from: 2026 }] } };
  expect(missingDates(new ApiError("", "MISSING_SEMESTER_DATES", 400, details))).toEqual(details.choices);
  expect(missingDates(new ApiError("", "MISSING_SEMESTER_DATES", 400, { choices: { year: 2031, terms: ["S2"] } }))?.suggestions).toEqual([]);
  for (const e of [new ApiError("", "MISSING_SEMESTER_DATES", 400, null), new ApiError("", "OTHER", 400, details), new Error("x"), undefined]) {
    expect(missingDates(e)).toBeNull();
  }
});
