import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, test, vi } from "vitest";
import type { GoogleCalendar, SyncPlan } from "../api/client";
import { Plan } from "./plan";

afterEach(() => {
  render(null, document.body);
  vi.unstubAllGlobals();
});

const calendar = { id: "c", summary: "Mine", createdHere: true, following: false } as GoogleCalendar;
const action = (operation: string, summary: string) => ({ operation, summary, start: "2026-08-05T08:30:00+02:00" });
const plan = {
  created: 1, updated: 1, deleted: 1, kept: 1, unchanged: 4, keptEdits: [{ summary: "Moved by me" }],
  actions: [action("insert", "New"), action("patch", "Later"), action("delete", "Gone")],
} as unknown as SyncPlan;

test("the plan says what would be added, changed, removed and kept, and nothing is written before it is agreed to", async () => {
  const asked: unknown[] = [];
  vi.stubGlobal("fetch", async (path: string, { body }: { body: string }) => {
    asked.push([path, (JSON.parse(body) as { dryRun?: boolean }).dryRun]);
    return new Response(JSON.stringify(plan));
  });
  await act(() => render(<Plan calendar={calendar} back={() => {}} />, document.body));
  await vi.waitFor(() => expect(document.querySelectorAll(".actions li")).toHaveLength(4));
  const said = [...document.querySelectorAll(".counts li")].map((li) => li.textContent);
  expect(said).toEqual(["1added", "1changed", "1removed", "1kept, because you edited them", "4stay as they are"]);
  const each = [...document.querySelectorAll(".actions li")].map((li) => li.textContent!.replace(/ Wed.*/, ""));
  expect(each).toEqual(["Add New", "Change Later", "Remove Gone", "Keep your edit Moved by me"]);
  expect(asked).toEqual([["/api/calendars/events", true]]);
});
