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
