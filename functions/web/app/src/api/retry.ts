import { ApiError } from "./client";

/** How often the same is tried by itself, and the longest time in seconds that it waits for that. After it, the student is asked. */
const mostTries = 5;
const longestWait = 60;

/**
 * After how many seconds a request that failed is sent again by itself; 0 if it is not. tries says how often it was sent. The server
 * says when; where it does not, only what may safely be done twice is worth a guess.
 */
export function secondsUntilRetry(e: unknown, tries: number, { guess }: { guess: boolean }): number {
  if (!(e instanceof ApiError && e.retry) || tries >= mostTries) return 0;
  if (e.retryAfter === undefined && !guess) return 0;
  const seconds = Math.max(e.retryAfter ?? 2 ** tries, 1);
  return seconds <= longestWait ? seconds : 0;
}
