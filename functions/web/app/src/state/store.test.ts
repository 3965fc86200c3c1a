import { afterEach, expect, test, vi } from "vitest";
import type { Event } from "../api/client";
import { takes } from "../domain/courses";
import { entryOf } from "../domain/random";
import { optionsOf } from "./options";
import { given } from "./given";
import { nothing, read, write, type Kept } from "./kept";
import { academicYear, addUpload, choices, choose, events, forget, notKept, onlySample, possibleYears, taken, timetable, unsent, uploads } from "./store";
import { refreshTimetable } from "./timetable";
import { takeTexts } from "../texts/take";
import { noChoices, type Upload } from "./types";

const upload = (id: string): Upload => ({ id, name: id, size: 1, addedAt: "2026-01-01", state: "done" });
const lecture = (id: string, year: number): Event => ({ ...entryOf({ id }), year });

test("the sample gives way to the student's own timetables", () => {
  given({ uploads: [{ ...upload("sample"), sample: [entryOf({ id: "made up" })] }] });
  expect([events.value.map((e) => e.id), onlySample.value]).toEqual([["made up"], true]);
  given({ timetable: { uploads: [], events: [lecture("own", 2026)] } });
  expect([events.value.map((e) => e.id), onlySample.value]).toEqual([["own"], false]);
  given({ uploads: [] });
});

test("the lectures of the newest year are shown, with all tests and exams", () => {
  given({ timetable: { uploads: [], events: [lecture("old", 2025), lecture("new", 2026), { ...lecture("test", 2025), kind: "test" }] } });
  expect(events.value.map((e) => e.id)).toEqual(["new", "test"]);
});

test("what is shown and what is asked for speak of the same groups", () => {
  const row = (group: string, year: number): Event => ({ ...lecture(group, year), module: "COS 212", group });
  given({ timetable: { uploads: [], events: [row("G01", 2025), row("G02", 2026), row("G03", 2026)] } });
  given({ choices: { ...noChoices, groups: { "COS 212": { G: "G01" } } } }); // last year's
  expect(events.value.filter((e) => takes(taken.value, e)).map((e) => e.group)).toEqual(["G02", "G03"]);
  expect(optionsOf(choices.value, taken.value).groups).toEqual({ "COS 212": ["G02", "G03", "G01"] });
  given({ choices: noChoices });
});

test("the academic year is that of the newest lectures, or a later one that the student gave", () => {
  given({ timetable: { uploads: [], events: [lecture("new", 2026)] } });
  expect([academicYear.value, possibleYears.value]).toEqual([2026, [2026, 2027]]);
  given({ choices: { ...noChoices, year: 2027 } });
  expect(academicYear.value).toBe(2027);
  given({ timetable: { uploads: [], events: [lecture("newer", 2028)] } });
  expect(academicYear.value).toBe(2028);
  given({ choices: noChoices, timetable: null });
});

test("what only this browser has is not sent yet: neither what the server has, nor what it will not take", () => {
  const problem = (retry: boolean) => ({ code: "X", message: "", retry });
  given({ uploads: [
    { ...upload("waits"), state: "waiting" }, { ...upload("goes"), state: "sending" }, { ...upload("later"), state: "failed", problem: problem(true) },
    { ...upload("refused"), state: "failed", problem: problem(false) }, { ...upload("sent"), state: "failed", problem: problem(true), jobId: "job" },
    { ...upload("read"), jobId: "other" }, { ...upload("sample"), sample: [entryOf({ id: "made up" })] },
  ] });
  expect(unsent.value).toBe(3);
  expect(takeTexts.google.signOutAsk(unsent.value)).toContain("3 PDFs are not sent yet");
  expect(takeTexts.google.signOutAsk(0)).not.toContain("not sent");
  given({ uploads: [] });
});

afterEach(() => {
  vi.unstubAllGlobals();
  forget();
});

/** Tells of what another tab kept. */
const told = (kept: Partial<Kept>) => dispatchEvent(new StorageEvent("storage", { key: "schedgen/2", newValue: write({ ...nothing, ...kept }) }));
const here = () => read(localStorage.getItem("schedgen/2"));

