import type { Event } from "../api/client";
import type { Upload } from "./types";

/** Papers that are written after the main ones. */
const supplementary = /(^|\s)(supp|spec|aegr)/i;

/**
 * What an upload speaks for, in short: a semester of lectures, a half of the year of tests, a session of exams with its
 * supplementary and special papers apart. Within it a newer upload replaces an older one; outside of it the older one
 * holds. The server's rule (shared/calendar/scope.go and merge.go) knows more: papers that are over, and modules of the
 * whole year.
 */
function scope(e: Event): string {
  if (e.kind === "lecture") return "lecture " + semesterOf(e.semester ?? "");
  const month = Number((e.date ?? "").slice(5, 7));
  const half = month === 0 ? 0 : e.kind === "test" ? (month <= 6 ? 1 : 2) : month <= 7 ? 1 : 2;
  const part = e.kind === "exam" && supplementary.test(e.activity) ? " supplementary" : "";
  return `${e.kind} ${(e.date ?? "").slice(0, 4)}/${half}${part}`;
}

function semesterOf(term: string): string {
  return { S1: "1", Q1: "1", Q2: "1", S2: "2", Q3: "2", Q4: "2" }[term] ?? term;
}

/** The events of all uploads; of each scope those of the newest upload that has it. */
export function newest(uploads: Upload[]): Event[] {
  const taken = new Set<string>();
  const all: Event[] = [];
  for (const upload of [...uploads].sort((a, b) => b.addedAt.localeCompare(a.addedAt))) {
    const events = upload.events.filter((e) => !taken.has(scope(e)));
    for (const e of upload.events) taken.add(scope(e));
    all.push(...events);
  }
  return all;
}
