import "fake-indexeddb/auto";
import { beforeEach, expect, test, vi } from "vitest";
import { ApiError, type Event } from "../api/client";
import { uploads } from "../state/store";
import { keptFile } from "../state/waiting";
import { add, remove, resume } from "./queue";
import * as sending from "./send";

const pdf = (name: string, content = "%PDF-1.7 x") => new File([content], name, { type: "application/pdf" });
const lecture = { id: "a", kind: "lecture", module: "COS 132", activity: "L1", group: "G01", startTime: "08:30", endTime: "09:20", endTimeEstimated: false, venue: "", venues: [], isRecurring: true } as Event;
const read = (jobId: string): sending.Sent => ({ status: 201, read: { jobId, pdfType: "lecture", status: "completed", events: [lecture], semesterDates: {}, message: "" } as never });

const state = () => uploads.value.map((u) => [u.name, u.state, u.problem?.code]);

beforeEach(() => {
  uploads.value = [];
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test("a file that is read is done, and its bytes are forgotten", async () => {
  vi.spyOn(sending, "sendFile").mockImplementation(async (_, onProgress) => {
    onProgress(1);
    return read("job");
  });
  await add([pdf("a.pdf")]);
  await vi.waitFor(() => expect(state()).toEqual([["a.pdf", "done", undefined]]));
  expect(uploads.value[0]).toMatchObject({ jobId: "job", kind: "lecture", events: [lecture] });
  expect(await keptFile(uploads.value[0]!.id)).toBeUndefined();
});

test("what is no PDF is not sent", async () => {
  const send = vi.spyOn(sending, "sendFile");
  await add([pdf("empty.pdf", ""), pdf("notes.txt", "hello")]);
  expect(state()).toEqual([["empty.pdf", "failed", "EMPTY"], ["notes.txt", "failed", "NOT_A_PDF"]]);
  expect(send).not.toHaveBeenCalled();
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
  vi.stubGlobal("fetch", async () => new Response(JSON.stringify({ id: "job", status: "failed", error: "No timetable.", errorCode: "NO_TIMETABLE" })));
  await add([pdf("a.pdf")]);
  await vi.waitFor(() => expect(uploads.value[0]?.problem).toEqual({ code: "NO_TIMETABLE", message: "No timetable.", retry: false }));
});

test("a job that the server no longer has is sent again from the file that is kept", async () => {
  const send = vi.spyOn(sending, "sendFile").mockResolvedValueOnce({ status: 202, accepted: { jobId: "gone", status: "pending", message: "" } });
  send.mockResolvedValueOnce(read("again"));
  vi.stubGlobal("fetch", async () => new Response(JSON.stringify({ message: "Gone.", error: "JOB_NOT_FOUND" }), { status: 404 }));
  await add([pdf("a.pdf")]);
  await vi.waitFor(() => expect(state()).toEqual([["a.pdf", "done", undefined]]));
  expect(uploads.value[0]?.jobId).toBe("again");
  expect(send).toHaveBeenCalledTimes(2);
});

test("a lost job whose file is not kept says so", async () => {
  uploads.value = [{ id: "1", name: "a.pdf", size: 1, addedAt: "2026-01-01", state: "reading", jobId: "gone", events: [] }];
  vi.stubGlobal("fetch", async () => new Response(JSON.stringify({ message: "Gone.", error: "JOB_NOT_FOUND" }), { status: 404 }));
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
  vi.stubGlobal("fetch", async (path: string, call: RequestInit) => {
    asked.push(`${call.method} ${path}`);
    return new Response(null, { status: 204 });
  });
  await add([pdf("a.pdf")]);
  await vi.waitFor(() => expect(uploads.value[0]?.state).toBe("sending"));
  await remove(uploads.value[0]!.id);
  arrive({ status: 202, accepted: { jobId: "late", status: "pending", message: "" } });
  await vi.waitFor(() => expect(asked).toEqual(["DELETE /api/jobs/late"]));
});

test("removing ends the job on the server; one that is gone is no error", async () => {
  uploads.value = [{ id: "1", name: "a.pdf", size: 1, addedAt: "2026-01-01", state: "done", jobId: "job", events: [] }];
  vi.stubGlobal("fetch", async () => new Response(JSON.stringify({ message: "Away.", error: "UNAVAILABLE" }), { status: 503 }));
  await expect(remove("1")).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(uploads.value).toHaveLength(1);
  vi.stubGlobal("fetch", async () => new Response("{}", { status: 404 }));
  await remove("1");
  expect(uploads.value).toEqual([]);
});
