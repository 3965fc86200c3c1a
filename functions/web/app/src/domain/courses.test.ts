import { expect, test } from "vitest";
import { campusIn, campusOf } from "./campus";
import { alternativesOf, takenGroups, takes, withGroup } from "./courses";
import { entryOf } from "./random";
import { specialDays, semesterDates } from "./year";
import { semestersOf, termsMeet } from "./terms";

test("rows of a group belong together, and groups of one letter are alternatives", () => {
  const found = alternativesOf([
    entryOf({ group: "G01", activity: "L1" }),
    entryOf({ group: "G01", activity: "L2", day: "Tuesday" }),
    entryOf({ group: "P02" }),
    entryOf({ group: "P01" }),
    entryOf({ kind: "exam" }),
  ]);
  expect(found.map((one) => [one.key, one.meeting, one.groups.map((group) => [group.name, group.entries.length])])).toEqual([
    ["COS 212 G", "lecture", [["G01", 2]]],
    [
      "COS 212 P",
      "practical",
      [
        ["P01", 1],
        ["P02", 1],
      ],
    ],
  ]);
});

test("groups of two semesters are no alternatives of each other", () => {
  const found = alternativesOf([
    entryOf({ group: "P01", semester: "S1" }),
    entryOf({ group: "P02", semester: "Q1" }),
    entryOf({ group: "P03", semester: "S2" }),
  ]);
  expect(found.map((one) => [one.key, one.groups.map((group) => group.name)])).toEqual([
    ["COS 212 P", ["P01", "P02"]],
    ["COS 212 P 2", ["P03"]],
  ]);
});

test("groups of parts of a term that a third group joins are alternatives", () => {
  const found = alternativesOf(["Q1", "Q2", "S1"].map((semester, at) => entryOf({ group: `P0${at}`, semester })));
  expect(found.map((one) => one.groups.length)).toEqual([3]);
});

test("a choice of groups speaks of its own letters only", () => {
  const taken = { "COS 212": ["P02"] };
  const takesGroup = (group: string, module = "COS 212") => takes(taken, entryOf({ group, module }));
  expect([takesGroup("P02"), takesGroup("P01"), takesGroup("G01"), takesGroup(""), takesGroup("P01", "COS 226")]).toEqual([
    true,
    false,
    true,
    true,
    true,
  ]);
});

test("the campus is what the venue names, else what the row prints", () => {
  expect(campusIn("Prinshof Campus, HW Snyman")).toBe("Prinshof");
  expect(campusIn("IT 4-4")).toBe("");
  expect(campusOf(entryOf({ venues: ["Groenkloof Normal Hall"], campus: "HATFIELD" }))).toBe("Groenkloof");
  expect(campusOf(entryOf({ venues: ["IT 4-4"], campus: "HATFIELD" }))).toBe("Hatfield");
  expect(campusOf(entryOf({ venues: ["Mamelodi L2", "Prinshof 1"], campus: "HATFIELD" }))).toBe("");
});

test("terms that share weeks", () => {
  expect([
    termsMeet("S1", "Q2"),
    termsMeet("Q1", "Q2"),
    termsMeet("Y", "Q4"),
    termsMeet("", "S2"),
    termsMeet("S1", "Q3"),
  ]).toEqual([true, false, true, true, false]);
  expect(semestersOf(["Q3", "S2"])).toEqual(["S2"]);
  expect(semestersOf(["Y"])).toEqual(["S1", "S2"]);
});

const year = {
  year: 2026,
  terms: { S1: { start: "2026-02-09", end: "2026-05-22" } },
  recess: [{ start: "2026-03-28", end: "2026-04-06", name: "Recess" }],
  noLectures: [],
  follows: [{ date: "2026-04-07", weekday: "Monday" }],
  publicHolidays: [
    { date: "2026-04-27", name: "Freedom Day" },
    { date: "2026-08-09", name: "Women’s Day" },
  ],
};

