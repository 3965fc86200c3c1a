// Random timetables for the tests, the same for the same seed.

import { alternativesOf, type Alternatives } from "./courses";
import type { Entry } from "./entry";
import { clock, weekdays } from "./time";

export type Random = (below: number) => number;

/** Marsaglia's xorshift: small, and good enough for tests. */
export function randomOf(seed: number): Random {
  let state = (seed * 2654435761 + 1) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

export function entryOf(some: Partial<Entry>): Entry {
  return {
    id: `${some.module} ${some.group} ${some.activity} ${some.day} ${some.startTime}`,
    kind: "lecture",
    module: "COS 212",
    activity: "L1",
    group: "G01",
    day: "Monday",
    startTime: "08:30",
    endTime: "09:20",
    endTimeEstimated: false,
    venue: "IT 4-4",
    venues: ["IT 4-4"],
    isRecurring: true,
    semester: "S1",
    ...some,
  };
}

export interface Shape {
  modules: number;
  families: string[];
  groups: number;
  meets: number;
  terms: string[];
  periods: number;
}

const campuses = ["HATFIELD", "GROENKLOOF", "PRINSHOF", ""];

function groupEntries(random: Random, shape: Shape, module: string, group: string, semester: string): Entry[] {
  return Array.from({ length: 1 + random(shape.meets) }, (_, at) => {
    const start = 450 + 60 * random(shape.periods);
    const length = [50, 50, 110, 170][random(group.startsWith("P") ? 4 : 2)]!;
    return entryOf({
      module,
      group,
      activity: `${group[0]}${at + 1}`,
      semester,
      day: weekdays[random(5)]!,
      startTime: clock(start),
      endTime: clock(start + length),
      campus: campuses[random(campuses.length)]!,
    });
  });
}

/** The alternatives of a random timetable. */
export function randomAlternatives(random: Random, shape: Shape): Alternatives[] {
  const entries: Entry[] = [];
  for (let at = 0; at < shape.modules; at++) {
    const module = `MOD ${100 + at}`;
    const semester = shape.terms[random(shape.terms.length)]!;
    for (const family of shape.families) {
      const groups = 1 + (shape.groups < 5 ? random(shape.groups) : shape.groups - 1);
      for (let n = 1; n <= groups; n++) {
        entries.push(...groupEntries(random, shape, module, `${family}${String(n).padStart(2, "0")}`, semester));
      }
    }
  }
  return alternativesOf(entries);
}
