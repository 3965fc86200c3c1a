import { expect, test } from "vitest";
import { freeInCommon } from "./free";
import { layoutWeek } from "./grid";
import { entryOf, randomAlternatives, randomOf } from "./random";
import { classesOf, decodeWeek, encodeWeek, entryOfShared, type SharedWeek } from "./share";

function randomWeek(seed: number): SharedWeek {
  const shape = { modules: 6, families: ["G", "P"], groups: 2, meets: 4, terms: ["S1", "Q2"], periods: 9 };
  const entries = randomAlternatives(randomOf(seed), shape).flatMap((one) => one.groups.flatMap((group) => group.entries));
  return { name: "Zoë’s week 🎓", year: 2026, classes: classesOf(entries) };
}

test("a week comes back from its link as it was", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const week = randomWeek(seed);
    expect(decodeWeek(encodeWeek(week)!), `seed ${seed}`).toEqual(week);
  }
  expect(decodeWeek(encodeWeek({ name: "", year: 2026, classes: [] })!)).toEqual({ name: "", year: 2026, classes: [] });
});

test("a link fits in a message", () => {
  const week = randomWeek(3);
  expect(encodeWeek({ ...week, classes: week.classes.slice(0, 25) })!.length).toBeLessThan(700);
});

test("whatever else is in the address is refused", () => {
  const text = encodeWeek(randomWeek(1))!;
  for (const garbage of [
    "",
    "A",
    "????",
    "a".repeat(50_000),
    text.slice(0, -1),
    text + "A",
    "Z" + text.slice(1),
    text.slice(4),
  ]) {
    expect(decodeWeek(garbage)).toBeNull();
  }
});

test("one changed letter is never read as another week", () => {
  const text = encodeWeek(randomWeek(2))!;
  const random = randomOf(7);
  for (let n = 0; n < 2000; n++) {
    const at = random(text.length - 1);
    const changed = text.slice(0, at) + "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[random(28)] + text.slice(at + 1);
    if (changed !== text) expect(decodeWeek(changed)).toBeNull();
  }
});

test("long texts are cut, and not within a character", () => {
  const week = { name: "🎓".repeat(200), year: 2026, classes: [] };
  expect(decodeWeek(encodeWeek(week)!)!.name).toBe("🎓".repeat(60));
});

test("a shared week looks like the week it came of", () => {
  const entries = [entryOf({}), entryOf({ day: "Friday", module: "WTW 114", venue: "", venues: [] })];
  const shared = decodeWeek(encodeWeek({ name: "", year: 2026, classes: classesOf(entries) })!)!;
  const slots = layoutWeek(shared.classes.map(entryOfShared), "S1").placed.map(({ day, start, end }) => ({ day, start, end }));
  expect(slots).toEqual([
    { day: 0, start: 510, end: 560 },
    { day: 4, start: 510, end: 560 },
  ]);
});

test("free in common is what nobody has a class in", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const weeks = [randomWeek(seed).classes, randomWeek(seed + 1000).classes];
    const free = freeInCommon(weeks);
    for (let day = 0; day < 5; day++) {
      for (let minute = 450; minute < 1050; minute += 10) {
        const busy = weeks.flat().some((one) => one.day === day && one.start <= minute && minute < one.end);
        const told = free.some((slot) => slot.day === day && slot.start <= minute && minute < slot.end);
        if (told) expect(busy, `seed ${seed}`).toBe(false);
        if (!told && !busy) expect(lengthAround(weeks.flat(), day, minute), `seed ${seed}`).toBeLessThan(30);
      }
    }
  }
});

function lengthAround(classes: { day: number; start: number; end: number }[], day: number, minute: number): number {
  const own = classes.filter((one) => one.day === day);
  const from = Math.max(450, ...own.filter((one) => one.end <= minute).map((one) => one.end));
  const to = Math.min(1050, ...own.filter((one) => one.start > minute).map((one) => one.start));
  return to - from;
}
