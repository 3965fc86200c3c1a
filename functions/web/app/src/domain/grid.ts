// The week as a grid: where each lecture stands, and what stands beside it.

import { type Entry, family, overlap, type Slot, slotOf } from "./entry";
import { heldIn, type Semester, termsMeet } from "./terms";
import type { Moment } from "./time";
import { weekdayOfDate } from "./time";

/** An entry and when in the week it is held. key tells it from the others of the week. */
export interface Held {
  key: string;
  entry: Entry;
  slot: Slot;
}

/** An entry in its place. Of those that overlap, each has a column of its own, beside the others. */
export interface Placed extends Slot {
  key: string;
  entry: Entry;
  column: number;
  columns: number;
  /** What a student cannot attend together with it. */
  clashes: Entry[];
  /** Other groups of its kind at the same time, of which a student takes one. */
  alternatives: Entry[];
}

export interface Week {
  /** The days shown: Monday to Friday, and the weekend only if something is held then. */
  days: number[];
  /** The hours shown, in minutes, on full hours. */
  from: number;
  to: number;
  placed: Placed[];
  /** What has no place, because its day or time could not be read. */
  unplaced: Entry[];
}

const hour = 60;
const earliest = 8 * hour;
const latestStart = 16 * hour;

/** Whether two entries are groups of which a student takes one. */
export function areAlternatives(a: Entry, b: Entry): boolean {
  return a.module === b.module && family(a.group) !== "" && family(a.group) === family(b.group) && a.group !== b.group;
}

/** Lays out the lectures of a semester. */
export function layoutWeek(entries: Entry[], semester: Semester): Week {
  const held: Held[] = [];
  const unplaced: Entry[] = [];
  for (const entry of entries.filter((e) => e.kind === "lecture" && heldIn(e.semester, semester))) {
    const slot = slotOf(entry);
    if (slot) held.push({ key: entry.id, entry, slot });
    else unplaced.push(entry);
  }
  return { ...layout(held, (a, b) => termsMeet(a.semester, b.semester)), unplaced };
}

/** Lays out what is held in one week; meet says which entries are held in the same weeks. */
export function layout(held: Held[], meet: (a: Entry, b: Entry) => boolean = () => true): Week {
  const placed = held.map(({ key, entry, slot }): Placed => ({ key, entry, ...slot, column: 0, columns: 1, clashes: [], alternatives: [] }));
  placed.sort((a, b) => a.day - b.day || a.start - b.start || b.end - a.end || a.entry.module.localeCompare(b.entry.module));
  findCompany(placed, meet);
  putSideBySide(placed);
  return { days: daysOf(placed), ...hoursOf(placed), placed, unplaced: [] };
}

function findCompany(placed: Placed[], meet: (a: Entry, b: Entry) => boolean): void {
  for (const one of placed) {
    for (const other of placed) {
      if (one === other || !overlap(one, other) || !meet(one.entry, other.entry)) continue;
      const list = areAlternatives(one.entry, other.entry) ? one.alternatives : one.clashes;
      list.push(other.entry);
    }
  }
}

/** Gives each of those that overlap the first column that is free, and all of a bunch the same width. */
function putSideBySide(inOrder: Placed[]): void {
  let bunch: Placed[] = [];
  let ends: number[] = [];
  const finish = () => {
    for (const one of bunch) one.columns = ends.length;
    bunch = [];
    ends = [];
  };
  for (const [at, one] of inOrder.entries()) {
    if (at > 0 && (inOrder[at - 1]!.day !== one.day || ends.every((end) => end <= one.start))) finish();
    const free = ends.findIndex((end) => end <= one.start);
    one.column = free < 0 ? ends.length : free;
    ends[one.column] = one.end;
    bunch.push(one);
  }
  finish();
}

function daysOf(placed: Placed[]): number[] {
  const last = Math.max(4, ...placed.map((one) => one.day));
  return Array.from({ length: last + 1 }, (_, day) => day).filter((day) => day < 5 || placed.some((one) => one.day === day));
}

function hoursOf(placed: Placed[]): { from: number; to: number } {
  const from = Math.min(earliest, ...placed.map((one) => one.start));
  const to = Math.max(latestStart, ...placed.map((one) => one.end));
  return { from: Math.floor(from / hour) * hour, to: Math.ceil(to / hour) * hour };
}

/** Where the line of the present time stands, or null where it is outside of what is shown. */
export function nowLine(week: Week, now: Moment): { day: number; minutes: number } | null {
  const day = weekdayOfDate(now.date);
  const shown = week.days.includes(day) && now.minutes >= week.from && now.minutes <= week.to;
  return shown ? { day, minutes: now.minutes } : null;
}

/** Pairs of lectures that a student cannot both attend, each once. */
export function clashesOf(week: Week): [Entry, Entry][] {
  return week.placed.flatMap((one) =>
    one.clashes.filter((other) => one.entry.id < other.id).map((other): [Entry, Entry] => [one.entry, other]),
  );
}
