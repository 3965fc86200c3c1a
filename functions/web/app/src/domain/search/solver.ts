// Branch and bound over variables that are held in the same weeks. It is exact: it leaves out only what cannot be among
// the best, unless it has to stop because its steps are used up.

import type { Meet } from "../courses";
import { type Bound, boundOf, type Budget, type Open } from "./bounds";
import { costOf, type Preference } from "./cost";
import { clashesBetween, clashesWithin, seasonsOf, type Variable } from "./problem";

/** What asking a bound costs, in steps for each variable. */
const boundSteps = 20;

/** One way to take an option of each variable. */
export interface Pick {
  clashes: number;
  cost: number;
  /** The place of the option, by variable. */
  options: number[];
}

export function compare(a: { clashes: number; cost: number }, b: { clashes: number; cost: number }): number {
  return a.clashes - b.clashes || a.cost - b.cost;
}

export class Solver {
  private readonly first: number[] = []; // the first option of each variable
  private readonly meets: Meet[][];
  private readonly clash: Uint16Array;
  private readonly bound: Bound;
  private readonly seasons;
  private readonly chosen: number[];
  private readonly pool: Pick[] = [];
  private readonly all: number;

  constructor(
    private readonly variables: Variable[],
    private readonly preference: Preference,
    private readonly best: number,
    private readonly poolSize: number,
    private readonly budget: Budget,
  ) {
    this.meets = variables.flatMap((variable) => {
      this.first.push(0);
      return variable.options.map((option) => option.meets);
    });
    let next = 0;
    variables.forEach((variable, at) => {
      this.first[at] = next;
      next += variable.options.length;
    });
    this.all = next;
    this.clash = this.clashTable();
    this.seasons = seasonsOf(this.meets.flat());
    this.bound = boundOf(preference, this.meets, this.seasons, budget);
    this.chosen = variables.map(() => -1);
  }

  /** The best picks, in order; with fewer than the best ones only where there are no more. */
  run(): Pick[] {
    const own = Uint16Array.from(this.meets, clashesWithin);
    const open = this.variables.map((_, variable) => variable);
    this.dive(open, own, 0);
    return this.pool;
  }

  private clashTable(): Uint16Array {
    const table = new Uint16Array(this.all * this.all);
    for (let a = 0; a < this.all; a++) {
      for (let b = 0; b < a; b++) {
        table[a * this.all + b] = table[b * this.all + a] = clashesBetween(this.meets[a]!, this.meets[b]!);
      }
    }
    return table;
  }

  /** What a pick must beat to be of interest: the last of the best, once there are so many. */
  private limit(): Pick | undefined {
    return this.pool[this.best - 1];
  }

  /** conflicts holds, by option, its clashes with what is chosen. */
  private dive(open: number[], conflicts: Uint16Array, clashes: number): void {
    if (open.length === 0) return this.note(clashes);
    if (this.budget.steps <= 0 && this.pool.length > 0) return;
    const useful = this.usefulOptions(open, conflicts, clashes);
    if (useful === null) return;
    const at = shortest(useful);
    const variable = open[at]!;
    const rest = open.filter((other) => other !== variable);
    for (const option of this.inOrder(useful[at]!, conflicts)) {
      this.chosen[variable] = option;
      this.bound.take(option);
      this.dive(rest, this.with(conflicts, option, rest), clashes + conflicts[option]!);
      this.bound.giveBack();
    }
  }

  private with(conflicts: Uint16Array, option: number, rest: number[]): Uint16Array {
    const next = conflicts.slice();
    const row = option * this.all;
    for (const variable of rest) {
      const end = this.first[variable]! + this.variables[variable]!.options.length;
      for (let other = this.first[variable]!; other < end; other++) next[other]! += this.clash[row + other]!;
    }
    return next;
  }

  /** The options that may lead to something better than the limit, by open variable; null where none does. */
  private usefulOptions(open: number[], conflicts: Uint16Array, clashes: number): Open | null {
    const fewest = open.map((variable) => this.fewestConflicts(variable, conflicts));
    const least = fewest.reduce((sum, few) => sum + few, clashes);
    const limit = this.limit();
    const slack = limit ? limit.clashes - least : Infinity;
    if (slack < 0) return null;
    const useful = open.map((variable, at) => this.within(variable, conflicts, fewest[at]! + slack));
    if (limit && slack === 0 && this.tooDear(useful, limit)) return null;
    return useful;
  }

  private tooDear(useful: Open, limit: Pick): boolean {
    this.budget.steps -= boundSteps * this.variables.length;
    // Ties with the limit are of interest while the pool has room: the page shows those that differ.
    const wanted = this.pool.length < this.poolSize ? limit.cost + 1e-9 : limit.cost;
    return this.bound.atLeast(useful, wanted) >= wanted;
  }

  private fewestConflicts(variable: number, conflicts: Uint16Array): number {
    const count = this.variables[variable]!.options.length;
    this.budget.steps -= count;
    let fewest = Infinity;
    for (let option = this.first[variable]!, left = count; left > 0; option++, left--) {
      if (conflicts[option]! < fewest) fewest = conflicts[option]!;
    }
    return fewest;
  }

  private within(variable: number, conflicts: Uint16Array, most: number): number[] {
    const options: number[] = [];
    const end = this.first[variable]! + this.variables[variable]!.options.length;
    for (let option = this.first[variable]!; option < end; option++) if (conflicts[option]! <= most) options.push(option);
    return options;
  }

  private inOrder(options: number[], conflicts: Uint16Array): number[] {
    const guess = new Map(options.map((option) => [option, this.bound.guess(option)]));
    return options.sort((a, b) => conflicts[a]! - conflicts[b]! || guess.get(a)! - guess.get(b)! || a - b);
  }

  private note(clashes: number): void {
    const pick = {
      clashes,
      cost: costOf(
        this.preference,
        this.chosen.flatMap((option) => this.meets[option]!),
        this.seasons,
      ),
      options: this.chosen.map((option, variable) => option - this.first[variable]!),
    };
    const limit = this.limit();
    if (limit && compare(pick, limit) > 0) return;
    if (this.pool.length === this.poolSize && compare(pick, this.pool.at(-1)!) >= 0) return;
    let at = this.pool.length;
    while (at > 0 && compare(pick, this.pool[at - 1]!) < 0) at--;
    this.pool.splice(at, 0, pick);
    const worst = this.limit();
    while (this.pool.length > this.poolSize || (worst && compare(this.pool.at(-1)!, worst) > 0)) this.pool.pop();
  }
}

function shortest(lists: Open): number {
  return lists.reduce((best, list, at) => (list.length < lists[best]!.length ? at : best), 0);
}
