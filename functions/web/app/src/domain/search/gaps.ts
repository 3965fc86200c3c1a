// The bound of the preference for few gaps. A week is a row of bits, one for each unit of time of each day, so that a gap
// is a count of bits.

import type { Meet } from "../courses";
import type { Bound, Budget, Open } from "./bounds";
import { breakMinutes } from "./cost";
import type { Season } from "./problem";

/** How time is cut into bits: fine enough that every start and end lies on a border. */
interface Scale {
  from: number;
  unit: number;
  words: number; // 32-bit words of one day
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

function scaleOf(meets: Meet[]): Scale {
  const from = Math.min(...meets.map((meet) => meet.start), 24 * 60);
  const to = Math.max(...meets.map((meet) => meet.end), from) + breakMinutes;
  const unit = meets.reduce((unit, meet) => divisor(divisor(unit, meet.start - from), meet.end - from), breakMinutes);
  return { from, unit, words: Math.ceil((to - from) / unit / 32) };
}

function count(bits: number): number {
  let n = bits - ((bits >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

const dayCount = 7;

/** The meetings, each with the break after it, as bits: seasons, in each the days, in each the words. */
function draw(meets: Meet[], seasons: Season[], scale: Scale): Int32Array {
  const bits = new Int32Array(seasons.length * dayCount * scale.words);
  for (const meet of meets) {
    seasons.forEach((season, at) => {
      if ((meet.quarters & season.quarter) === 0) return;
      const day = (at * dayCount + meet.day) * scale.words;
      const end = (meet.end + breakMinutes - scale.from) / scale.unit;
      for (let unit = (meet.start - scale.from) / scale.unit; unit < end; unit++) bits[day + (unit >> 5)]! |= 1 << (unit & 31);
    });
  }
  return bits;
}

/** Writes into holes what lies between the first and the last bit of each day and is not set. */
function findHoles(bits: Int32Array, holes: Int32Array, words: number): void {
  holes.fill(0);
  for (let day = 0; day < bits.length; day += words) {
    let first = 0;
    let last = words - 1;
    while (first < words && bits[day + first] === 0) first++;
    while (last > first && bits[day + last] === 0) last--;
    for (let word = first; word <= last && first < words; word++) {
      let span = -1;
      const lowest = bits[day + first]! & -bits[day + first]!;
      if (word === first) span &= ~(lowest - 1);
      if (word === last) span &= -1 >>> Math.clz32(bits[day + last]!);
      holes[day + word] = span & ~bits[day + word]!;
    }
  }
}

/**
 * What is between classes now may be filled by what is still open, but each variable fills no more than its best option
 * does. What is added outside makes no gap smaller.
 */
export function gaps(options: Meet[][], seasons: Season[], budget: Budget): Bound {
  const scale = scaleOf(options.flat());
  const drawn = options.map((meets) => draw(meets, seasons, scale));
  const size = seasons.length * dayCount * scale.words;
  const perSeason = dayCount * scale.words;
  const taken: Int32Array[] = [new Int32Array(size)];
  const holes = new Int32Array(size);
  const everywhere = new Int32Array(size).fill(-1);

  function weigh(bits: Int32Array): number {
    budget.steps -= size / 16;
    let sum = 0;
    for (let word = 0; word < size; word++) {
      if (holes[word] !== 0) sum += seasons[Math.floor(word / perSeason)]!.weight * count(bits[word]! & holes[word]!);
    }
    return sum;
  }

  function atLeast(open: Open, limit: number): number {
    findHoles(taken.at(-1)!, holes, scale.words);
    let left = weigh(everywhere);
    for (const variable of open) {
      if (left * scale.unit < limit) break; // it is asked whether the limit is reached
      left -= variable.reduce((most, option) => Math.max(most, weigh(drawn[option]!)), 0);
    }
    return Math.max(0, left) * scale.unit;
  }

  function added(option: number): Int32Array {
    const now = taken.at(-1)!;
    return drawn[option]!.map((word, at) => word | now[at]!);
  }

  return {
    guess(option) {
      findHoles(added(option), holes, scale.words);
      return weigh(everywhere);
    },
    take: (option) => void taken.push(added(option)),
    giveBack: () => void taken.pop(),
    atLeast,
  };
}
