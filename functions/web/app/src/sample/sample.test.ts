import { expect, test } from "vitest";
import { given } from "../state/given";
import { events } from "../state/store";
import { addSample } from "./sample";

test("the sample is a whole timetable of the half of the year that is now", () => {
  for (const [now, term, months] of [["2026-02-10", "S1", [3, 5]], ["2026-08-10", "S2", [8, 10]]] as const) {
    given({ uploads: [] });
    addSample(new Date(now));
    expect(new Set(events.value.filter((e) => e.kind === "lecture").map((e) => e.semester))).toEqual(new Set([term]));
    const dates = events.value.filter((e) => e.kind === "test").map((e) => Number(e.date!.slice(5, 7)));
    expect([Math.min(...dates), Math.max(...dates)]).toEqual(months);
    expect(new Set(events.value.map((e) => e.id)).size).toBe(events.value.length);
    expect(events.value.some((e) => e.warnings?.length)).toBe(true);
  }
});
