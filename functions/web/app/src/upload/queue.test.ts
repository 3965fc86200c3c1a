import "fake-indexeddb/auto";
import { effect } from "@preact/signals";
import { beforeEach, expect, test, vi } from "vitest";
import { ApiError, type Event } from "../api/client";
import { forgetHere } from "../state/forget";
import { given } from "../state/given";
import { read as readKept, write, type Kept } from "../state/kept";
import { timetable, uploads } from "../state/store";
import { keptFile } from "../state/waiting";
import { uploadTexts } from "../texts/upload";
import { add, remove, resume } from "./queue";
import * as sending from "./send";

const pdf = (name: string, content = "%PDF-1.7 x") => new File([content], name, { type: "application/pdf" });
const lecture = { id: "a", kind: "lecture", module: "COS 132", activity: "L1", group: "G01", startTime: "08:30", endTime: "09:20", endTimeEstimated: false, venue: "", venues: [], isRecurring: true } as Event;
const read = (jobId: string): sending.Sent => ({ status: 201, read: { jobId, pdfType: "lecture", status: "completed", events: [lecture], semesterDates: {}, message: "" } as never });

const state = () => uploads.value.map((u) => [u.name, u.state, u.problem?.code]);

beforeEach(() => {
  given({ uploads: [], timetable: null });
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  answer();
});

const merged = { uploads: [], events: [lecture] };

/** Answers what is asked beside the timetable. */
function answer(other: (path: string, call: RequestInit) => Response = () => new Response("{}", { status: 404 })) {
  vi.stubGlobal("fetch", async (path: string, call: RequestInit) => (path === "/api/timetable" ? new Response(JSON.stringify(merged)) : other(path, call)));
}

test("a file that is read is done, and its bytes are forgotten", async () => {
  vi.spyOn(sending, "sendFile").mockImplementation(async (_, onProgress) => {
    onProgress(1);
    return read("job");
  });
  await add([pdf("a.pdf")]);
  await vi.waitFor(() => expect(state()).toEqual([["a.pdf", "done", undefined]]));
  expect(uploads.value[0]).toMatchObject({ jobId: "job", kind: "lecture", entries: 1, doubts: 0 });
  expect(timetable.value).toEqual(merged);
  expect(await keptFile(uploads.value[0]!.id)).toBeUndefined();
});

test("what is no PDF is not sent", async () => {
  const send = vi.spyOn(sending, "sendFile");
  await add([pdf("empty.pdf", ""), pdf("notes.txt", "hello")]);
  expect(state()).toEqual([["empty.pdf", "failed", "EMPTY"], ["notes.txt", "failed", "NOT_A_PDF"]]);
  expect(send).not.toHaveBeenCalled();
});

test("all files are taken, also where the browser empties its list after the event", async () => {
  const files = [pdf("a.txt", "no PDF"), pdf("b.txt", "no PDF")];
  const added = add(files);
  files.length = 0;
  await added;
  expect(state().map(([name]) => name)).toEqual(["a.txt", "b.txt"]);
});

test("a file that was not sent is sent by the next visit", async () => {
  const send = vi.spyOn(sending, "sendFile").mockRejectedValueOnce(new ApiError("Offline.", "OFFLINE"));
  await add([pdf("a.pdf")]);
  await vi.waitFor(() => expect(state()).toEqual([["a.pdf", "failed", "OFFLINE"]]));
  send.mockResolvedValue(read("job"));
  resume();
  await vi.waitFor(() => expect(state()).toEqual([["a.pdf", "done", undefined]]));
});

test("a file that the server still reads is asked for, and its failure is told", async () => {
  vi.spyOn(sending, "sendFile").mockResolvedValue({ status: 202, accepted: { jobId: "job", status: "pending", message: "" } });
  answer(() => new Response(JSON.stringify({ id: "job", status: "failed", error: "No timetable.", errorCode: "NO_TIMETABLE" })));
  await add([pdf("a.pdf")]);
  await vi.waitFor(() => expect(uploads.value[0]?.problem).toEqual({ code: "NO_TIMETABLE", message: "No timetable.", retry: false }));
});

