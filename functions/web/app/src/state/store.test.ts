import { expect, test } from "vitest";
import { newest } from "./newest";
import { read } from "./store";
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
