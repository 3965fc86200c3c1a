// When two people are both free.

import type { Slot } from "./entry";

/** The hours of a weekday in which somebody wants to meet. */
export interface Hours {
  from: number;
  to: number;
  /** What is shorter is of no use. */
  atLeast: number;
}

export const campusHours: Hours = { from: 7 * 60 + 30, to: 17 * 60 + 30, atLeast: 30 };

/** The times from Monday to Friday in which nobody has a class, in order. */
export function freeInCommon(weeks: Slot[][], hours: Hours = campusHours): Slot[] {
  const all = weeks.flat();
  return [0, 1, 2, 3, 4].flatMap((day) =>
    freeOn(
      day,
      all.filter((slot) => slot.day === day),
      hours,
    ),
  );
}

function freeOn(day: number, busy: Slot[], { from, to, atLeast }: Hours): Slot[] {
  const free: Slot[] = [];
  let start = from;
  for (const slot of [...busy].sort((a, b) => a.start - b.start)) {
    free.push({ day, start, end: Math.min(slot.start, to) });
    start = Math.max(start, slot.end);
  }
  free.push({ day, start, end: to });
  return free.filter((slot) => slot.end - slot.start >= atLeast);
}
