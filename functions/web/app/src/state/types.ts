import type { Change, Event, ExtraClass, Kind, Range } from "../api/client";

/** A file that the student gave, from the moment it was picked until it is deleted. */
export interface Upload {
  /** Ours; the job's id comes with the server's first answer. */
  id: string;
  name: string;
  size: number;
  addedAt: string;
  /**
   * waiting: not sent yet; its bytes are kept in the browser (state/files), so that a reload loses nothing.
   * sending: on its way. reading: the server has it, and reads it. done: its events are here. failed: `problem` says why.
   */
  state: "waiting" | "sending" | "reading" | "done" | "failed";
  jobId?: string;
  kind?: Kind;
  /** How many events it lists, and how many of these were read with doubt. */
  entries?: number;
  doubts?: number;
  problem?: Problem;
  /** It is being deleted on the server: nothing is asked or sent for it any more, and the next visit finishes that. */
  removing?: true | undefined;
  /** The events of the sample timetable: no job stands behind it, and it is never synced. */
  sample?: Event[];
  /** When each of its fields was changed (state/kept); one that was not, never. */
  at?: Record<string, number>;
}

/** Why something failed, as a person is told, and whether the same may succeed later. */
export interface Problem {
  code: string;
  message: string;
  retry: boolean;
}

/** How titles of lectures are written, in the API's words. */
export type TitleFormat = "full" | "activity" | "group" | "kind" | "module";

/**
 * All that a student chose. One value serves the page, the file, the feed and Google. A field that the API takes has the
 * API's own form; state/options turns all of it into a request.
 */
export interface Choices {
  /** The calendar's name; the API's own when empty. */
  name: string;
  /** By module, and within it by the letter that a group begins with: {"COS 212": {"G": "G01", "P": "P02"}}. */
  groups: Record<string, Record<string, string>>;
  /** Groups that "Find me a timetable" must not change, in the same form. */
  locked: Record<string, string[]>;
  modulesOut: string[];
  /** Ids of single events left out. */
  eventsOut: string[];
  /** CSS colour names by module, as the API takes them. */
  colors: Record<string, string>;
  reminders: number[];
  title: TitleFormat;
  terms: Record<string, Range>;
  /** The academic year of the lectures; that of the upload unless it is given. */
  year?: number;
  /** The student's own recess instead of the university's; undefined leaves the university's. */
  recess?: Range[];
  exclude: Range[];
  changes: Change[];
  extra: ExtraClass[];
}

export const noChoices: Choices = {
  name: "",
  groups: {},
  locked: {},
  modulesOut: [],
  eventsOut: [],
  colors: {},
  reminders: [],
  title: "full",
  terms: {},
  exclude: [],
  changes: [],
  extra: [],
};

/** A feed that was made in this browser. Its address is told only once by the server, so it is kept here. */
export interface KeptFeed {
  id: string;
  /** What it was made with, to tell whether the choices have changed since. */
  options: string;
  token: string;
  url: string;
  webcalUrl: string;
  createdAt: string;
  name: string;
  /** When each of its fields was changed (state/kept). */
  at?: Record<string, number>;
}
