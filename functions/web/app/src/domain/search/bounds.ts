// Lower bounds of what a preference will cost once the rest is chosen. Each must never exceed the true cost of any
// completion: the search leaves out what its bound rules out.

import type { Meet } from "../courses";
import { costOf, inSeason, type Preference, weekCost } from "./cost";
import { gaps } from "./gaps";
import type { Season } from "./problem";

/** What is still to choose: for each variable that is open, the options that could still be taken. */
export type Open = number[][];

export interface Bound {
  /** Takes an option, and gives it back; in the order of a stack. */
  take(option: number): void;
  giveBack(): void;
  /** No completion costs less. limit is the cost from which on nobody asks. */
  atLeast(open: Open, limit: number): number;
  /** What the option may cost: the cheap ones are tried first. */
  guess(option: number): number;
}

/** Steps are looks at single options; they are counted, so that the same question always has the same answer. */
export interface Budget {
  steps: number;
}

/** Sums that each option adds to by itself: minutes of mornings and of afternoons. */
function additive(alone: Float64Array): Bound {
  const taken = [0];
  return {
    guess: (option) => alone[option]!,
    take: (option) => void taken.push(taken.at(-1)! + alone[option]!),
    giveBack: () => void taken.pop(),
    atLeast: (open) => open.reduce((sum, options) => sum + least(options, (option) => alone[option]!), taken.at(-1)!),
  };
}

function least(options: number[], of: (option: number) => number): number {
  let min = Infinity;
  for (const option of options) min = Math.min(min, of(option));
  return min;
}

/** The latest end in each season: it only grows. */
function latest(alone: Float64Array, ends: Float64Array[], seasons: Season[]): Bound {
  const taken = seasons.map(() => [0]);
  return {
    guess: (option) => alone[option]!,
    take: (option) => taken.forEach((stack, season) => stack.push(Math.max(stack.at(-1)!, ends[season]![option]!))),
    giveBack: () => taken.forEach((stack) => stack.pop()),
    atLeast: (open) =>
      taken.reduce((sum, stack, season) => {
        const end = open.reduce(
          (max, options) =>
            Math.max(
              max,
              least(options, (o) => ends[season]![o]!),
            ),
          stack.at(-1)!,
        );
        return sum + seasons[season]!.weight * end;
      }, 0),
  };
}

function bitsIn(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** All sets of days, the small ones first. */
const daySets = Array.from({ length: 128 }, (_, mask) => mask).sort((a, b) => bitsIn(a) - bitsIn(b) || a - b);

/** The fewest days that hold what is taken and, of everything open, some option. */
function fewestDays(taken: number, open: Open, masks: Uint8Array): number {
  const fits = (set: number) =>
    (set & taken) === taken && open.every((options) => options.some((option) => (masks[option]! & ~set) === 0));
  return bitsIn(daySets.find(fits) ?? 127);
}

function days(alone: Float64Array, masks: Uint8Array[], seasons: Season[]): Bound {
  const taken = seasons.map(() => [0]);
  return {
    guess: (option) => alone[option]!,
    take: (option) => taken.forEach((stack, season) => stack.push(stack.at(-1)! | masks[season]![option]!)),
    giveBack: () => taken.forEach((stack) => stack.pop()),
    atLeast: (open) =>
      taken.reduce((sum, stack, at) => sum + seasons[at]!.weight * fewestDays(stack.at(-1)!, open, masks[at]!), 0),
  };
}

/** The changes of campus among what is taken: a class in between never makes them fewer. */
function changes(alone: Float64Array, options: Meet[][], seasons: Season[]): Bound {
  const taken: Meet[][] = [];
  return {
    guess: (option) => alone[option]!,
    take: (option) => void taken.push(options[option]!),
    giveBack: () => void taken.pop(),
    atLeast: () => costOf("shortWalks", taken.flat(), seasons),
  };
}

/** Makes the bound of a preference for options, given by their meetings. */
export function boundOf(preference: Preference, options: Meet[][], seasons: Season[], budget: Budget): Bound {
  const alone = Float64Array.from(options, (meets) => costOf(preference, meets, seasons));
  switch (preference) {
    case "mornings":
    case "afternoons":
      return additive(alone);
    case "earlyFriday": {
      const ends = seasons.map((one) => Float64Array.from(options, (meets) => weekCost(preference, inSeason(meets, one))));
      return latest(alone, ends, seasons);
    }
    case "freeDays": {
      const mask = (meets: Meet[]) => meets.reduce((set, meet) => set | (1 << meet.day), 0);
      return days(
        alone,
        seasons.map((one) => Uint8Array.from(options, (meets) => mask(inSeason(meets, one)))),
        seasons,
      );
    }
    case "fewGaps":
      return gaps(options, seasons, budget);
    case "shortWalks":
      return changes(alone, options, seasons);
  }
}
