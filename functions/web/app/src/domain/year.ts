// The academic year as a student sees it: the university's dates, with the student's own beside or instead of them.

import { type Semester } from "./terms";
import { addDays } from "./time";

export interface Period {
  start: string;
  end: string;
  name?: string;
}

/** What the page needs of the API's academic year. */
export interface UniversityYear {
  year: number;
  terms: Record<string, Period>;
  recess: Period[];
  noLectures: Period[];
  follows: { date: string; weekday: string; name?: string }[];
  publicHolidays: { date: string; name: string }[];
}

/** What a student may have of one's own. */
export interface OwnDates {
  terms: Record<string, Period>;
  recess?: Period[];
  exclude: Period[];
}

/** Days that are not as the others. */
export interface SpecialDay extends Period {
  what: "recess" | "noLectures" | "holiday" | "follows" | "own";
  name: string;
  /** Of a day that follows another weekday's timetable: which. */
  weekday?: string;
  /** The student's own, which can be taken back; its place among the own ones. */
  own?: number;
}

/** The dates of a semester: the student's own before the university's; undefined where nobody knows them. */
export function semesterDates(
  semester: Semester,
  year: UniversityYear | undefined,
  own: OwnDates,
): (Period & { own: boolean }) | undefined {
  const mine = own.terms[semester];
  if (mine) return { ...mine, own: true };
  const theirs = year?.terms[semester];
  return theirs && { ...theirs, own: false };
}

/** The days of the week from that Monday that are not as the others, by date. */
export function specialDates(monday: string, year: UniversityYear | undefined, own: OwnDates): Map<string, SpecialDay> {
  const dates = new Map<string, SpecialDay>();
  const week = { start: monday, end: addDays(monday, 6) };
  for (const day of specialDays(week, year, own)) {
    for (let date = monday; date <= week.end; date = addDays(date, 1)) {
      if (day.start <= date && date <= day.end) dates.set(date, day);
    }
  }
  return dates;
}

/** All days of the semester that are not as the others, in order. */
export function specialDays(within: Period, year: UniversityYear | undefined, own: OwnDates): SpecialDay[] {
  const days: SpecialDay[] = own.exclude.map((period, at) => ({ ...period, what: "own", name: period.name ?? "", own: at }));
  const mine = own.recess?.map((period, at): SpecialDay => ({ ...period, what: "recess", name: period.name ?? "", own: at }));
  days.push(
    ...(mine ?? (year?.recess ?? []).map((period): SpecialDay => ({ ...period, what: "recess", name: period.name ?? "" }))),
  );
  for (const period of year?.noLectures ?? []) days.push({ ...period, what: "noLectures", name: period.name ?? "" });
  for (const { date, name } of year?.publicHolidays ?? []) days.push({ start: date, end: date, what: "holiday", name });
  for (const { date, weekday, name } of year?.follows ?? []) {
    days.push({ start: date, end: date, what: "follows", name: name ?? "", weekday });
  }
  return days
    .filter((day) => day.start <= within.end && day.end >= within.start)
    .sort((a, b) => a.start.localeCompare(b.start) || a.end.localeCompare(b.end));
}
