import "fake-indexeddb/auto";
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, test, vi } from "vitest";
import { forgetHere } from "../state/forget";
import { given } from "../state/given";
import { uploads } from "../state/store";
import { noChoices } from "../state/types";
import { mineTexts } from "../texts/mine";
import { takeTexts } from "../texts/take";
import { deleteEverything } from "./account";
import { Mine } from "./mine";

afterEach(async () => {
  render(null, document.body);
  vi.unstubAllGlobals();
  await forgetHere();
});

const done = { id: "1", name: "a.pdf", size: 1, addedAt: "2026-01-01", state: "done" as const, jobId: "job" };
const refuse = (status: number) => vi.stubGlobal("fetch", async () => new Response(JSON.stringify({ message: "Away.", error: "X" }), { status }));

test("a server that does not know the browser any more deleted nothing, and that is said", async () => {
  refuse(401);
  given({ uploads: [done] });
  expect(await deleteEverything()).toBe(mineTexts.deletedHere);
  expect(uploads.value).toEqual([]);
  expect(await deleteEverything()).toBe(mineTexts.deletedNothingThere); // nothing was ever uploaded
});

test("what the server could not delete is not forgotten here", async () => {
  refuse(503);
  given({ uploads: [done] });
  await expect(deleteEverything()).rejects.toMatchObject({ status: 503 });
  expect(uploads.value).toEqual([done]);
});

test("nothing of the student is left in a browser that forgets", async () => {
  given({
    uploads: [done],
    choices: { ...noChoices, name: "Thandi’s classes" },
    feeds: [{ id: "f", options: "", token: "secret", url: "", webcalUrl: "", createdAt: "", name: "" }],
    timetable: { uploads: [], events: [{ id: "e", kind: "lecture", module: "COS 132" } as never] },
  });
  localStorage.setItem("schedgen/calendar", '{"calendar":{"items":["COS 132"]}}');
  expect(localStorage.getItem("schedgen/2")).toContain("secret");
  await forgetHere();
  const left = Object.keys(localStorage).map((key) => localStorage.getItem(key)).join();
  for (const trace of ["a.pdf", "Thandi", "secret", "COS 132"]) expect(left).not.toContain(trace);
});

test("how much is used on the server is not said before it is known", async () => {
  vi.stubGlobal("fetch", () => new Promise(() => {}));
  await act(() => render(<Mine />, document.body));
  expect(document.body.textContent).toContain(mineTexts.usedLoading);
  render(null, document.body);
  refuse(500);
  await act(() => render(<Mine />, document.body));
  await vi.waitFor(() => expect(document.body.textContent).toContain(mineTexts.usedUnknown));
  expect(document.body.textContent).not.toContain(mineTexts.usedNothing);
});

test("each address says when it was made and last fetched, and each calendar when it was last written", async () => {
  const answers: Record<string, unknown> = {
    "/api/auth/status": { configured: true, authenticated: true, signInAgain: false },
    "/api/feeds": { feeds: [{ id: "f", events: 3, createdAt: "2026-03-01T10:00:00Z", fetchedAt: "2026-03-02T10:00:00Z", options: { name: "Mine" } }] },
    "/api/storage/usage": { usedBytes: 2 ** 20, quotaBytes: 50 * 2 ** 20 },
    "/api/timetable": { uploads: [], events: [] },
    "/api/calendars": { calendars: [{ id: "c", summary: "UP", createdHere: true, following: true, syncedAt: "2026-03-03T10:00:00Z" }, { id: "d", summary: "Birthdays", createdHere: false, following: false }] },
  };
  vi.stubGlobal("fetch", async (path: string) => new Response(JSON.stringify(answers[path])));
  given({ uploads: [done] });
  await act(() => render(<Mine />, document.body));
  await vi.waitFor(() => expect(document.body.textContent).toContain("3 entries · made 1 March 2026 · last fetched 2 March 2026"));
  const said = document.body.textContent;
  expect(said).toContain("Last written 3 March 2026 · follows your uploads");
  expect(said).toContain("Your PDFs use 1 of 50 MB on the server.");
  expect(said).not.toContain("Birthdays"); // nothing of ours is in it
});

test.each([
  ["who has no timetable", { authenticated: true, signInAgain: false }],
  ["whose access Google has ended", { authenticated: false, signInAgain: true }],
])("a student %s can sign out", async (_, known) => {
  let status: object = { configured: true, email: "s@tuks.co.za", ...known };
  const answers: Record<string, () => object> = {
    "/api/auth/status": () => status,
    "/api/feeds": () => ({ feeds: [] }),
    "/api/storage/usage": () => ({ usedBytes: 0, quotaBytes: 1 }),
    "/api/timetable": () => ({ uploads: [], events: [] }),
    "/api/calendars": () => ({ calendars: [] }),
    "/api/auth/logout": () => (status = { configured: true, authenticated: false, signInAgain: false }),
  };
  vi.stubGlobal("fetch", async (path: string) => new Response(JSON.stringify(answers[path]!())));
  const button = (name: string) => [...document.querySelectorAll("button")].find((one) => one.textContent === name);
  await act(() => render(<Mine />, document.body));
  await vi.waitFor(() => expect(document.body.textContent).toContain("Signed in as s@tuks.co.za"));
  await act(() => button(takeTexts.google.signOut)!.click());
  await act(() => button(takeTexts.google.signOutYes)!.click());
  await vi.waitFor(() => expect(document.body.textContent).not.toContain("Signed in as"));
  expect(document.body.textContent).toContain(mineTexts.signedOut);
});
