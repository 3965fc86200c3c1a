/** What of the timetables is shown, as signals: the student's choices, and what Look leaves out for the moment. */
import { computed, signal } from "@preact/signals";
import { alternativesOf, takes } from "../domain/courses";
import { isDated } from "../domain/dated";
import { type Entry, meetingOf, type Meeting } from "../domain/entry";
import { layoutWeek } from "../domain/grid";
import { heldIn, semesterOn, semestersOf, type Semester } from "../domain/terms";
import { johannesburg } from "../domain/time";
import { choices, events, taken } from "../state/store";
import { look } from "../texts/look";

/** The present in South Africa. It moves on with each minute. */
export const now = signal(johannesburg(Date.now()));
setInterval(() => (now.value = johannesburg(Date.now())), 30_000);

/** What the student attends: what the file, the feed and Google get. */
export const attended = computed<Entry[]>(() => {
  const { modulesOut, eventsOut } = choices.value;
  return events.value.filter((e) => !modulesOut.includes(e.module) && !eventsOut.includes(e.id) && takes(taken.value, e));
});

export const lectures = computed(() => attended.value.filter((e) => e.kind === "lecture"));
export const dated = computed(() => attended.value.filter((e) => e.kind !== "lecture"));

/** What is still to choose: kinds of a module's groups of which several are shown. */
export const undecided = computed(() => alternativesOf(lectures.value).filter((one) => one.family !== "" && one.groups.length > 1));

export const semesters = computed(() => semestersOf(lectures.value.map((e) => e.semester)));

const picked = signal<Semester | null>(null);

/** The semester shown: the picked one, else that of today, where something is held in it. */
export const semester = computed<Semester>(() => {
  const wanted = picked.value ?? semesterOn(now.value.date);
  return semesters.value.includes(wanted) ? wanted : (semesters.value[0] ?? wanted);
});

export function pickSemester(wanted: Semester) {
  picked.value = wanted;
}

/** What a filter names: the kind of a test, an exam or a class's group. */
export type FilterKind = Meeting | "test" | "exam";

export function kindOf(e: Entry): FilterKind {
  return e.kind === "lecture" ? meetingOf(e.group) : e.kind;
}

const hiddenModules = signal<ReadonlySet<string>>(new Set());
const hiddenKinds = signal<ReadonlySet<string>>(new Set());

function toggled(set: ReadonlySet<string>, name: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(name)) next.add(name);
  return next;
}

/** Hides for the moment, in Look alone: nothing of this is in a calendar. */
export const filter = {
  hidden: computed(() => hiddenModules.value.size + hiddenKinds.value.size > 0),
  showsModule: (module: string) => !hiddenModules.value.has(module),
  showsKind: (kind: string) => !hiddenKinds.value.has(kind),
  toggleModule: (module: string) => void (hiddenModules.value = toggled(hiddenModules.value, module)),
  toggleKind: (kind: string) => void (hiddenKinds.value = toggled(hiddenKinds.value, kind)),
  clear() {
    hiddenModules.value = new Set();
    hiddenKinds.value = new Set();
  },
  shows: (e: Entry) => !hiddenModules.value.has(e.module) && !hiddenKinds.value.has(kindOf(e)),
};

export const shownLectures = computed(() => lectures.value.filter((e) => heldIn(e.semester, semester.value) && filter.shows(e)));
/** The week of the semester, laid out. */
export const week = computed(() => layoutWeek(shownLectures.value, semester.value));

export const shownDated = computed(() => dated.value.filter(filter.shows));

/** What was read with doubt, of all that is attended. */
export const doubtful = computed(() => attended.value.filter((e) => (e.warnings ?? []).length > 0));

/** The event whose details are open. */
export const opened = signal<Entry | null>(null);

/** What an event is called, in a few words: "COS 212 P1 (P02)". */
export function titleOf(e: Entry): string {
  return [e.module, e.activity || e.test, e.group && `(${e.group})`].filter(Boolean).join(" ");
}

/** From when to when, as a person reads it. */
export function hoursOf(e: Entry): string {
  if (!e.startTime) return look.noTime;
  if (!e.endTime) return e.startTime;
  return look.between(e.startTime, e.endTimeEstimated ? look.about(e.endTime) : e.endTime);
}

/** All that is known of an event in one sentence, for who hears the page. */
export function sentenceOf(e: Entry, company: { clashes?: Entry[]; alternatives?: Entry[] } = {}): string {
  const parts = [titleOf(e), look.kind[kindOf(e)], [e.day, hoursOf(e)].filter(Boolean).join(" "), e.venue];
  for (const other of company.clashes ?? []) parts.push(look.clashesWith(titleOf(other)));
  for (const other of company.alternatives ?? []) parts.push(look.alternativeOf(titleOf(other)));
  if (isDated(e) && e.remark) parts.push(e.remark);
  for (const warning of e.warnings ?? []) parts.push(`${look.doubtMark}: ${warning.message}`);
  return parts.filter(Boolean).join(", ");
}