test("a job that the server no longer has is sent again from the file that is kept", async () => {
  const send = vi.spyOn(sending, "sendFile").mockResolvedValueOnce({ status: 202, accepted: { jobId: "gone", status: "pending", message: "" } });
  send.mockResolvedValueOnce(read("again"));
  answer(() => new Response(JSON.stringify({ message: "Gone.", error: "JOB_NOT_FOUND" }), { status: 404 }));
  await add([pdf("a.pdf")]);
  await vi.waitFor(() => expect(state()).toEqual([["a.pdf", "done", undefined]]));
  expect(uploads.value[0]?.jobId).toBe("again");
  expect(send).toHaveBeenCalledTimes(2);
});

test("a lost job whose file is not kept says so", async () => {
  given({ uploads: [{ id: "1", name: "a.pdf", size: 1, addedAt: "2026-01-01", state: "reading", jobId: "gone" }] });
  answer(() => new Response(JSON.stringify({ message: "Gone.", error: "JOB_NOT_FOUND" }), { status: 404 }));
  resume();
  await vi.waitFor(() => expect(state()).toEqual([["a.pdf", "failed", "JOB_NOT_FOUND"]]));
});

test("a file that cannot be opened fails, and those beside it go on", async () => {
  vi.spyOn(sending, "sendFile").mockResolvedValue(read("job"));
  const gone = pdf("gone.pdf");
  vi.spyOn(gone, "slice").mockImplementation(() => {
    throw new DOMException("gone", "NotFoundError");
  });
  await add([gone, pdf("a.pdf")]);
  await vi.waitFor(() => expect(state()).toEqual([["gone.pdf", "failed", "UNREADABLE_FILE"], ["a.pdf", "done", undefined]]));
});

test("a file that is removed while it is sent is deleted on the server", async () => {
  let arrive: (sent: sending.Sent) => void = () => {};
  vi.spyOn(sending, "sendFile").mockReturnValue(new Promise((done) => (arrive = done)));
  const asked: string[] = [];
  answer((path, call) => {
    asked.push(`${call.method} ${path}`);
    return new Response(null, { status: 204 });
  });
  await add([pdf("a.pdf")]);
  await vi.waitFor(() => expect(uploads.value[0]?.state).toBe("sending"));
  await remove(uploads.value[0]!.id);
  arrive({ status: 202, accepted: { jobId: "late", status: "pending", message: "" } });
  await vi.waitFor(() => expect(asked).toEqual(["DELETE /api/jobs/late"]));
});

test("a removal that fails once the file is sent is finished by the next visit", async () => {
  let arrive: (sent: sending.Sent) => void = () => {};
  vi.spyOn(sending, "sendFile").mockReturnValue(new Promise((done) => (arrive = done)));
  answer(() => new Response(JSON.stringify({ message: "Away.", error: "UNAVAILABLE" }), { status: 503 }));
  await add([pdf("a.pdf")]);
  await vi.waitFor(() => expect(uploads.value[0]?.state).toBe("sending"));
  await remove(uploads.value[0]!.id);
  arrive({ status: 202, accepted: { jobId: "late", status: "pending", message: "" } });
  await vi.waitFor(() => expect(uploads.value).toMatchObject([{ name: "a.pdf", jobId: "late", removing: true }]));
  const asked: string[] = [];
  answer((path, call) => {
    asked.push(`${call.method} ${path}`);
    return new Response(null, { status: 204 });
  });
  resume();
  await vi.waitFor(() => expect(uploads.value).toEqual([]));
  expect(asked).toEqual(["DELETE /api/jobs/late"]);
});

test("removing ends the job on the server; one that is gone is no error", async () => {
  given({ uploads: [{ id: "1", name: "a.pdf", size: 1, addedAt: "2026-01-01", state: "done", jobId: "job" }] });
  answer(() => new Response(JSON.stringify({ message: "Away.", error: "UNAVAILABLE" }), { status: 503 }));
  await expect(remove("1")).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(uploads.value).toHaveLength(1);
  answer(() => new Response("{}", { status: 404 }));
  await remove("1");
  expect(uploads.value).toEqual([]);
});

