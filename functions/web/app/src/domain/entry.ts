// An entry is one meeting of a timetable, in the form in which the API gives it. Only what the page
// works with is named, so that the generated type of the API's Event fits it.

import { minutesOf, weekdayIndex } from "./time";

export type Kind = "lecture" | "test" | "exam";

export interface EntryWarning {
  code: string;
  message: string;
  page: number;
  row: number;
}

export interface Entry {
  id: string;
  kind: Kind;
  module: string;
  activity: string;
  group: string;
  day?: string;
  date?: string;
  startTime: string;
  endTime: string;
  endTimeEstimated: boolean;
  venue: string;
  venues: string[];
  isRecurring: boolean;
  semester?: string;
  campus?: string;
  moduleCampus?: string;
  lang?: string;
  studyProg?: string;
  test?: string;
  paper?: string;
  status?: string;
  notes?: string;
  warnings?: EntryWarning[];
}

/** The letters of a group: "P" of P02. Groups of one module and one family are alternatives. */
export function family(group: string): string {
  return group.trim().toUpperCase().replace(/\d+$/, "");
}

/** What a family of groups is for, by the letter that the university prints. */
export type Meeting = "lecture" | "practical" | "tutorial" | "discussion" | "other";

const meetings: Record<string, Meeting> = { G: "lecture", L: "lecture", P: "practical", T: "tutorial", D: "discussion" };

/** What a group of this family meets for. */
export function meetingOf(group: string): Meeting {
  return meetings[family(group)] ?? "other";
}

/** The language of a group: E (English), A (Afrikaans), or nothing where it is both or not printed. */
export function languageOf(entry: Entry): "E" | "A" | "" {
  const first = (entry.lang ?? "").trim().split(/\s+/)[0]?.toUpperCase();
  return first === "E" || first === "A" ? first : "";
}

/** A meeting of the week: its day from 0 (Monday) and its minutes. */
export interface Slot {
  day: number;
  start: number;
  end: number;
}

/** When a weekly entry is held, or null where the timetable's day or time cannot be read. */
export function slotOf(entry: Entry): Slot | null {
  const day = weekdayIndex(entry.day);
  const times = timesOf(entry);
  return day < 0 || times === null ? null : { day, ...times };
}

/** From when to when an entry lasts, or null where its times cannot be read. */
export function timesOf(entry: Entry): { start: number; end: number } | null {
  const start = minutesOf(entry.startTime);
  const end = minutesOf(entry.endTime);
  return start === null || end === null || end <= start ? null : { start, end };
}

/** Whether two slots have a minute in common. */
export function overlap(a: Slot, b: Slot): boolean {
  return a.day === b.day && a.start < b.end && b.start < a.end;
}

/** Orders entries as a person reads them: by day or date, then time, then module. */
export function inTime(a: Entry, b: Entry): number {
  return (
    (a.date ?? "").localeCompare(b.date ?? "") ||
    weekdayIndex(a.day) - weekdayIndex(b.day) ||
    a.startTime.localeCompare(b.startTime) ||
    a.module.localeCompare(b.module) ||
    a.group.localeCompare(b.group)
  );
}
