import { expect, test, vi } from "vitest";
import type { Event } from "../api/client";
import { takes } from "../domain/courses";
import { entryOf } from "../domain/random";
import { optionsOf } from "./options";
import { academicYear, changeUpload, choices, events, onlySample, possibleYears, read, taken, unsent, uploads } from "./store";
import { refreshTimetable, timetable } from "./timetable";
import { takeTexts } from "../texts/take";
import { noChoices, type Upload } from "./types";

test("what cannot be read is as if nothing had been kept", () => {
  for (const text of [null, "", "{", "[]", '"x"', '{"uploads":7}']) expect(read(text)).toEqual({ uploads: [], choices: noChoices, feeds: [], timetable: null });
});

test("choices of an older page get what is new", () => {
  expect(read('{"choices":{"name":"Mine"}}').choices).toEqual({ ...noChoices, name: "Mine" });
});

const upload = (id: string): Upload => ({ id, name: id, size: 1, addedAt: "2026-01-01", state: "done" });
const lecture = (id: string, year: number): Event => ({ ...entryOf({ id }), year });

test("the sample gives way to the student's own timetables", () => {
  uploads.value = [{ ...upload("sample"), sample: [entryOf({ id: "made up" })] }];
  expect([events.value.map((e) => e.id), onlySample.value]).toEqual([["made up"], true]);
  timetable.value = { uploads: [], events: [lecture("own", 2026)] };
  expect([events.value.map((e) => e.id), onlySample.value]).toEqual([["own"], false]);
  uploads.value = [];
});

test("the lectures of the newest year are shown, with all tests and exams", () => {
  timetable.value = { uploads: [], events: [lecture("old", 2025), lecture("new", 2026), { ...lecture("test", 2025), kind: "test" }] };
  expect(events.value.map((e) => e.id)).toEqual(["new", "test"]);
});

test("what is shown and what is asked for speak of the same groups", () => {
  const row = (group: string, year: number): Event => ({ ...lecture(group, year), module: "COS 212", group });
  timetable.value = { uploads: [], events: [row("G01", 2025), row("G02", 2026), row("G03", 2026)] };
  choices.value = { ...noChoices, groups: { "COS 212": { G: "G01" } } }; // last year's
  expect(events.value.filter((e) => takes(taken.value, e)).map((e) => e.group)).toEqual(["G02", "G03"]);
  expect(optionsOf(choices.value, taken.value).groups).toEqual({ "COS 212": ["G02", "G03", "G01"] });
  choices.value = noChoices;
});

test("the academic year is that of the newest lectures, or a later one that the student gave", () => {
  timetable.value = { uploads: [], events: [lecture("new", 2026)] };
  expect([academicYear.value, possibleYears.value]).toEqual([2026, [2026, 2027]]);
  choices.value = { ...noChoices, year: 2027 };
  expect(academicYear.value).toBe(2027);
  timetable.value = { uploads: [], events: [lecture("newer", 2028)] };
  expect(academicYear.value).toBe(2028);
  choices.value = noChoices;
  timetable.value = null;
});

test("what only this browser has is not sent yet: neither what the server has, nor what it will not take", () => {
  const problem = (retry: boolean) => ({ code: "X", message: "", retry });
  uploads.value = [
    { ...upload("waits"), state: "waiting" }, { ...upload("goes"), state: "sending" }, { ...upload("later"), state: "failed", problem: problem(true) },
    { ...upload("refused"), state: "failed", problem: problem(false) }, { ...upload("sent"), state: "failed", problem: problem(true), jobId: "job" },
    { ...upload("read"), jobId: "other" }, { ...upload("sample"), sample: [entryOf({ id: "made up" })] },
  ];
  expect(unsent.value).toBe(3);
  expect(takeTexts.google.signOutAsk(unsent.value)).toContain("3 PDFs are not sent yet");
  expect(takeTexts.google.signOutAsk(0)).not.toContain("not sent");
  uploads.value = [];
});

test("an answer that is on its way when another tab signs out is not shown", async () => {
  timetable.value = { uploads: [], events: [lecture("own", 2026)] };
  let arrive: (answer: Response) => void = () => {};
  vi.stubGlobal("fetch", () => new Promise((done) => (arrive = done)));
  const asked = refreshTimetable();
  dispatchEvent(new StorageEvent("storage", { key: "schedgen/1", newValue: JSON.stringify({ uploads: [], choices: noChoices, feeds: [], timetable: null }) }));
  arrive(new Response(JSON.stringify({ uploads: [], events: [lecture("own", 2026)] })));
  await asked;
  expect(timetable.value).toBeNull();
  vi.unstubAllGlobals();
});

test("an answer that is on its way when another tab adds its first file is shown", async () => {
  uploads.value = [{ ...upload("here"), jobId: "job" }];
  let arrive: (answer: Response) => void = () => {};
  vi.stubGlobal("fetch", () => new Promise((done) => (arrive = done)));
  const asked = refreshTimetable();
  dispatchEvent(new StorageEvent("storage", { key: "schedgen/1", newValue: JSON.stringify({ uploads: [upload("there")], choices: noChoices, feeds: [], timetable: null }) }));
  arrive(new Response(JSON.stringify({ uploads: [], events: [lecture("own", 2026)] })));
  await asked;
  expect(timetable.value?.events.map((e) => e.id)).toEqual(["own"]);
  vi.unstubAllGlobals();
});

test("what another tab changed is shown here and not written back", () => {
  uploads.value = [];
  const other = JSON.stringify({ uploads: [upload("there")], choices: { ...noChoices, colors: { A: "#ffffff" }, name: "There" }, feeds: [], timetable: { uploads: [], events: [] } });
  const setItem = vi.fn();
  vi.stubGlobal("localStorage", { setItem });
  dispatchEvent(new StorageEvent("storage", { key: "schedgen/1", newValue: other }));
  expect(uploads.value.map((u) => u.id)).toEqual(["there"]);
  expect(choices.value.name).toBe("There");
  expect(setItem).not.toHaveBeenCalled();
  vi.unstubAllGlobals();
});

test("two tabs that add and change uploads in the same moment lose none", () => {
  const told = (list: Upload[]) =>
    dispatchEvent(new StorageEvent("storage", { key: "schedgen/1", newValue: JSON.stringify({ uploads: list, choices: noChoices, feeds: [], timetable: null }) }));
  const states = () => uploads.value.map((u) => [u.id, u.state]);
  uploads.value = [{ ...upload("ours"), state: "waiting" }];
  told([upload("theirs")]); // written before that tab saw ours
  expect(states()).toEqual([["theirs", "done"], ["ours", "waiting"]]);
  changeUpload("ours", { state: "sending" });
  changeUpload("ours", { state: "done" });
  told([upload("theirs"), { ...upload("ours"), state: "sending", changes: 1 }]); // as it was a moment ago
  expect(states()).toEqual([["theirs", "done"], ["ours", "done"]]);
  told([upload("theirs")]); // that tab has had ours, and removed it
  expect(states()).toEqual([["theirs", "done"]]);
  uploads.value = [];
});
