import type { Timetable } from "../api/client";
import { Trouble, useAttempt } from "../shell/attempt";
import { Icon } from "../shell/icon";
import { timetable, uploads } from "../state/store";
import type { Upload } from "../state/types";
import { texts } from "../texts";
import { uploadTexts as text } from "../texts/upload";
import { day } from "../texts/words";
import { progress, remove, removeJob, retry } from "./queue";

/** One file: how far it is, what is wrong with it, and what can be done. */
export function Item({ upload, note }: { upload: Upload; note?: string }) {
  return (
    <li>
      <Mark upload={upload} />
      <div class="grow">
        <strong class="name">{upload.name}</strong>
        <State upload={upload} />
        {note && <p class="soft">{note}</p>}
      </div>
      {upload.state === "failed" && upload.problem?.retry && (
        <button type="button" class="button second" onClick={() => retry(upload.id)}>
          <Icon name="retry" />
          {texts.retry}
        </button>
      )}
      <Remove name={upload.name} remove={() => remove(upload.id)} />
    </li>
  );
}

/** The uploads that other browsers of the same student made. */
export function otherUploads() {
  const here = new Set(uploads.value.map((u) => u.jobId));
  return (timetable.value?.uploads ?? []).filter((u) => !here.has(u.jobId));
}

/** One of them. */
export function OtherUpload({ upload }: { upload: Timetable["uploads"][number] }) {
  return (
    <li>
      <span class="mark good">
        <Icon name="check" />
      </span>
      <div class="grow">
        <strong class="name">{upload.filename}</strong>
        <p class="soft">{`${texts.kinds[upload.pdfType]} · ${text.elsewhere(day(upload.createdAt), upload.events)}`}</p>
      </div>
      <Remove name={upload.filename} remove={() => removeJob(upload.jobId)} />
    </li>
  );
}

/** The button that removes a file, and says why where that fails. */
function Remove({ name, remove }: { name: string; remove(): Promise<void> }) {
  const attempt = useAttempt();
  return (
    <>
      <button type="button" class="button quiet" aria-label={text.remove(name)} disabled={attempt.busy} onClick={() => attempt.start(remove)}>
        <Icon name="close" />
      </button>
      <Trouble attempt={attempt} />
    </>
  );
}

function Mark({ upload }: { upload: Upload }) {
  if (upload.state === "done") return <span class="mark good"><Icon name="check" /></span>;
  if (upload.state === "failed") return <span class="mark bad"><Icon name="warn" /></span>;
  return <span class="spin" />;
}

function State({ upload }: { upload: Upload }) {
  const part = progress.value[upload.id] ?? 0;
  const percent = Math.round(part * 100);
  switch (upload.state) {
    case "done": {
      const kind = upload.kind ? texts.kinds[upload.kind] + " · " : "";
      return <p class="soft" role="status">{kind + text.state.done(upload.entries ?? upload.sample?.length ?? 0, upload.doubts ?? 0)}</p>;
    }
    case "failed":
      return <p class="problem" role="alert">{upload.problem?.message}</p>;
    case "sending":
      return (
        <>
          <p class="soft">{text.state.sending(percent)}</p>
          <progress max={100} value={percent} aria-label={text.state.sending(percent)} />
        </>
      );
    case "reading":
      return <p class="soft" role="status">{text.state.reading}</p>;
    default:
      return <p class="soft" role="status">{upload.problem?.message ?? text.state.waiting}</p>;
  }
}
