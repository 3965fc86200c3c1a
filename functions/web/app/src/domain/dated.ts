// A week as it really is: the occurrences of the calendar that the file, the feed and Google show, each on its date.

import type { Entry } from "./entry";
import { type Held } from "./grid";
import { addDays, clock, dayNumber, johannesburg, weekdayOfDate, weekdays } from "./time";

/** What is needed of an item of the API's calendar: its first occurrence, and where it recurs weekly, the last and those left out. */
export interface Item {
  uid: string;
  event: Entry;
  start: string;
  end: string;
  until?: string;
  excluded?: string[];
  remark?: string;
}

/** An entry as it is held on one date. */
export interface DatedEntry extends Entry {
  on: string;
  /** Why it is not as in other weeks. */
  remark?: string;
}

export function isDated(entry: Entry): entry is DatedEntry {
  return "on" in entry;
}

/** The Monday of a date's week. */
export function mondayOf(date: string): string {
  return addDays(date, -weekdayOfDate(date));
}

/** The date in the week from that Monday on which an item is held, or null. */
function dateIn(item: Item, monday: string): string | null {
  const first = johannesburg(Date.parse(item.start)).date;
  const last = item.until ? johannesburg(Date.parse(item.until)).date : first;
  const date = item.until ? addDays(monday, weekdayOfDate(first)) : first;
  if (date < first || date > last || mondayOf(date) !== monday) return null;
  return (item.excluded ?? []).some((at) => johannesburg(Date.parse(at)).date === date) ? null : date;
}

/** What is held in the week from that Monday. */
export function heldInWeek(items: Item[], monday: string): Held[] {
  return items.flatMap((item) => {
    const on = dateIn(item, monday);
    if (on === null) return [];
    const start = johannesburg(Date.parse(item.start)).minutes;
    const end = start + Math.round((Date.parse(item.end) - Date.parse(item.start)) / 60_000);
    const entry: DatedEntry = { ...item.event, on, day: weekdays[weekdayOfDate(on)]!, startTime: clock(start), endTime: clock(end), ...(item.remark ? { remark: item.remark } : {}) };
    return [{ key: item.uid, entry, slot: { day: weekdayOfDate(on), start, end: Math.min(end, 24 * 60) } }];
  });
}

/** The Mondays of the first and of the last week in which anything is held; null of an empty calendar. */
export function weeksOf(items: Item[]): { first: string; last: string } | null {
  const dates = items.flatMap((item) => [item.start, item.until ?? item.start]).map((at) => johannesburg(Date.parse(at)).date);
  const known = dates.filter((date) => dayNumber(date) !== null).sort();
  return known.length === 0 ? null : { first: mondayOf(known[0]!), last: mondayOf(known.at(-1)!) };
}
