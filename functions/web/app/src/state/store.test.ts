import { expect, test, vi } from "vitest";
import { newest } from "./newest";
import { choices, events, read, uploads } from "./store";
import { noChoices, type Upload } from "./types";

test("what cannot be read is as if nothing had been kept", () => {
  for (const text of [null, "", "{", "[]", '"x"', '{"uploads":7}']) expect(read(text)).toEqual({ uploads: [], choices: noChoices, feeds: [] });
});

test("choices of an older page get what is new", () => {
  expect(read('{"choices":{"name":"Mine"}}').choices).toEqual({ ...noChoices, name: "Mine" });
});

test("a newer upload replaces its own semester and nothing else", () => {
  const upload = (id: string, addedAt: string, events: [string, string][]): Upload => ({
    id, name: id, size: 1, addedAt, state: "done",
    events: events.map(([event, semester]) => ({ id: event, kind: "lecture", module: "A", activity: "L1", group: "G01", startTime: "", endTime: "", endTimeEstimated: false, venue: "", venues: [], isRecurring: true, semester })),
  });
  const kept = newest([upload("old", "2026-01-01", [["a", "S1"], ["b", "S2"]]), upload("new", "2026-02-01", [["c", "Q1"]])]);
  expect(kept.map((e) => e.id).sort()).toEqual(["b", "c"]);
});

const done = (id: string, kind: "lecture" | "test", sample = false): Upload => ({
  id, name: id, size: 1, addedAt: "2026-01-01", state: "done", sample,
  events: [{ id, kind, module: "A", activity: "", group: "", startTime: "", endTime: "", endTimeEstimated: false, venue: "", venues: [], isRecurring: false }],
});

test("the sample gives way to the student's own timetables, of whatever kind", () => {
  uploads.value = [done("made up", "test", true)];
  expect(events.value.map((e) => e.id)).toEqual(["made up"]);
  uploads.value = [...uploads.value, done("own", "lecture")];
  expect(events.value.map((e) => e.id)).toEqual(["own"]);
  uploads.value = [];
});

test("what another tab changed is shown here and not written back", () => {
  const other = JSON.stringify({ uploads: [done("there", "lecture")], choices: { ...noChoices, colors: { A: "#ffffff" }, name: "There" }, feeds: [] });
  const setItem = vi.fn();
  vi.stubGlobal("localStorage", { setItem });
  dispatchEvent(new StorageEvent("storage", { key: "schedgen/1", newValue: other }));
  expect(uploads.value.map((u) => u.id)).toEqual(["there"]);
  expect(choices.value.name).toBe("There");
  expect(setItem).not.toHaveBeenCalled();
  vi.unstubAllGlobals();
});

test("supplementary exams leave the main ones of their session", () => {
  const exam = (id: string, activity: string, addedAt: string): Upload => {
    const upload = done(id, "test");
    return { ...upload, addedAt, events: upload.events.map((e) => ({ ...e, kind: "exam", activity, date: "2026-06-12" })) };
  };
  const kept = newest([exam("main", "Exam Written", "2026-05-01"), exam("supp", "Supplementary Exam", "2026-06-20")]);
  expect(kept.map((e) => e.id).sort()).toEqual(["main", "supp"]);
});