/** Another tab changes what is kept. */
function elsewhere(change: (kept: Kept) => Partial<Kept>) {
  const kept = readKept(localStorage.getItem("schedgen/2"));
  dispatchEvent(new StorageEvent("storage", { key: "schedgen/2", newValue: write({ ...kept, ...change(kept) }) }));
}

const later = Date.now() + 60_000;

test.each<[string, () => unknown]>([
  ["it is removed", () => remove(uploads.value[0]!.id)],
  ["another tab removed it", () => elsewhere(({ uploads: [upload] }) => ({ uploads: [], removed: { [upload!.id]: later } }))],
  ["another tab forgot everything", () => elsewhere(() => ({ uploads: [], generation: later }))],
])("a file of which a part is sent is sent no further once %s", async (_, end) => {
  let ended: AbortSignal | undefined;
  vi.spyOn(sending, "sendFile").mockImplementation((_, __, signal) => {
    ended = signal;
    return new Promise((_, failed) => signal?.addEventListener("abort", () => failed(new ApiError("", "OFFLINE"))));
  });
  await add([pdf("a.pdf")]);
  await vi.waitFor(() => expect(ended?.aborted).toBe(false));
  await end();
  expect(ended?.aborted).toBe(true);
  expect(uploads.value).toEqual([]);
});

test("an upload whose answer comes after everything was forgotten is not in the list of whoever comes next", async () => {
  let arrive: (sent: sending.Sent) => void = () => {};
  vi.spyOn(sending, "sendFile").mockReturnValue(new Promise((done) => (arrive = done)));
  const asked: string[] = [];
  answer((path, call) => {
    asked.push(`${call.method} ${path}`);
    return new Response(JSON.stringify({ message: "Sign in.", error: "UNAUTHORIZED" }), { status: 401 });
  });
  await add([pdf("a.pdf")]);
  await vi.waitFor(() => expect(uploads.value[0]?.state).toBe("sending"));
  await forgetHere();
  arrive(read("late"));
  await vi.waitFor(() => expect(asked).toEqual(["DELETE /api/jobs/late"]));
  await new Promise((done) => setTimeout(done)); // whatever comes of the refusal has come by now
  expect(uploads.value).toEqual([]);
});

test("a server that asks to come back much later is not asked again by itself", async () => {
  const send = vi.spyOn(sending, "sendFile").mockRejectedValue(new ApiError("Ten PDFs an hour. Come back at 14:10.", "RATE_LIMITED", 429, null, 1800));
  await add([pdf("a.pdf")]);
  await vi.waitFor(() => expect(uploads.value[0]?.problem).toEqual({ code: "RATE_LIMITED", message: "Ten PDFs an hour. Come back at 14:10.", retry: true }));
  expect(send).toHaveBeenCalledTimes(1);
});

test("a file is worked on by one tab alone", async () => {
  const send = vi.spyOn(sending, "sendFile").mockResolvedValue(read("job"));
  let release: () => void = () => {};
  const held = new Promise<void>((done) => (release = done));
  const request = async (_: string, options: unknown, work?: (lock: unknown) => unknown) => {
    if (work) return work(null); // the other tab has it
    await held;
    return (options as () => unknown)();
  };
  vi.stubGlobal("navigator", { locks: { request }, onLine: true });
  await add([pdf("a.pdf")]);
  given({ uploads: uploads.value.map((u) => ({ ...u, state: "done" })) }); // as the other tab said
  release();
  await new Promise((done) => setTimeout(done));
  expect(send).not.toHaveBeenCalled();
});

test("a timetable that could not be fetched is fetched again before its upload is done", async () => {
  vi.spyOn(sending, "sendFile").mockResolvedValue(read("job"));
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed")));
  vi.stubGlobal("navigator", { onLine: false });
  await add([pdf("a.pdf")]);
  await vi.waitFor(() => expect(uploads.value[0]).toMatchObject({ state: "failed", jobId: "job", problem: { code: "OFFLINE" } }));
  answer((path) => new Response(JSON.stringify(path.endsWith("/result") ? { events: [lecture] } : { id: "job", status: "completed", pdfType: "lecture" })));
  resume();
  await vi.waitFor(() => expect(uploads.value[0]?.state).toBe("done"));
});

