import { errorOf, offline, type AcceptedUpload, type ReadUpload } from "../api/client";

/** How an upload was answered: read at once, or accepted and still being read. */
export type Sent = { status: 201; read: ReadUpload } | { status: 202; accepted: AcceptedUpload };

/** How many seconds the answer may wait for the PDF to be read, where nothing else waits to be sent. */
const patient = 10;

/** No byte moved for so long: the connection is lost. */
const stalled = 60_000;

/**
 * Sends a PDF. onProgress is told of the part that is sent, from 0 to 1: fetch cannot tell that, so this is an XMLHttpRequest. At 1
 * the server has all of it and reads. What is ended before that has no job. In a hurry the answer comes as soon as the server has the
 * PDF, and the caller asks how its job is.
 */
export function sendFile(file: File, onProgress: (part: number) => void, ended?: AbortSignal, hurry = false): Promise<Sent> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    let sent = false;
    ended?.addEventListener("abort", () => sent || request.abort()); // later, the answer names the job that must be deleted
    request.open("POST", "/api/upload");
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Prefer", `wait=${hurry ? 0 : patient}`);
    let timer = setTimeout(() => request.abort(), stalled);
    const moved = () => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), stalled);
    };
    request.upload.onprogress = (e) => {
      moved();
      if (e.lengthComputable) onProgress(e.loaded / e.total);
    };
    request.upload.onload = () => {
      moved();
      sent = true;
      onProgress(1);
    };
    request.onerror = request.onabort = () => failed(offline());
    request.onloadend = () => clearTimeout(timer);
    request.onload = () => {
      try {
        done(sentOf(request.status, request.responseText, request.getResponseHeader("Retry-After")));
      } catch (e) {
        failed(e);
      }
    };
    const form = new FormData();
    form.append("file", file, file.name);
    request.send(form);
  });
}

function sentOf(status: number, body: string, retryAfter: string | null): Sent {
  if (status === 201) return { status, read: JSON.parse(body) as ReadUpload };
  if (status === 202) return { status, accepted: JSON.parse(body) as AcceptedUpload };
  throw errorOf(status, body, retryAfter);
}
