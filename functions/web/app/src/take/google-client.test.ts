import { afterEach, expect, test, vi } from "vitest";
import { undo } from "./google-client";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const sync = (status: string) => new Response(JSON.stringify({ syncId: "1", status, done: 0, planned: 1 }));
const away = (retryAfter?: string) => new Response(JSON.stringify({ message: "Away.", error: "UNAVAILABLE" }), { status: 503, headers: retryAfter ? { "Retry-After": retryAfter } : {} });

/** Undoes a sync whose questions are answered so, one after the other. */
async function followed(answers: Response[]) {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", async (_: string, { method }: RequestInit) => (method === "DELETE" ? sync("pending") : answers.shift()!));
  const ended = undo("calendar", () => {}).catch((e: unknown) => e);
  await vi.advanceTimersByTimeAsync(200_000);
  return ended;
}

test("a sync is followed over a minute in which no answer comes, and over a long wait that is asked for", async () => {
  expect(await followed([away(), away(), away(), away(), away(), sync("done")])).toMatchObject({ status: "done" });
  expect(await followed([away("1800"), sync("done")])).toMatchObject({ status: "done" });
});

test("a sync that cannot be asked for any more is told", async () => {
  expect(await followed(Array.from({ length: 6 }, () => away()))).toMatchObject({ code: "UNAVAILABLE" });
});
