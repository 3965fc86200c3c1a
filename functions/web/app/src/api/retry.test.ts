import { expect, test } from "vitest";
import { secondsUntilRetry } from "./retry";
import { ApiError } from "./client";

const refused = (status: number, retryAfter?: number) => new ApiError("", "X", status, null, retryAfter);

test("what the server refuses for now is sent again when it says, and not for ever", () => {
  for (const [e, tries, guess, want] of [
    [refused(503, 3), 1, false, 3],
    [refused(429, 0), 1, false, 1],
    [refused(503, 61), 1, true, 0],
    [refused(503, 3), 5, true, 0],
    [refused(503), 3, true, 8],
    [refused(503), 3, false, 0],
    [refused(0), 1, true, 2],
    [refused(422, 3), 1, true, 0],
    [new Error("x"), 1, true, 0],
  ] as const) expect(secondsUntilRetry(e, tries, { guess })).toBe(want);
});

test("a question about what goes on anyway bears more misses, and no long wait", () => {
  for (const [e, tries, want] of [
    [refused(503, 61), 1, 60],
    [refused(429, 1800), 5, 60],
    [refused(503), 5, 32],
    [refused(503), 6, 0],
    [refused(404), 1, 0],
  ] as const) expect(secondsUntilRetry(e, tries, { guess: true, most: 6, sooner: true })).toBe(want);
});
