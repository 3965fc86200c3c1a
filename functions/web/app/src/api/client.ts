import type { components } from "./schema";
import { texts } from "../texts";

type Schemas = components["schemas"];
export type Event = Schemas["Event"];
export type Kind = Event["kind"];
export type RowWarning = Schemas["RowWarning"];
export type Options = Schemas["Options"];
export type Range = Schemas["Range"];
export type Change = Schemas["Change"];
export type ExtraClass = Schemas["ExtraClass"];
export type AcademicYear = Schemas["AcademicYear"];
export type Calendar = Schemas["Calendar"];
export type Clash = Schemas["Clash"];
export type Job = Schemas["Job"];
export type Feed = Schemas["Feed"];
export type ListedFeed = Schemas["ListedFeed"];
export type SignInStatus = Schemas["SignInStatus"];
export type GoogleCalendar = Schemas["GoogleCalendar"];
export type Sync = Schemas["Sync"];
export type SyncPlan = Schemas["SyncPlan"];
export type PersonalData = Schemas["PersonalData"];
export type Deletion = Schemas["Deletion"];
export type StorageUsage = Schemas["StorageUsage"];
export type Timetable = Schemas["Timetable"];
export type ReadUpload = Schemas["ReadUpload"];
export type AcceptedUpload = Schemas["AcceptedUpload"];
type ErrorObject = Schemas["Error"];

/**
 * What went wrong, in a sentence for people. `code` is the API's own, or OFFLINE where no answer came at all. `retry` says
 * that the same request may succeed later, and after how many seconds, where that is known.
 */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  readonly details: unknown;
  readonly retryAfter: number | undefined;
  readonly requestId: string;

  constructor(message: string, code: string, status = 0, details: unknown = null, retryAfter?: number, requestId = "") {
    super(message);
    this.code = code;
    this.status = status;
    this.details = details;
    this.retryAfter = retryAfter;
    this.requestId = requestId;
  }

  get retry(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** The error of a request that no answer came to. */
export function offline(): ApiError {
  return new ApiError(navigator.onLine ? texts.error.unreachable : texts.error.offline, "OFFLINE");
}

/** Reads an answer of the API that tells of an error; a proxy's own page becomes an error, too. */
export function errorOf(status: number, body: string, retryAfter: string | null): ApiError {
  const seconds = Number.parseInt(retryAfter ?? "", 10);
  const wait = Number.isFinite(seconds) ? seconds : undefined;
  try {
    const told = JSON.parse(body) as ErrorObject;
    if (typeof told.message === "string" && typeof told.error === "string") {
      return new ApiError(told.message, told.error, status, told.details, wait, told.requestId);
    }
  } catch {
    // No error of ours: say what the number says.
  }
  return new ApiError(texts.error.status(status), "UNKNOWN", status, null, wait);
}

/** Takes an error of that status for that answer. */
export function without<T>(status: number, answer: T) {
  return (e: unknown): T => {
    if (e instanceof ApiError && e.status === status) return answer;
    throw e;
  };
}

/** Waits for a part of an answer. Where it does not come, the request is lost. */
export async function arriving<T>(part: Promise<T>): Promise<T> {
  try {
    return await part;
  } catch {
    throw offline();
  }
}

interface Call {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  body?: unknown;
  accept?: string;
  /** Seconds after which the request counts as lost: those until the answer begins, and those until its body has come. */
  patience?: number;
}

/**
 * Sends one request and reads its answer. Whatever is no 2xx answer throws an ApiError, and so does one whose end does not come in
 * time: an answer may stop within its body, too. read takes the body by way of arriving().
 */
export async function send<T>(path: string, call: Call, read: (answer: Response) => Promise<T>): Promise<T> {
  const ended = new AbortController();
  const wait = () => setTimeout(() => ended.abort(), (call.patience ?? 60) * 1000);
  let timer = wait();
  try {
    const asked = fetch(path, {
      method: call.method ?? "GET",
      credentials: "same-origin",
      signal: ended.signal,
      headers: {
        Accept: call.accept ?? "application/json",
        ...(call.body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    });
    const answer = await arriving(asked);
    clearTimeout(timer);
    timer = wait();
    if (!answer.ok) throw errorOf(answer.status, await arriving(answer.text()), answer.headers.get("Retry-After"));
    return await read(answer);
  } finally {
    clearTimeout(timer);
  }
}

/** Sends a request whose answer says nothing more than that it was done. */
export function submit(path: string, call: Call): Promise<void> {
  return send(path, call, async () => undefined);
}

/** Sends a request and reads the JSON that it is answered with. */
export function ask<T>(path: string, call: Call = {}): Promise<T> {
  return send(path, call, async (answer) => {
    if (answer.status === 204) return undefined as T;
    const text = await arriving(answer.text());
    try {
      return JSON.parse(text) as T;
    } catch {
      throw errorOf(502, "", null); // a proxy's own page
    }
  });
}
