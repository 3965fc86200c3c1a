/**
 * What becomes of a file: waiting → sending → reading → done or failed. Each step is kept before the next begins, so whatever
 * ends the page in between, resume() goes on from there.
 */
import { effect, signal } from "@preact/signals";
import { secondsUntilRetry } from "../api/retry";
import { ApiError, ask, submit, type Event, type Job, type Kind } from "../api/client";
import { addUpload, beginning, type Beginning, changeUpload, forgottenSince, hasSession, removeUpload, uploads } from "../state/store";
import { refreshTimetable } from "../state/timetable";
import type { Problem, Upload } from "../state/types";
import { forgetFile, keepFile, keptFile } from "../state/waiting";
import { texts } from "../texts";
import { uploadTexts } from "../texts/upload";
import { sendFile, type Sent } from "./send";
import { inTurn } from "./turns";

const text = uploadTexts.problem;
const maxBytes = 10 << 20;

/** The part of each file that is sent, from 0 to 1. */
export const progress = signal<Record<string, number>>({});

/** Uploads that this tab works on now, each with the way to end that. */
const running = new Map<string, AbortController>();

// Ends the work on uploads that are gone, whichever tab removed them or forgot everything.
effect(() => {
  const there = new Set(uploads.value.map((u) => u.id));
  for (const [id, ended] of running) if (!there.has(id)) ended.abort();
});

let counter = 0;

function newId(): string {
  return `${Date.now().toString(36)}-${(counter++).toString(36)}-${Math.random().toString(36).slice(2, 10)}`;
}

/**
 * Takes files that were picked or dropped. All are listed before the first is sent, which then knows that others wait, and
 * none before it is kept: other tabs, and the next visit, take it for one that can be sent.
 */
export async function add(files: Iterable<File>): Promise<void> {
  const taken: Upload[] = [];
  for (const file of [...files]) { // the browser empties its own list after the event
    const id = newId();
    const problem = await refusal(file).catch((): Problem => ({ code: "UNREADABLE_FILE", message: text.unreadable, retry: false }));
    const upload: Upload = {
      id, name: file.name, size: file.size, addedAt: new Date(Date.now() + counter).toISOString(), state: problem ? "failed" : "waiting",
      ...(problem ? { problem } : {}),
    };
    if (!problem) await keepFile(id, file);
    taken.push(upload);
  }
  for (const upload of taken) addUpload(upload);
  for (const upload of taken) if (isOpen(upload)) void run(upload.id); // at once, before another tab hears of it
}

/** What can be said without the server. */
async function refusal(file: File): Promise<Problem | undefined> {
  const problem = (code: string, message: string): Problem => ({ code, message, retry: false });
  if (file.size === 0) return problem("EMPTY", text.empty);
  if (file.size > maxBytes) return problem("FILE_TOO_LARGE", text.tooLarge);
  const head = await file.slice(0, 1024).text();
  return head.includes("%PDF-") ? undefined : problem("NOT_A_PDF", text.notPdf);
}

/** Goes on with what an earlier visit, or a lost connection, left, and asks what other browsers uploaded meanwhile. */
export function resume(): void {
  for (const upload of uploads.value) {
    if (upload.removing) void remove(upload.id).catch(() => undefined); // then it is still in the list
    else if (isOpen(upload) || (upload.state === "failed" && upload.problem?.code === "OFFLINE")) void run(upload.id);
  }
  if (hasSession.value) void refreshTimetable().catch(() => undefined); // what was kept is shown until then
}

function isOpen({ state }: Upload): boolean {
  return state === "waiting" || state === "sending" || state === "reading";
}

/** Tries a failed one again. */
export function retry(id: string): void {
  void run(id);
}

/**
 * Removes an upload, first on the server with all it made, then here. Meanwhile nothing is asked or sent for it: its job being gone
 * would look like one that the server lost. Where no answer comes it may be gone, so it stays as it is until that is known. One that
 * is being sent is deleted there once it has a job.
 */
export async function remove(id: string): Promise<void> {
  const jobId = uploads.value.find((u) => u.id === id)?.jobId;
  try {
    changeUpload(id, { removing: true });
    if (jobId) await deleteJob(jobId);
  } catch (e) {
    if (isLost(e)) throw e;
    changeUpload(id, { removing: undefined });
    if (wanted(id) && isOpen(wanted(id)!)) void run(id);
    throw e;
  }
  removeUpload(id);
  await forgetFile(id);
  if (jobId) await refreshTimetable();
}

/** Removes an upload that another browser made. */
export async function removeJob(jobId: string): Promise<void> {
  await deleteJob(jobId);
  await refreshTimetable();
}

async function deleteJob(jobId: string): Promise<void> {
  try {
    await submit(`/api/jobs/${jobId}`, { method: "DELETE" });
  } catch (e) {
    if (!(e instanceof ApiError && e.status === 404)) throw e;
  }
}

/** An upload that is still worth work: neither removed nor about to be. */
function wanted(id: string): Upload | undefined {
  return uploads.value.find((u) => u.id === id && !u.removing);
}

async function run(id: string): Promise<void> {
  if (running.has(id)) return;
  running.set(id, new AbortController());
  try {
    await withLock(id, () => attempt(id));
  } catch (e) {
    failed(id, e);
  } finally {
    running.delete(id);
    const { [id]: _, ...others } = progress.value;
    progress.value = others;
  }
}

