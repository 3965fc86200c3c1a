import "fake-indexeddb/auto";
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, test, vi } from "vitest";
import { forgetHere } from "../state/forget";
import { given } from "../state/given";
import { uploads } from "../state/store";
import { texts } from "../texts";
import { takeTexts } from "../texts/take";
import { Google } from "./google";

const text = takeTexts.google;

afterEach(async () => {
  render(null, document.body);
  vi.unstubAllGlobals();
  await forgetHere();
});

/** Answers as the server does to somebody who is signed in, but for what a test says. */
function server(other: (call: string) => Response | undefined) {
  const answers: Record<string, unknown> = {
    "GET /api/auth/status": { configured: true, authenticated: true, signInAgain: false, canChoose: true, email: "s@tuks.co.za" },
    "GET /api/calendars": { calendars: [] },
    "POST /api/calendars/events": { created: 0, updated: 0, deleted: 0, kept: 0, unchanged: 0, keptEdits: [], actions: [] },
  };
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (path: string, { method }: { method: string }) => {
    const call = `${method} ${path}`;
    asked.push(call);
    return other(call) ?? new Response(JSON.stringify(answers[call]));
  });
  return asked;
}

async function press(name: string) {
  const button = await vi.waitFor(() => {
    const found = [...document.querySelectorAll("button")].find((one) => one.textContent === name && !one.disabled);
    expect(found, name).toBeDefined();
    return found!;
  });
  await act(() => button.click());
}

test("who is signed out already, by an answer that was lost or a session that ended, leaves nothing here either", async () => {
  server((call) => (call === "POST /api/auth/logout" ? new Response(JSON.stringify({ message: "Sign in.", error: "SIGN_IN_REQUIRED" }), { status: 401 }) : undefined));
  given({ uploads: [{ id: "1", name: "a.pdf", size: 1, addedAt: "2026-01-01", state: "done", jobId: "job" }] });
  await act(() => render(<Google />, document.body));
  await press(text.signOut);
  await press(text.signOutYes);
  await vi.waitFor(() => expect(uploads.value).toEqual([]));
});

test("a new calendar whose answer was lost is not made a second time", async () => {
  let made = false;
  const asked = server((call) => {
    const mine = { id: "new", summary: "UP", createdHere: true, following: false };
    if (call === "GET /api/calendars" && made) return new Response(JSON.stringify({ calendars: [mine] }));
    if (call !== "POST /api/calendars") return undefined;
    made = true;
    throw new TypeError("network error"); // after the server has made it
  });
  await act(() => render(<Google />, document.body));
  const name = await vi.waitFor(() => {
    const field = document.querySelector<HTMLInputElement>("input.input");
    expect(field).not.toBeNull();
    return field!;
  });
  name.value = "UP";
  await act(() => void name.dispatchEvent(new Event("input", { bubbles: true })));
  await press(text.plan);
  await press(texts.retry);
  await vi.waitFor(() => expect(asked).toContain("POST /api/calendars/events"));
  expect(asked.filter((call) => call === "POST /api/calendars")).toHaveLength(1);
});
