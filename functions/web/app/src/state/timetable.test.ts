import { afterEach, expect, test, vi } from "vitest";
import { forget, timetable } from "./store";
import { currentTimetable, refreshTimetable } from "./timetable";

afterEach(() => {
  vi.unstubAllGlobals();
  forget();
});

const answers: ((uploads: unknown[]) => void)[] = [];

function server() {
  answers.length = 0;
  vi.stubGlobal("fetch", () => new Promise((done) => answers.push((uploads) => done(new Response(JSON.stringify({ uploads, events: [] }))))));
}

test("who asks while a question is underway waits for its answer", async () => {
  server();
  const both = Promise.all([refreshTimetable(), currentTimetable()]);
  answers[0]!([]);
  await both;
  expect(answers).toHaveLength(1);
  void currentTimetable();
  expect(answers).toHaveLength(2);
});

test("an answer to an earlier question, or of before everything was deleted, is not taken", async () => {
  server();
  const both = Promise.all([refreshTimetable(), refreshTimetable()]);
  answers[1]!(["new"]);
  answers[0]!(["old"]);
  await both;
  expect(timetable.value?.uploads).toEqual(["new"]);
  const late = refreshTimetable();
  forget();
  answers[2]!(["deleted"]);
  await late;
  expect(timetable.value).toBeNull();
});
