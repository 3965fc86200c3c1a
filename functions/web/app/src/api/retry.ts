import { ApiError } from "./client";

/** How often the same is tried by itself, and the longest time in seconds that it waits for that. After it, the student is asked. */
const mostTries = 5;
const longestWait = 60;

interface Manner {
  /** Whether it is sent again where the server does not say when: only what may safely be done twice is worth a guess. */
  guess: boolean;
  /** How often it is tried. */
  most?: number;
  /** Whether it is sent again after the longest wait where the server asks for more: of what the server does meanwhile anyway. */
  sooner?: boolean;
}

/** After how many seconds a request that failed is sent again by itself; 0 if it is not. tries says how often it was sent. */
export function secondsUntilRetry(e: unknown, tries: number, { guess, most = mostTries, sooner = false }: Manner): number {
  if (!(e instanceof ApiError && e.retry) || tries >= most) return 0;
  if (e.retryAfter === undefined && !guess) return 0;
  const seconds = Math.max(e.retryAfter ?? 2 ** tries, 1);
  if (seconds <= longestWait) return seconds;
  return sooner ? longestWait : 0;
}
