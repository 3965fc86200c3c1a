import { expect, test, vi } from "vitest";
import { ask, errorOf, send } from "./client";

test("an error of the API says what the API says", () => {
  const e = errorOf(429, JSON.stringify({ message: "Too much.", error: "RATE_LIMITED", requestId: "r1", details: 7 }), "3");
  expect([e.message, e.code, e.retryAfter, e.requestId, e.details, e.retry]).toEqual(["Too much.", "RATE_LIMITED", 3, "r1", 7, true]);
});

test("a proxy's own page becomes a sentence", () => {
  for (const body of ["<html>502</html>", "", "null", "[]", '{"message":1}']) {
    const e = errorOf(502, body, null);
    expect([e.code, e.retry, e.retryAfter]).toEqual(["UNKNOWN", true, undefined]);
    expect(e.message).toContain("502");
  }
  expect(errorOf(403, "", null).retry).toBe(false);
});

test("no answer at all is one that may come later", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed")));
  await expect(ask("/api/years")).rejects.toMatchObject({ code: "OFFLINE", retry: true });
  vi.unstubAllGlobals();
});

test("an answer that breaks off, or is no JSON, is an error that may pass", async () => {
  const broken = new ReadableStream({ start: (stream) => stream.error(new TypeError("network error")) });
  for (const [body, code] of [[broken, "OFFLINE"], ["<html>busy</html>", "UNKNOWN"]] as const) {
    vi.stubGlobal("fetch", async () => new Response(body));
    await expect(ask("/api/years")).rejects.toMatchObject({ code, retry: true });
  }
  vi.unstubAllGlobals();
});

test("an answer that begins late has as long again for its body", async () => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", async (_: string, { signal }: RequestInit) => {
    await new Promise((done) => setTimeout(done, 50_000));
    const body = new ReadableStream({
      start(stream) {
        signal?.addEventListener("abort", () => stream.error(signal.reason));
        setTimeout(() => signal?.aborted || (stream.enqueue(new TextEncoder().encode("[1]")), stream.close()), 50_000);
      },
    });
    return new Response(body);
  });
  const asked = ask("/api/me").catch((e: unknown) => e);
  await vi.advanceTimersByTimeAsync(100_000);
  expect(await asked).toEqual([1]);
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("a fault of the page itself is not told as a lost connection", async () => {
  vi.stubGlobal("fetch", async () => new Response("[]"));
  await expect(send("/api/me", {}, async () => { throw new TypeError("x is undefined"); })).rejects.toThrow("x is undefined");
  vi.unstubAllGlobals();
});

test("an answer that stops within its body is ended like one that never comes", async () => {
  vi.useFakeTimers();
  for (const status of [200, 503]) {
    vi.stubGlobal("fetch", async (_: string, { signal }: RequestInit) => {
      const hangs = new ReadableStream({ start: (stream) => signal?.addEventListener("abort", () => stream.error(signal.reason)) });
      return new Response(hangs, { status });
    });
    const asked = ask("/api/me", { patience: 120 }).catch((e: unknown) => e);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(await asked).toMatchObject({ code: "OFFLINE", retry: true });
  }
  vi.unstubAllGlobals();
  vi.useRealTimers();
});
