import { expect, test } from "vitest";
import { nameIn } from "./generate";

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
