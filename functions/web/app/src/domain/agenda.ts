// Entries as lists and months.

import { type Entry, inTime } from "./entry";
import { dateOf, dayNumber, daysBetween, weekdayIndex, weekdayOfDate } from "./time";

export interface Day<Key> {
  key: Key;
  entries: Entry[];
}

/** Lectures by weekday, each day in order of time. Those whose day could not be read come last, under -1. */
export function byWeekday(entries: Entry[]): Day<number>[] {
  const days = new Map<number, Entry[]>();
  for (const entry of [...entries].sort(inTime)) {
    const day = weekdayIndex(entry.day);
    days.set(day, [...(days.get(day) ?? []), entry]);
  }
  return [...days]
    .map(([key, list]) => ({ key, entries: list }))
    .sort((a, b) => (a.key < 0 ? 7 : a.key) - (b.key < 0 ? 7 : b.key));
}

/** Tests and exams by date, each date in order of time. Those whose date could not be read come last, under "". */
export function byDate(entries: Entry[]): Day<string>[] {
  const days = new Map<string, Entry[]>();
  for (const entry of [...entries].sort(inTime)) {
    const date = dayNumber(entry.date) === null ? "" : entry.date!;
    days.set(date, [...(days.get(date) ?? []), entry]);
  }
  return [...days].map(([key, list]) => ({ key, entries: list })).sort((a, b) => (a.key || "9").localeCompare(b.key || "9"));
}

/** How many days are left until a date: 0 today, negative once it is over, null where it is no date. */
export function daysLeft(today: string, date: string | undefined): number | null {
  return date === undefined ? null : daysBetween(today, date);
}

export interface MonthDay {
  date: string;
  /** Days before and after the month fill its first and last week. */
  inMonth: boolean;
  entries: Entry[];
}

export interface Month {
  year: number;
  /** 1 for January. */
  month: number;
  weeks: MonthDay[][];
}

/** The months in which something is written, each with its weeks from Monday to Sunday. */
export function monthsOf(entries: Entry[]): Month[] {
  const days = new Map(byDate(entries).map((day) => [day.key, day.entries]));
  const names = new Set([...days.keys()].filter((date) => date !== "").map((date) => date.slice(0, 7)));
  return [...names].sort().map((name) => monthOf(name, days));
}

function monthOf(name: string, days: Map<string, Entry[]>): Month {
  const first = dayNumber(`${name}-01`)!;
  const monday = first - weekdayOfDate(`${name}-01`);
  const weeks: MonthDay[][] = [];
  for (let start = monday; start === monday || dateOf(start).startsWith(name); start += 7) {
    weeks.push(
      Array.from({ length: 7 }, (_, at) => {
        const date = dateOf(start + at);
        return { date, inMonth: date.startsWith(name), entries: date.startsWith(name) ? (days.get(date) ?? []) : [] };
      }),
    );
  }
  return { year: Number(name.slice(0, 4)), month: Number(name.slice(5)), weeks };
}
