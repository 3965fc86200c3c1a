import { describe, expect, test } from "vitest";
import { alternativesOf, type Alternatives, type Meet } from "../courses";
import { costOf, type Preference, preferences } from "./cost";
import { clashesWithin } from "./problem";
import { entryOf, randomAlternatives, randomOf, type Shape } from "../random";
import { defaultSteps, search } from "./search";

function ask(alternatives: Alternatives[], preference: Preference = "mornings") {
  return { alternatives, preference, best: 5, steps: defaultSteps, locks: {}, language: "" as const };
}

function meetsOf(alternatives: Alternatives[], groups: Record<string, string[]>): Meet[] {
  return alternatives.flatMap((one) => one.groups.find((group) => group.name === groups[one.key]![0])!.meets);
}

/** Every way to choose, judged by the definitions alone. */
function bruteForce(alternatives: Alternatives[], preference: Preference): { clashes: number; cost: number }[] {
  let ways: Meet[][] = [[]];
  for (const one of alternatives) {
    // Groups that are held at the same times are one way.
    const different = new Map(
      one.groups.map((group) => [JSON.stringify(group.meets.map((meet) => JSON.stringify(meet)).sort()), group]),
    );
    ways = ways.flatMap((meets) => [...different.values()].map((group) => [...meets, ...group.meets]));
  }
  return ways
    .map((meets) => ({ clashes: clashesWithin(meets), cost: costOf(preference, meets) }))
    .sort((a, b) => a.clashes - b.clashes || a.cost - b.cost);
}

const shapes: Shape[] = [
  { modules: 3, families: ["G", "P"], groups: 3, meets: 2, terms: ["S1"], periods: 4 },
  { modules: 4, families: ["G"], groups: 4, meets: 3, terms: ["S1", "S2", "Y"], periods: 8 },
  { modules: 4, families: ["P"], groups: 4, meets: 1, terms: ["Q1", "Q2", "S1", ""], periods: 9 },
  { modules: 2, families: ["G", "P", "T"], groups: 3, meets: 3, terms: ["S1", "Q2", "Q3"], periods: 10 },
];

describe("the search against every way to choose", () => {
  test.each(preferences)("%s", (preference) => {
    for (let seed = 1; seed <= 60; seed++) {
      const alternatives = randomAlternatives(randomOf(seed), shapes[seed % shapes.length]!);
      const answer = search(ask(alternatives, preference));
      const want = bruteForce(alternatives, preference).slice(0, 5);
      expect(answer.complete, `seed ${seed}`).toBe(true);
      expect(
        answer.best.map(({ clashes, cost }) => ({ clashes, cost })),
        `seed ${seed}`,
      ).toEqual(want);
      for (const found of answer.best) {
        const meets = meetsOf(alternatives, found.groups);
        expect([clashesWithin(meets), costOf(preference, meets)], `seed ${seed}`).toEqual([found.clashes, found.cost]);
      }
      expect(new Set(answer.best.map((found) => JSON.stringify(found.groups))).size, `seed ${seed}`).toBe(answer.best.length);
    }
  });
});

const at = (module: string, group: string, day: string, startTime: string, endTime: string, some = {}) =>
  entryOf({ module, group, day, startTime, endTime, ...some });

const practicals = alternativesOf([
  at("COS 212", "G01", "Monday", "08:30", "09:20"),
  at("COS 212", "P01", "Monday", "08:30", "11:20"),
  at("COS 212", "P02", "Tuesday", "13:30", "16:20"),
  at("COS 212", "P03", "Tuesday", "13:30", "16:20"),
  at("WTW 114", "T01", "Tuesday", "14:30", "15:20"),
]);

test("clashes count before what is preferred", () => {
  const locked = search({ ...ask(practicals), locks: { "COS 212 P": "P02" } });
  expect(locked.best.map((found) => [found.groups["COS 212 P"], found.clashes])).toEqual([[["P02"], 1]]);
});

test("groups held at the same times are one way, and both are told", () => {
  const answer = search(ask(practicals));
  expect(answer.ways).toBe(2);
  expect(answer.best.map((found) => found.groups["COS 212 P"])).toEqual([["P01"], ["P02", "P03"]]);
});

test("a group in another language is taken only where there is no other", () => {
  const alternatives = alternativesOf([
    at("COS 212", "G01", "Monday", "08:30", "09:20", { lang: "A L" }),
    at("COS 212", "G02", "Monday", "15:30", "16:20", { lang: "E L" }),
    at("WTW 114", "G01", "Friday", "08:30", "09:20", { lang: "A L" }),
  ]);
  const [first] = search({ ...ask(alternatives), language: "E" }).best;
  expect(first!.groups).toEqual({ "COS 212 G": ["G02"], "WTW 114 G": ["G01"] });
});

test("quarters that do not meet do not clash", () => {
  const alternatives = alternativesOf([
    at("COS 212", "G01", "Monday", "08:30", "09:20", { semester: "Q1" }),
    at("WTW 114", "G01", "Monday", "08:30", "09:20", { semester: "Q2" }),
    at("PHY 114", "G01", "Monday", "08:30", "09:20", { semester: "Q2" }),
  ]);
  expect(search(ask(alternatives)).best[0]!.clashes).toBe(1);
});

test("nothing to choose is one timetable, and nothing at all is an empty one", () => {
  expect(search(ask([])).best).toEqual([{ groups: {}, clashes: 0, cost: 0 }]);
  expect(search(ask(alternativesOf([entryOf({ day: undefined })]))).best.length).toBe(1);
});

const large: Shape = { modules: 10, families: ["P"], groups: 20, meets: 1, terms: ["S1"], periods: 9 };

test.each(preferences)("20 alternatives in each of 10 modules are searched to the end: %s", (preference) => {
  for (let seed = 1; seed <= 5; seed++) {
    expect(search(ask(randomAlternatives(randomOf(seed), large), preference)).complete, `seed ${seed}`).toBe(true);
  }
});

test("a search that has to stop says so, and still gives a timetable", () => {
  const answer = search({ ...ask(randomAlternatives(randomOf(1), large), "fewGaps"), steps: 100 });
  expect(answer.complete).toBe(false);
  expect(Object.keys(answer.best[0]!.groups).length).toBe(10);
});
