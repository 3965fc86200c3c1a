import "fake-indexeddb/auto";
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, test, vi } from "vitest";
import { App } from "./app";
import { parseRoute, route } from "./router";
import { forgetHere } from "./state/forget";
import { nothing, write } from "./state/kept";
import { mineTexts } from "./texts/mine";

afterEach(() => {
  render(null, document.body);
  vi.unstubAllGlobals();
});

test("what the server said of a student is shown no more once another tab forgot everything, and its own tab says what it did", async () => {
  let status = { configured: true, authenticated: true, signInAgain: false };
  const answers = (): Record<string, unknown> => ({
    "/api/auth/status": status, "/api/storage/usage": { usedBytes: 0, quotaBytes: 1 }, "/api/timetable": { uploads: [], events: [] },
    "/api/feeds": { feeds: status.authenticated ? [{ id: "f", events: 3, createdAt: "2026-03-01T10:00:00Z", options: { name: "Thandi’s classes" } }] : [] },
    "/api/calendars": { calendars: [] }, "/api/me": { message: "All of it is deleted." },
  });
  vi.stubGlobal("fetch", async (path: string) => new Response(JSON.stringify(answers()[path])));
  vi.stubGlobal("scrollTo", () => undefined);
  route.value = parseRoute("#/mine");
  await act(() => render(<App />, document.body));
  await vi.waitFor(() => expect(document.body.textContent).toContain("Thandi’s classes"));
  status = { configured: true, authenticated: false, signInAgain: false };
  const told = write({ ...nothing, generation: Date.now() + 1000 });
  await act(() => void dispatchEvent(new StorageEvent("storage", { key: "schedgen/2", newValue: told })));
  await vi.waitFor(() => expect(document.body.textContent).not.toContain("Thandi’s classes"));

  const press = (name: string) => act(() => [...document.querySelectorAll("button")].find((one) => one.textContent === name)!.click());
  await press(mineTexts.deleteAll);
  await press(mineTexts.deleteYes);
  await vi.waitFor(() => expect(document.body.textContent).toContain("All of it is deleted."));
  await forgetHere();
  expect(document.body.textContent).toContain("All of it is deleted.");
});