/** Works on a file in one tab at a time. Where another tab is at it, this one waits, and goes on only if that one was closed. */
async function withLock(id: string, work: () => Promise<void>): Promise<void> {
  const locks = navigator.locks as LockManager | undefined; // older browsers have none
  if (!locks) return work();
  const name = `schedgen upload ${id}`;
  const taken = await locks.request(name, { ifAvailable: true }, async (lock) => {
    if (lock) await work();
    return lock === null;
  });
  if (taken) await locks.request(name, async () => wanted(id) && isOpen(wanted(id)!) && work());
}

function isLost(e: unknown): boolean {
  return e instanceof ApiError && e.status === 0;
}

/** How often a file is sent whose job the server has lost. */
const mostJobs = 5;

async function attempt(id: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      const upload = wanted(id);
      if (!upload) return;
      await (upload.jobId ? read(id, upload.jobId) : sendKept(id));
      return;
    } catch (e) {
      if (!wanted(id)) return;
      if (e instanceof ApiError && e.code === "JOB_NOT_FOUND" && tries < mostJobs && (await keptFile(id))) {
        changeUpload(id, { state: "waiting", jobId: undefined }); // the server lost it: the file is still here
        continue;
      }
      // The browser tells when a lost connection is back. A question about a job may be lost by itself, and is asked again;
      // a file is not sent twice unasked.
      const waits = isLost(e) && !(navigator.onLine && wanted(id)?.jobId);
      const seconds = waits ? 0 : secondsUntilRetry(e, tries, { guess: true });
      if (seconds === 0) throw e;
      changeUpload(id, { state: "waiting", problem: { code: (e as ApiError).code, message: isLost(e) ? text.lostSoon(seconds) : text.soon(seconds), retry: false } });
      await pause(seconds * 1000);
    }
  }
}

async function sendKept(id: string): Promise<void> {
  const file = await keptFile(id);
  if (!file) throw new ApiError(text.lost, "LOST", 410);
  const upload = wanted(id);
  const since = beginning();
  const sent = await inTurn(() => sendNow(id, file));
  if (!sent || !upload) return;
  if (!wanted(id)) return deleteSent({ ...upload, jobId: sent.status === 202 ? sent.accepted.jobId : sent.read.jobId }, since);
  if (sent.status === 202) {
    changeUpload(id, { state: "reading", jobId: sent.accepted.jobId });
    await read(id, sent.accepted.jobId);
    return;
  }
  await done(id, sent.read.jobId, sent.read.pdfType, sent.read.events);
}

/**
 * Deletes the job of an upload that was removed while it was sent. Where that fails it is in the list again, under a new id,
 * for the old one counts as removed, and the next visit finishes it.
 */
async function deleteSent(upload: Upload & { jobId: string }, since: Beginning): Promise<void> {
  try {
    await deleteJob(upload.jobId);
  } catch {
    if (!forgottenSince(since)) addUpload({ ...upload, id: newId(), state: "reading", removing: true });
  }
}

/** Sends a file, unless it was removed while it waited for its turn. */
async function sendNow(id: string, file: File): Promise<Sent | undefined> {
  if (!wanted(id)) return undefined;
  changeUpload(id, { state: "sending", problem: undefined });
  const onProgress = (part: number) => {
    progress.value = { ...progress.value, [id]: part };
    if (part === 1) changeUpload(id, { state: "reading" });
  };
  return sendFile(file, onProgress, running.get(id)?.signal, othersWait(id));
}

/** Whether another upload waits to be sent, in this tab or another. */
function othersWait(id: string): boolean {
  return uploads.value.some((u) => u.id !== id && !u.jobId && !u.removing && (u.state === "waiting" || running.has(u.id)));
}

/** Asks how a job is until it has ended: after a second, and then a little less often each time. */
async function read(id: string, jobId: string): Promise<void> {
  changeUpload(id, { state: "reading", problem: undefined });
  for (let delay = 500; wanted(id); delay = Math.min(delay * 1.5, 5000)) {
    const job = await ask<Job>(`/api/jobs/${jobId}`);
    if (job.status === "failed") throw new ApiError(job.error ?? texts.error.status(500), job.errorCode ?? "FAILED", 422);
    if (job.status === "completed") {
      const result = await ask<{ events: Event[] }>(`/api/jobs/${jobId}/result`);
      await done(id, jobId, job.pdfType ?? "lecture", result.events);
      return;
    }
    await pause(delay);
  }
}

async function done(id: string, jobId: string, kind: Kind, events: Event[]): Promise<void> {
  changeUpload(id, { jobId });
  await refreshTimetable();
  await forgetFile(id);
  const problem = events.length === 0 ? { code: "NO_EVENTS", message: text.noEvents, retry: false } : undefined;
  const doubts = events.filter((e) => (e.warnings ?? []).length > 0).length;
  changeUpload(id, { state: problem ? "failed" : "done", kind, entries: events.length, doubts, problem });
}

function failed(id: string, e: unknown): void {
  if (!(e instanceof ApiError)) {
    changeUpload(id, { state: "failed", problem: { code: "UNEXPECTED", message: texts.error.status(500), retry: true } });
    return;
  }
  const lost = e.code === "JOB_NOT_FOUND";
  const message = lost ? text.gone : e.status === 0 && !navigator.onLine ? text.offline : e.message;
  changeUpload(id, { state: "failed", problem: { code: e.code, message, retry: e.retry }, ...(lost ? { jobId: undefined } : {}) });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}
