// "Find me a timetable": of each kind of group of each module one, so that as few as possible clash, and among those
// the ones that the student likes best.

import type { Alternatives, Meet } from "../courses";
import type { Budget } from "./bounds";
import { costOf, type Preference } from "./cost";
import { independent, type Restrictions, type Variable, variablesOf } from "./problem";
import { compare, type Pick, Solver } from "./solver";

export interface Question extends Restrictions {
  alternatives: Alternatives[];
  preference: Preference;
  /** How many timetables are wanted. */
  best: number;
  /** After so many looks at single options the search stops. */
  steps: number;
}

/** A timetable that was found. */
export interface Found {
  /** By the key of the alternatives: the group taken, then others that are held at the same times. */
  groups: Record<string, string[]>;
  clashes: number;
  /** What the preference costs: minutes, days or changes of campus, added up over the quarters of the year. */
  cost: number;
}

export interface Answer {
  best: Found[];
  /** False where the search had to stop before it had seen all that matters: there may be better ones. */
  complete: boolean;
  /** How many ways there are to choose. */
  ways: number;
}

/** Steps that take a laptop about a second. */
export const defaultSteps = 30_000_000;

/** So many equally good timetables are kept, to show ones that differ. */
const poolSize = 40;

interface Whole extends Pick {
  parts: Pick[];
}

/** Joins the best of parts that do not touch each other: clashes and costs add up. */
function join(wholes: Whole[], picks: Pick[], best: number): Whole[] {
  const joined = wholes.flatMap((whole) =>
    picks.map((pick) => ({
      clashes: whole.clashes + pick.clashes,
      cost: whole.cost + pick.cost,
      options: [],
      parts: [...whole.parts, pick],
    })),
  );
  joined.sort(compare);
  const limit = joined[best - 1];
  return joined.filter((whole, at) => at < poolSize && (!limit || compare(whole, limit) <= 0));
}

/** Searches for the best timetables. The same question has the same answer on every machine. */
export function search(question: Question): Answer {
  const variables = variablesOf(question.alternatives, question);
  const ways = variables.reduce((count, variable) => count * variable.options.length, 1);
  const parts = independent(variables);
  const budget: Budget = { steps: question.steps };
  let wholes: Whole[] = [{ clashes: 0, cost: 0, options: [], parts: [] }];
  for (const part of parts) {
    const picks = new Solver(part, question.preference, question.best, poolSize, budget).run();
    wholes = join(wholes, picks, question.best);
  }
  const chosen = differing(wholes, parts, question.best);
  return { best: chosen.map((whole) => found(whole, parts)), complete: budget.steps > 0, ways };
}

function found(whole: Whole, parts: Variable[][]): Found {
  const groups: Record<string, string[]> = {};
  parts.forEach((part, at) => {
    part.forEach((variable, place) => {
      groups[variable.key] = variable.options[whole.parts[at]!.options[place]!]!.groups;
    });
  });
  return { groups, clashes: whole.clashes, cost: whole.cost };
}

function meetsOf(whole: Whole, parts: Variable[][]): Meet[] {
  return parts.flatMap((part, at) =>
    part.flatMap((variable, place) => variable.options[whole.parts[at]!.options[place]!]!.meets),
  );
}

/**
 * Of the equally good ones at the end of the list, those that differ most from what is shown already; the first is that with
 * the fewest gaps.
 */
function differing(wholes: Whole[], parts: Variable[][], best: number): Whole[] {
  const limit = wholes[Math.min(best, wholes.length) - 1];
  if (!limit) return [];
  const chosen = wholes.filter((whole) => compare(whole, limit) < 0);
  const ties = wholes.filter((whole) => compare(whole, limit) === 0);
  const gaps = new Map(ties.map((whole) => [whole, costOf("fewGaps", meetsOf(whole, parts))]));
  ties.sort((a, b) => gaps.get(a)! - gaps.get(b)!);
  while (chosen.length < best && ties.length > 0) {
    const distances = ties.map((tie) => Math.min(...chosen.map((other) => distance(tie, other))));
    const farthest = distances.indexOf(Math.max(...distances));
    chosen.push(...ties.splice(farthest, 1));
  }
  return chosen;
}

/** In how many choices two timetables differ. */
function distance(a: Whole, b: Whole): number {
  let count = 0;
  a.parts.forEach((part, at) => {
    part.options.forEach((option, place) => {
      if (option !== b.parts[at]!.options[place]) count++;
    });
  });
  return count;
}
