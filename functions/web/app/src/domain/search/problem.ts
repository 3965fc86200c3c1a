// The search's view of a timetable: variables (of each kind of group, one is taken) with options (groups that are held
// at the same times are one option), reduced to numbers.

import type { Alternatives, Group, Meet } from "../courses";
import { overlap } from "../entry";

/** Groups that are held at the same times on the same campus: whichever is taken, the week is the same. */
export interface Option {
  groups: string[];
  meets: Meet[];
}

export interface Variable {
  key: string;
  quarters: number;
  options: Option[];
}

export interface Restrictions {
  /** The group that is to be taken, by the key of its alternatives. */
  locks: Record<string, string>;
  /** Groups in the other language are left out where there is a choice. */
  language: "E" | "A" | "";
}

/** The groups that may be taken: the locked one, else those in the wanted language, else all. */
function allowed(alternatives: Alternatives, restrictions: Restrictions): Group[] {
  const lock = restrictions.locks[alternatives.key];
  const locked = alternatives.groups.filter((group) => group.name === lock);
  if (locked.length > 0) return locked;
  const { language } = restrictions;
  if (language === "") return alternatives.groups;
  const understood = alternatives.groups.filter((group) => group.language === "" || group.language === language);
  return understood.length > 0 ? understood : alternatives.groups;
}

function patternOf(group: Group): string {
  return group.meets
    .map((meet) => [meet.day, meet.start, meet.end, meet.quarters, meet.campus].join(" "))
    .sort()
    .join("|");
}

function optionsOf(groups: Group[]): Option[] {
  const options = new Map<string, Option>();
  for (const group of groups) {
    // A group without times that could be read is like no other: nobody knows when it is held.
    const pattern = group.meets.length === group.entries.length ? patternOf(group) : `only ${group.name}`;
    const same = options.get(pattern);
    if (same) same.groups.push(group.name);
    else options.set(pattern, { groups: [group.name], meets: group.meets });
  }
  return [...options.values()];
}

export function variablesOf(alternatives: Alternatives[], restrictions: Restrictions): Variable[] {
  return alternatives.map((one) => {
    const options = optionsOf(allowed(one, restrictions));
    const quarters = options.flatMap((option) => option.meets).reduce((set, meet) => set | meet.quarters, 0);
    return { key: one.key, quarters, options };
  });
}

/** Parts variables that are never held in the same weeks, such as those of the two semesters: each part is searched alone. */
export function independent(variables: Variable[]): Variable[][] {
  const parts: { quarters: number; variables: Variable[] }[] = [];
  for (const variable of variables) {
    const touching = parts.filter((part) => (part.quarters & variable.quarters) !== 0);
    const rest = parts.filter((part) => !touching.includes(part));
    rest.push({
      quarters: touching.reduce((set, part) => set | part.quarters, variable.quarters),
      variables: [...touching.flatMap((part) => part.variables), variable],
    });
    parts.splice(0, parts.length, ...rest);
  }
  return parts.map((part) => part.variables);
}

/** How many pairs of meetings, one of each list, are held at the same time. */
export function clashesBetween(a: Meet[], b: Meet[]): number {
  let count = 0;
  for (const one of a) {
    for (const other of b) {
      if ((one.quarters & other.quarters) !== 0 && overlap(one, other)) count++;
    }
  }
  return count;
}

/** How many pairs of one list are held at the same time. */
export function clashesWithin(meets: Meet[]): number {
  return meets.reduce((count, meet, at) => count + clashesBetween([meet], meets.slice(at + 1)), 0);
}

/** Weeks of the year that look alike: the quarters in which the same meetings are held. */
export interface Season {
  /** One of its quarters, as a bit. */
  quarter: number;
  /** How many quarters it has. */
  weight: number;
}

export function seasonsOf(meets: Meet[]): Season[] {
  const seasons = new Map<string, Season>();
  for (const quarter of [1, 2, 4, 8]) {
    const held = meets.map((meet) => ((meet.quarters & quarter) !== 0 ? "1" : "0")).join("");
    if (!held.includes("1")) continue;
    const season = seasons.get(held);
    if (season) season.weight++;
    else seasons.set(held, { quarter, weight: 1 });
  }
  return [...seasons.values()];
}
