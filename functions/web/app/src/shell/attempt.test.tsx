import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, test, vi } from "vitest";
import { ApiError } from "../api/client";
import { type Attempt, useAttempt } from "./attempt";

afterEach(() => {
  render(null, document.body);
  vi.useRealTimers();
});

let attempt: Attempt;

function Trying() {
  attempt = useAttempt();
  return null;
}

const busy = () => new ApiError("Busy.", "RATE_LIMITED", 429, null, 10);

test("what the server refuses for now is tried again when it says", async () => {
  vi.useFakeTimers();
  await act(() => render(<Trying />, document.body));
  const work = vi.fn().mockRejectedValueOnce(busy()).mockResolvedValue(undefined);
  await act(async () => attempt.start(work));
  expect(attempt.again).toBe(10);
  await act(async () => void (await vi.advanceTimersByTimeAsync(10_000)));
  expect([work.mock.calls.length, attempt.error]).toEqual([2, null]);
});

test("what is tried last is what counts", async () => {
  await act(() => render(<Trying />, document.body));
  const ends: [() => void, (e: Error) => void][] = [];
  const work = () => new Promise<void>((done, failed) => ends.push([done, failed]));
  await act(() => (attempt.start(work), attempt.start(work), attempt.start(work)));
  await act(async () => ends[0]![1](new ApiError("Away.", "X", 500)));
  await act(async () => ends[1]![0]());
  expect([attempt.busy, attempt.error]).toEqual([true, null]);
  await act(async () => ends[2]![0]());
  expect(attempt.busy).toBe(false);
});

test("nothing is tried again for somebody who has left", async () => {
  vi.useFakeTimers();
  await act(() => render(<Trying />, document.body));
  let fail: (e: Error) => void = () => {};
  const work = vi.fn(() => new Promise<void>((_, failed) => (fail = failed)));
  await act(() => attempt.start(work));
  await act(() => render(null, document.body));
  fail(busy());
  await vi.advanceTimersByTimeAsync(60_000);
  expect(work).toHaveBeenCalledTimes(1);
});
