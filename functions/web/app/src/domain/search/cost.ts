// What a preference costs: the fewer, the better. This is the definition; the search bounds it from below.

import type { Meet } from "../courses";
import { type Season, seasonsOf } from "./problem";

export const preferences = ["mornings", "afternoons", "freeDays", "earlyFriday", "fewGaps", "shortWalks"] as const;

export type Preference = (typeof preferences)[number];

const noon = 12 * 60;
const friday = 4;

/** Minutes of class after noon. */
export function afternoonMinutes(meet: Meet): number {
  return Math.max(0, meet.end - noon) - Math.max(0, meet.start - noon);
}

function morningMinutes(meet: Meet): number {
  return meet.end - meet.start - afternoonMinutes(meet);
}

function total(meets: Meet[], of: (meet: Meet) => number): number {
  return meets.reduce((sum, meet) => sum + of(meet), 0);
}

/** The minutes from the end of one class to the next that are no gap: lectures end ten minutes before the next hour. */
export const breakMinutes = 10;

/** The minutes between the classes of each day, without the break after each class. */
function gapMinutes(meets: Meet[]): number {
  let gaps = 0;
  for (const day of byDay(meets)) {
    let end = day[0]!.end;
    for (const meet of day) {
      gaps += Math.max(0, meet.start - end - breakMinutes);
      end = Math.max(end, meet.end);
    }
  }
  return gaps;
}

/** How often the next class of a day is on another campus. Classes whose campus is not known do not count. */
function campusChanges(meets: Meet[]): number {
  let changes = 0;
  for (const day of byDay(meets.filter((meet) => meet.campus !== ""))) {
    for (let at = 1; at < day.length; at++) {
      if (day[at]!.campus !== day[at - 1]!.campus) changes++;
    }
  }
  return changes;
}

function byDay(meets: Meet[]): Meet[][] {
  const days: Meet[][] = [];
  for (const meet of [...meets].sort((a, b) => a.start - b.start || a.end - b.end || a.campus.localeCompare(b.campus))) {
    const day = (days[meet.day] ??= []);
    day.push(meet);
  }
  return days.filter((day) => day !== undefined);
}

const costs: Record<Preference, (meets: Meet[]) => number> = {
  mornings: (meets) => total(meets, afternoonMinutes),
  afternoons: (meets) => total(meets, morningMinutes),
  freeDays: (meets) => new Set(meets.map((meet) => meet.day)).size,
  earlyFriday: (meets) => meets.reduce((last, meet) => (meet.day === friday ? Math.max(last, meet.end) : last), 0),
  fewGaps: gapMinutes,
  shortWalks: campusChanges,
};

/** The cost of the meetings of one season's week. */
export function weekCost(preference: Preference, meets: Meet[]): number {
  return costs[preference](meets);
}

export function inSeason(meets: Meet[], season: Season): Meet[] {
  return meets.filter((meet) => (meet.quarters & season.quarter) !== 0);
}

/** The cost of all meetings: that of each quarter's week, added up. */
export function costOf(preference: Preference, meets: Meet[], seasons = seasonsOf(meets)): number {
  return seasons.reduce((sum, season) => sum + season.weight * weekCost(preference, inSeason(meets, season)), 0);
}
