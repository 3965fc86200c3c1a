import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { sendFile } from "./send";

/** Stands in for the browser's request: a test moves it. */
class FakeRequest {
  static last: FakeRequest;
  upload: { onprogress?: (e: unknown) => void; onload?: () => void } = {};
  onload?: () => void;
  onerror?: () => void;
  onabort?: () => void;
  onloadend?: () => void;
  status = 0;
  responseText = "";
  headers: Record<string, string> = {};
  sent: FormData | null = null;
  constructor() {
    FakeRequest.last = this;
  }
  open(...to: string[]) {
    expect(to).toEqual(["POST", "/api/upload"]);
  }
  asked: Record<string, string> = {};
  setRequestHeader(name: string, value: string) {
    this.asked[name] = value;
  }
  getResponseHeader(name: string) {
    return this.headers[name] ?? null;
  }
  send(form: FormData) {
    this.sent = form;
  }
  abort() {
    this.onabort?.();
    this.onloadend?.();
  }
  progress(loaded: number, total: number) {
    this.upload.onprogress?.({ lengthComputable: total > 0, loaded, total });
  }
  answer(status: number, body: unknown, headers: Record<string, string> = {}) {
    Object.assign(this, { status, responseText: typeof body === "string" ? body : JSON.stringify(body), headers });
    this.onload?.();
    this.onloadend?.();
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("XMLHttpRequest", FakeRequest);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const file = new File(["%PDF-1.7"], "UP_MOD_XLS.pdf");

function sending(ended?: AbortSignal) {
  const parts: number[] = [];
  const sent = sendFile(file, (part) => parts.push(part), ended).catch((e: unknown) => e);
  return { parts, sent, request: FakeRequest.last };
}

test("progress is what was really sent, and the answer says whether it was read", async () => {
  const { parts, sent, request } = sending();
  request.progress(10, 40);
  request.progress(20, 0); // a browser that does not know how long it is
  request.upload.onload?.();
  request.answer(202, { jobId: "job" });
  expect(parts).toEqual([0.25, 1]);
  expect(await sent).toEqual({ status: 202, accepted: { jobId: "job" } });
  expect((request.sent!.get("file") as File).name).toBe("UP_MOD_XLS.pdf");
});

test("the answer waits for the PDF to be read, unless others wait for their turn", () => {
  for (const [hurry, want] of [[false, "wait=10"], [true, "wait=0"]] as const) {
    void sendFile(file, () => {}, undefined, hurry);
    expect(FakeRequest.last.asked["Prefer"]).toBe(want);
    FakeRequest.last.answer(202, { jobId: "job" });
  }
});

test("a refusal says what the server says", async () => {
  for (const [status, body, want] of [
    [422, { message: "No timetable.", error: "NO_TIMETABLE" }, { code: "NO_TIMETABLE", retry: false }],
    [503, { message: "Busy.", error: "UNAVAILABLE" }, { code: "UNAVAILABLE", retry: true, retryAfter: 7 }],
    [502, "<html>bad gateway</html>", { code: "UNKNOWN", retry: true }],
  ] as const) {
    const { sent, request } = sending();
    request.answer(status, body, { "Retry-After": "7" });
    expect(await sent).toMatchObject(want);
  }
});

test("a connection in which nothing moves for a minute is lost; a slow one is not", async () => {
  const { sent, request } = sending();
  for (let loaded = 1; loaded <= 5; loaded++) {
    await vi.advanceTimersByTimeAsync(59_000);
    request.progress(loaded, 100);
  }
  let ended = false;
  void sent.then(() => (ended = true));
  await vi.advanceTimersByTimeAsync(59_000);
  expect(ended).toBe(false);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await sent).toMatchObject({ code: "OFFLINE", retry: true });
});

test("what is removed is sent no further, unless the server has it: then the answer names what to delete", async () => {
  const early = new AbortController();
  const first = sending(early.signal);
  early.abort();
  expect(await first.sent).toMatchObject({ code: "OFFLINE" });
  const late = new AbortController();
  const second = sending(late.signal);
  second.request.upload.onload?.();
  late.abort();
  second.request.answer(202, { jobId: "job" });
  expect(await second.sent).toMatchObject({ accepted: { jobId: "job" } });
});