test("special days are those of the semester, in order, the student’s own among them", () => {
  const own = { terms: {}, exclude: [{ start: "2026-02-20", end: "2026-02-20", name: "Wedding" }] };
  const dates = semesterDates("S1", year, own)!;
  expect(dates.own).toBe(false);
  expect(specialDays(dates, year, own).map((day) => [day.what, day.start])).toEqual([
    ["own", "2026-02-20"],
    ["recess", "2026-03-28"],
    ["follows", "2026-04-07"],
    ["holiday", "2026-04-27"],
  ]);
  expect(specialDays(dates, year, { ...own, recess: [] }).some((day) => day.what === "recess")).toBe(false);
  expect(semesterDates("S1", undefined, { terms: { S1: { start: "a", end: "b" } }, exclude: [] })).toMatchObject({ own: true });
});

test("a choice in one semester loses no group of the other", () => {
  const rows = (group: string, semester: string) => entryOf({ group, semester });
  const entries = [rows("P01", "S1"), rows("P02", "S1"), rows("P03", "S2"), rows("P04", "S2"), rows("G01", "S1")];
  const module = alternativesOf(entries);
  const [, first, second] = module as [(typeof module)[0], (typeof module)[0], (typeof module)[0]];
  const attended = (own: Record<string, string>) => entries.filter((entry) => takes(takenGroups({ "COS 212": own }, [entries]), entry)).map((entry) => entry.group);

  const one = withGroup({}, first, "P01");
  expect(attended(one)).toEqual(["P01", "P03", "P04", "G01"]);
  const both = withGroup(one, second, "P04");
  expect(both).toEqual({ P: "P01", "P 2": "P04" });
  expect(attended(both)).toEqual(["P01", "P04", "G01"]);
  expect(attended(withGroup(both, first, undefined))).toEqual(["P01", "P02", "P04", "G01"]);
  expect(withGroup(withGroup(one, first, undefined), second, undefined)).toEqual({});
});

test("a choice made for one year loses nothing of another, and the newest year has the first word", () => {
  const groups = (module: string, ...names: string[]) => names.map((group) => entryOf({ module, group }));
  const now = groups("COS 212", "G02", "G03");
  const lastYear = [...groups("COS 212", "G01", "G02", "G05"), ...groups("WTW 114", "P01", "P02")];
  const chosen = { "COS 212": { G: "G01" }, "WTW 114": { P: "P02" }, "OLD 100": { G: "G01" } };
  // Last year's G01 says nothing of this year's lectures, which have no such group.
  expect(takenGroups(chosen, [now, lastYear])).toEqual({ "COS 212": ["G02", "G03", "G01"], "WTW 114": ["P02"] });
  expect(takenGroups({ "COS 212": { G: "G02" } }, [now, lastYear])).toEqual({ "COS 212": ["G02"] });
  expect(takenGroups({ "COS 212": { G: "G03" } }, [now, lastYear])).toEqual({ "COS 212": ["G03", "G01", "G05"] });
});

test("groups that a newer timetable has instead are still to choose, not lost", () => {
  const before = [entryOf({ group: "P01", semester: "S1" }), entryOf({ group: "P03", semester: "S2" }), entryOf({ group: "P04", semester: "S2" })];
  const own = withGroup({}, alternativesOf(before)[1]!, "P04");
  const after = [...before.slice(2), entryOf({ group: "P08", semester: "S1" }), entryOf({ group: "P09", semester: "S1" })];
  expect(takenGroups({ "COS 212": own }, [after])).toEqual({ "COS 212": ["P04", "P08", "P09"] });
  // Of one semester alone, P04 stands under another letter than before.
  expect(takenGroups({ "COS 212": own }, [[...before.slice(1)]])).toEqual({ "COS 212": ["P04"] });
  expect(withGroup(own, alternativesOf(before.slice(1))[0]!, "P03")).toEqual({ P: "P03" });
  // What an older page wrote of groups that were still to choose is no choice.
  expect(takenGroups({ "COS 212": { P: "P01", "P 2:P03": "P03" } }, [before])).toEqual({ "COS 212": ["P01", "P03", "P04"] });
});