test("a question about a job that is lost by itself is asked again, and the file is not sent again", async () => {
  const send = vi.spyOn(sending, "sendFile").mockResolvedValue({ status: 202, accepted: { jobId: "job", status: "pending", message: "" } });
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed")));
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  await add([pdf("a.pdf")]);
  await vi.waitFor(() => expect(uploads.value[0]).toMatchObject({ state: "waiting", jobId: "job", problem: { code: "OFFLINE", message: uploadTexts.problem.lostSoon(2) } }));
  answer((path) => new Response(JSON.stringify(path.endsWith("/result") ? { events: [lecture] } : { id: "job", status: "completed", pdfType: "lecture" })));
  await vi.advanceTimersByTimeAsync(2000);
  await vi.waitFor(() => expect(state()).toEqual([["a.pdf", "done", undefined]]));
  expect(send).toHaveBeenCalledTimes(1);
  vi.useRealTimers();
});

test("what is in the list can be sent by any tab, and its own asks for its lock at once", async () => {
  const asked: string[] = [];
  const request = (name: string, _: unknown, work?: (lock: unknown) => unknown) => (asked.push(name), work ? new Promise(() => {}) : undefined);
  vi.stubGlobal("navigator", { onLine: true, locks: { request } });
  const seen: (File | undefined)[] = [];
  let askedInTime = 0;
  const stop = effect(() => {
    if (uploads.value.length < 2) return;
    for (const { id } of uploads.value) void keptFile(id).then((file) => seen.push(file));
    queueMicrotask(() => (askedInTime = asked.length)); // before any other tab hears of it
  });
  await add([pdf("a.pdf"), pdf("b.pdf")]);
  await vi.waitFor(() => expect(seen.map((file) => file?.name)).toEqual(["a.pdf", "b.pdf"]));
  expect(askedInTime).toBe(2);
  stop();
});

test.each(["with locks", "in a browser without locks"])("files are sent one after the other, so that all have the cookie of the first: %s", async (browser) => {
  let held: Promise<unknown> = Promise.resolve();
  const request = (_: string, a: unknown, b?: (lock: unknown) => unknown) => (b ? b({}) : (held = held.catch(() => undefined).then(a as () => unknown)));
  vi.stubGlobal("navigator", { onLine: true, ...(browser === "with locks" ? { locks: { request } } : {}) });
  const sent: [string, () => void][] = [];
  vi.spyOn(sending, "sendFile").mockImplementation((file) =>
    new Promise((done, failed) => sent.push([file.name, () => (file.name === "b.pdf" ? failed(new ApiError("No timetable.", "NO_TIMETABLE", 422)) : done(read(file.name)))])),
  );
  const names = ["a.pdf", "b.pdf", "c.pdf"];
  await add(names.map((name) => pdf(name)));
  for (let turn = 1; turn <= names.length; turn++) {
    await vi.waitFor(() => expect(sent.length).toBeGreaterThanOrEqual(turn));
    await new Promise((done) => setTimeout(done)); // whatever does not wait has begun by now
    expect(sent.map(([name]) => name)).toEqual(names.slice(0, turn));
    sent[turn - 1]![1]();
  }
  await vi.waitFor(() => expect(state()).toEqual([["a.pdf", "done", undefined], ["b.pdf", "failed", "NO_TIMETABLE"], ["c.pdf", "done", undefined]]));
});

test("an upload does not hold its turn until it is read while others wait for theirs", async () => {
  const hurried: [string, boolean | undefined][] = [];
  vi.spyOn(sending, "sendFile").mockImplementation(async (file, _, __, hurry) => {
    hurried.push([file.name, hurry]);
    return read(file.name);
  });
  await add([pdf("a.pdf"), pdf("b.pdf"), pdf("c.pdf")]);
  await vi.waitFor(() => expect(state().map(([, now]) => now)).toEqual(["done", "done", "done"]));
  expect(hurried).toEqual([["a.pdf", true], ["b.pdf", true], ["c.pdf", false]]);
});

