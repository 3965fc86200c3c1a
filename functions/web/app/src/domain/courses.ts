// What a student has to choose: of each module and each kind of group, one.

import { campusOf } from "./campus";
import { type Entry, family, inTime, languageOf, type Meeting, meetingOf, type Slot, slotOf } from "./entry";
import { type Quarters, quartersOf } from "./terms";

/** A weekly meeting of a group, as the search and the grid see it. */
export interface Meet extends Slot {
  quarters: Quarters;
  campus: string;
}

export interface Group {
  name: string;
  language: "E" | "A" | "";
  quarters: Quarters;
  entries: Entry[];
  /** The meetings whose day and time could be read. */
  meets: Meet[];
}

/** Groups of which a student takes one. */
export interface Alternatives {
  /** Names these alternatives in locks and results: the module, its family of groups, and where needed a number. */
  key: string;
  module: string;
  family: string;
  meeting: Meeting;
  groups: Group[];
}

function meetOf(entry: Entry): Meet | null {
  const slot = slotOf(entry);
  return slot && { ...slot, quarters: quartersOf(entry.semester), campus: campusOf(entry) };
}

function groupOf(name: string, entries: Entry[]): Group {
  const languages = new Set(entries.map(languageOf));
  return {
    name,
    language: languages.size === 1 ? [...languages][0]! : "",
    quarters: entries.reduce((set, entry) => set | quartersOf(entry.semester), 0),
    entries: [...entries].sort(inTime),
    meets: entries.map(meetOf).filter((meet) => meet !== null),
  };
}

function gather<T>(values: T[], keyOf: (value: T) => string): Map<string, T[]> {
  const sets = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const set = sets.get(key);
    if (set) set.push(value);
    else sets.set(key, [value]);
  }
  return sets;
}

/**
 * Parts groups whose terms have no week in common: where a module is held in both semesters, a student takes one of the
 * groups of each.
 */
function partByTerm(groups: Group[]): Group[][] {
  const parts: { quarters: Quarters; groups: Group[] }[] = [];
  for (const group of groups) {
    const touching = parts.filter((part) => (part.quarters & group.quarters) !== 0);
    const joined = {
      quarters: touching.reduce((set, part) => set | part.quarters, group.quarters),
      groups: [...touching.flatMap((part) => part.groups), group],
    };
    parts.splice(0, parts.length, ...parts.filter((part) => !touching.includes(part)), joined);
  }
  return parts.map((part) => part.groups);
}

/** All that lectures offer to choose from, by module and kind of group. Lectures without a group are alternatives of one. */
export function alternativesOf(entries: Entry[]): Alternatives[] {
  const lectures = entries.filter((entry) => entry.kind === "lecture");
  const sets = gather(lectures, (entry) => `${entry.module}\u0000${family(entry.group)}`);
  const all: Alternatives[] = [];
  for (const set of sets.values()) {
    const { module, group } = set[0]!;
    const groups = [...gather(set, (entry) => entry.group.trim().toUpperCase())].map(([name, rows]) => groupOf(name, rows));
    groups.sort((a, b) => a.name.localeCompare(b.name));
    partByTerm(groups).forEach((part, index) => {
      const key = `${module} ${family(group)}` + (index > 0 ? ` ${index + 1}` : "");
      all.push({ key, module, family: family(group), meeting: meetingOf(group), groups: part });
    });
  }
  return all.sort((a, b) => a.module.localeCompare(b.module) || a.key.localeCompare(b.key));
}

/** Groups taken, by module. A module's choice speaks only of the families that it names. */
export type TakenGroups = Record<string, string[]>;

/** Whether a student who took these groups goes to the entry: the rule by which the API reads a choice of groups. */
export function takes(taken: TakenGroups, entry: Entry): boolean {
  const own = entry.group.trim().toUpperCase();
  const rivals = (taken[entry.module] ?? []).filter((group) => family(group) === family(own));
  return own === "" || rivals.length === 0 || rivals.includes(own);
}

/** The name of alternatives within their module: their letter, and where needed a number. */
export function letterOf(one: Alternatives): string {
  return one.key.slice(one.module.length + 1);
}

/** What is chosen of a module: a group under the letter of its alternatives. */
export type Chosen = Record<string, string>;

/** Keys that an older page wrote for groups that were still to choose: they are no choice. */
const isFiller = (letter: string) => letter.includes(":");

/** The group of these that is chosen. A newer timetable may letter them anew, so that it stands under another letter. */
export function chosenOf(own: Chosen, one: Alternatives): string | undefined {
  const isOne = (name: string | undefined) => one.groups.some((group) => group.name === name);
  const mine = own[letterOf(one)];
  return isOne(mine) ? mine : Object.entries(own).find(([letter, name]) => !isFiller(letter) && isOne(name))?.[1];
}

/** Chooses a group, or with undefined leaves it open again. */
export function withGroup(own: Chosen, one: Alternatives, name: string | undefined): Chosen {
  const replaced = (letter: string, group: string) => isFiller(letter) || letter === letterOf(one) || one.groups.some((other) => other.name === group);
  const next = Object.fromEntries(Object.entries(own).filter(([letter, group]) => !replaced(letter, group)));
  return name === undefined ? next : { ...next, [letterOf(one)]: name };
}

/**
 * The groups taken of each module, in the form that the API reads, in which a choice speaks of all groups of its letter, in whichever
 * semester and year. So where something is chosen of one semester or year, the groups of the others, which are still to choose, are
 * named, too, and none of them is lost. years are the lectures of each academic year, the newest first: it has the first word where
 * two years have groups of one name.
 */
export function takenGroups(choices: Record<string, Chosen>, years: Entry[][]): TakenGroups {
  const offered = years.map((entries) => alternativesOf(entries).filter((one) => one.family !== "" && choices[one.module]));
  const taken: TakenGroups = {};
  for (const [one] of gather(offered.flat(), ({ module, family }) => `${module}\u0000${family}`).values()) {
    const { module, family } = one!;
    const names = namesOf(choices[module]!, offered.map((all) => all.filter((one) => one.module === module && one.family === family)));
    if (names.length > 0) taken[module] = [...(taken[module] ?? []), ...names];
  }
  return taken;
}

/** The groups of one letter that are taken, by year; none where nothing is chosen of any. */
function namesOf(own: Chosen, years: Alternatives[][]): string[] {
  if (years.flat().every((one) => chosenOf(own, one) === undefined)) return [];
  const newer = new Set<string>();
  const names: string[] = [];
  for (const all of years) {
    for (const one of all) {
      const chosen = chosenOf(own, one);
      const open = one.groups.map((group) => group.name);
      names.push(...(chosen === undefined ? open : [chosen]).filter((name) => !newer.has(name)));
    }
    for (const one of all) for (const group of one.groups) newer.add(group.name);
  }
  return names;
}