test("an answer that is on its way when another tab forgets everything is not shown", async () => {
  given({ timetable: { uploads: [], events: [lecture("own", 2026)] } });
  let arrive: (answer: Response) => void = () => {};
  vi.stubGlobal("fetch", () => new Promise((done) => (arrive = done)));
  const asked = refreshTimetable();
  told({ generation: here().clock + 1, clock: here().clock + 1 });
  expect(timetable.value).toBeNull();
  arrive(new Response(JSON.stringify({ uploads: [], events: [lecture("own", 2026)] })));
  await asked;
  expect(timetable.value).toBeNull();
});

test("an answer that is on its way when another tab adds its first file is shown", async () => {
  given({ uploads: [{ ...upload("here"), jobId: "job" }] });
  let arrive: (answer: Response) => void = () => {};
  vi.stubGlobal("fetch", () => new Promise((done) => (arrive = done)));
  const asked = refreshTimetable();
  told({ ...here(), uploads: [upload("there")] });
  arrive(new Response(JSON.stringify({ uploads: [], events: [lecture("own", 2026)] })));
  await asked;
  expect(timetable.value?.events.map((e) => e.id)).toEqual(["own"]);
});

test("an answer to a question that was asked before another tab asked is not shown", async () => {
  let arrive: (answer: Response) => void = () => {};
  vi.stubGlobal("fetch", () => new Promise((done) => (arrive = done)));
  const asked = refreshTimetable();
  const clock = Date.now() + 1000;
  told({ ...here(), clock, at: { timetable: clock }, timetable: { uploads: [], events: [lecture("newer", 2026)] } });
  arrive(new Response(JSON.stringify({ uploads: [], events: [lecture("older", 2026)] })));
  await asked;
  expect(timetable.value?.events.map((e) => e.id)).toEqual(["newer"]);
});

test("what another tab changed is shown here and not written back", () => {
  const setItem = vi.fn();
  const other = write({ ...here(), uploads: [upload("there")], choices: { ...noChoices, colors: { A: "#ffffff" }, name: "There" }, at: { name: 2e12, colors: 2e12 } });
  vi.stubGlobal("localStorage", { setItem, getItem: () => other });
  dispatchEvent(new StorageEvent("storage", { key: "schedgen/2", newValue: other }));
  expect(uploads.value.map((u) => u.id)).toEqual(["there"]);
  expect(choices.value.name).toBe("There");
  expect(setItem).not.toHaveBeenCalled();
});

test("a tab that comes back from the browser's memory shows what others kept meanwhile", () => {
  localStorage.setItem("schedgen/2", write({ ...here(), uploads: [upload("meanwhile")] }));
  dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  expect(uploads.value.map((u) => u.id)).toEqual(["meanwhile"]);
});

test("what somebody deletes by hand is forgotten", () => {
  choose({ name: "Mine" });
  localStorage.removeItem("schedgen/2");
  dispatchEvent(new StorageEvent("storage", { key: "schedgen/2", newValue: null }));
  expect(choices.value.name).toBe("");
});

test("a browser that has no room says so until it has", () => {
  const full = { getItem: () => null, setItem: vi.fn(() => { throw new DOMException("full", "QuotaExceededError"); }) };
  vi.stubGlobal("localStorage", full);
  addUpload(upload("kept in memory"));
  expect([notKept.value, uploads.value.length]).toEqual([true, 1]);
  full.setItem.mockImplementation(() => undefined as never);
  choose({ name: "Mine" });
  expect([notKept.value, uploads.value.length]).toEqual([false, 1]);
});

test("what a page without stamps kept is taken over", async () => {
  localStorage.clear();
  localStorage.setItem("schedgen/1", JSON.stringify({ uploads: [{ ...upload("old"), changes: 3 }], choices: { name: "Mine" }, feeds: [], timetable: null }));
  vi.resetModules();
  const page = await import("./store");
  expect([page.uploads.value.map((u) => u.id), page.choices.value]).toEqual([["old"], { ...noChoices, name: "Mine" }]);
  expect([here().choices.name, localStorage.getItem("schedgen/1")]).toEqual(["Mine", null]);
});