test("a file that is removed while it waits for its turn is never sent", async () => {
  let arrive: (sent: sending.Sent) => void = () => {};
  const send = vi.spyOn(sending, "sendFile").mockReturnValueOnce(new Promise((done) => (arrive = done)));
  await add([pdf("a.pdf"), pdf("b.pdf")]);
  await vi.waitFor(() => expect(send).toHaveBeenCalledTimes(1));
  await remove(uploads.value[1]!.id);
  arrive(read("job"));
  await vi.waitFor(() => expect(state()).toEqual([["a.pdf", "done", undefined]]));
  expect(send).toHaveBeenCalledTimes(1);
});

test("nothing is asked or sent for an upload while it is deleted, and a deletion that fails changes nothing", async () => {
  const send = vi.spyOn(sending, "sendFile").mockResolvedValue({ status: 202, accepted: { jobId: "job", status: "pending", message: "" } });
  let ended: (answer: Response) => void = () => {};
  let gone = false;
  const asked: string[] = [];
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  vi.stubGlobal("fetch", (path: string, call: RequestInit) => {
    if (path === "/api/timetable") return Promise.resolve(new Response(JSON.stringify(merged)));
    if (call.method === "DELETE") return new Promise((done) => (ended = done));
    asked.push(path);
    return Promise.resolve(gone ? new Response(JSON.stringify({ message: "Gone.", error: "JOB_NOT_FOUND" }), { status: 404 }) : new Response(JSON.stringify({ id: "job", status: "processing" })));
  });
  await add([pdf("a.pdf")]);
  await vi.waitFor(() => expect(asked.length).toBeGreaterThan(0));
  const { id } = uploads.value[0]!;

  const failing = remove(id);
  ended(new Response(JSON.stringify({ message: "Away.", error: "UNAVAILABLE" }), { status: 503 }));
  await expect(failing).rejects.toMatchObject({ code: "UNAVAILABLE" });
  const before = asked.length;
  await vi.waitFor(() => expect(asked.length).toBeGreaterThan(before)); // it is still being read

  const removing = remove(id);
  gone = true; // on the server, before the answer comes
  await vi.advanceTimersByTimeAsync(10_000); // longer than the time between two questions
  ended(new Response(null, { status: 204 }));
  await removing;
  expect(uploads.value).toEqual([]);
  expect(send).toHaveBeenCalledTimes(1);
  vi.useRealTimers();
});

test("a removal whose answer is lost may have worked: the file is not sent again, and the next visit finishes it", async () => {
  const send = vi.spyOn(sending, "sendFile").mockResolvedValue({ status: 202, accepted: { jobId: "job", status: "pending", message: "" } });
  let gone = false;
  answer((_, call) => {
    if (call.method === "DELETE" && !gone) {
      gone = true;
      throw new TypeError("network error"); // after the server has done it
    }
    return gone ? new Response(JSON.stringify({ message: "Gone.", error: "JOB_NOT_FOUND" }), { status: 404 }) : new Response(JSON.stringify({ id: "job", status: "processing" }));
  });
  await add([pdf("a.pdf")]);
  await vi.waitFor(() => expect(uploads.value[0]?.jobId).toBe("job"));
  const { id } = uploads.value[0]!;
  await expect(remove(id)).rejects.toMatchObject({ code: "OFFLINE" });
  expect(uploads.value[0]).toMatchObject({ id, removing: true });
  await new Promise((done) => setTimeout(done)); // whatever goes on has begun by now
  resume();
  await vi.waitFor(() => expect(uploads.value).toEqual([]));
  expect(send).toHaveBeenCalledTimes(1);
});

test("the next visit finishes a removal that the page's end broke off", async () => {
  given({ uploads: [{ id: "1", name: "a.pdf", size: 1, addedAt: "2026-01-01", state: "reading", jobId: "job", removing: true }] });
  const asked: string[] = [];
  answer((path, call) => {
    asked.push(`${call.method} ${path}`);
    return new Response("{}", { status: 404 });
  });
  resume();
  await vi.waitFor(() => expect(uploads.value).toEqual([]));
  expect(asked).toEqual(["DELETE /api/jobs/job"]);
});
