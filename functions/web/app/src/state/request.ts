/** What is asked of the API for a calendar, and what it says is missing. */
import { ApiError, ask, type Calendar, type Event, type Options } from "../api/client";
import { optionsOf } from "./options";
import { academicYear, choices, events, onlySample, taken } from "./store";

/** For a calendar of whatever kind: the choices, and the academic year. */
export function chosenOptions(): Options {
  return { ...optionsOf(choices.value, taken.value), year: academicYear.value };
}

/** What a file is asked for with. The server knows the timetables, but not the sample. */
export function fileRequest(): Options & { events?: Event[] } {
  return { ...chosenOptions(), ...(onlySample.value ? { events: events.value } : {}) };
}

/** The calendar that a file would hold, as data. */
export function makeCalendar(): Promise<Calendar> {
  return ask<Calendar>("/api/generate/ics", { method: "POST", body: fileRequest() });
}

/** Terms whose dates nobody knows, with guesses. */
export interface MissingDates {
  year: number;
  terms: string[];
  suggestions: { term: string; start: string; end: string; from: number }[];
}

/** What is missing, if an error says that dates are; null for any other error. */
export function missingDates(e: unknown): MissingDates | null {
  if (!(e instanceof ApiError) || e.code !== "MISSING_SEMESTER_DATES") return null;
  const told = (e.details as { choices?: Partial<MissingDates> } | null)?.choices;
  if (!told || !Array.isArray(told.terms)) return null;
  return { year: told.year ?? academicYear.value, terms: told.terms, suggestions: Array.isArray(told.suggestions) ? told.suggestions : [] };
}
