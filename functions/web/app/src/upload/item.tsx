import { useSignal } from "@preact/signals";
import { Icon } from "../shell/icon";
import type { Upload } from "../state/types";
import { texts } from "../texts";
import { uploadTexts as text } from "../texts/upload";
import { progress, remove, retry } from "./queue";

/** One file: how far it is, what is wrong with it, and what can be done. */
export function Item({ upload, note }: { upload: Upload; note?: string }) {
  const busy = useSignal(false);
  const problem = useSignal("");
  const removeIt = async () => {
    busy.value = true;
    problem.value = "";
    try {
      await remove(upload.id);
    } catch (e) {
      problem.value = (e as Error).message;
      busy.value = false;
    }
  };
  return (
    <li>
      <Mark upload={upload} />
      <div class="grow">
        <strong class="name">{upload.name}</strong>
        <State upload={upload} />
        {note && <p class="soft">{note}</p>}
        {problem.value && <p class="problem" role="alert">{problem.value}</p>}
      </div>
      {upload.state === "failed" && upload.problem?.retry && (
        <button type="button" class="button second" onClick={() => retry(upload.id)}>
          <Icon name="retry" />
          {text.retry}
        </button>
      )}
      <button type="button" class="button quiet" aria-label={text.remove(upload.name)} disabled={busy.value} onClick={() => void removeIt()}>
        <Icon name="close" />
      </button>
    </li>
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
      const doubts = upload.events.filter((e) => (e.warnings ?? []).length > 0).length;
      const kind = upload.kind ? texts.kinds[upload.kind] + " · " : "";
      return <p class="soft" role="status">{kind + text.state.done(upload.events.length, doubts)}</p>;
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
