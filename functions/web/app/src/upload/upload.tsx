import { useSignal } from "@preact/signals";
import { offline } from "../api/client";
import { href } from "../router";
import { Trouble, useAttempt } from "../shell/attempt";
import { Icon } from "../shell/icon";
import { reloadOnce } from "../shell/lazy";
import { hasEvents, uploads } from "../state/store";
import { uploadTexts as text } from "../texts/upload";
import "./upload.css";
import { Item, OtherUpload, otherUploads } from "./item";
import { add } from "./queue";

/** The first step: PDFs come in. */
export function Upload() {
  return (
    <>
      <p class="lead">{text.lead}</p>
      <div class="columns">
        <div>
          <Drop />
          {(uploads.value.length > 0 || otherUploads().length > 0) && <List />}
        </div>
        <Where />
      </div>
    </>
  );
}

function Drop() {
  const over = useSignal(false);
  const drop = (e: DragEvent) => {
    e.preventDefault();
    over.value = false;
    void add(e.dataTransfer?.files ?? []);
  };
  const hover = (e: DragEvent) => {
    e.preventDefault();
    over.value = true;
  };
  const pick = (e: Event) => {
    const input = e.currentTarget as HTMLInputElement;
    void add(input.files ?? []);
    input.value = ""; // the same file may be picked again
  };
  return (
    <div class={over.value ? "card drop over" : "card drop"} onDrop={drop} onDragOver={hover} onDragLeave={() => (over.value = false)}>
      <label class="button big">
        <Icon name="file" />
        {text.pick}
        <input type="file" class="cover" accept="application/pdf,.pdf" multiple aria-label={text.fileLabel} onChange={pick} />
      </label>
      <p class="soft">
        {over.value ? text.dropNow : text.together} {!over.value && <span class="mouse">{text.drop}</span>}
      </p>
      {!hasEvents.value && <Sample />}
    </div>
  );
}

function Sample() {
  const attempt = useAttempt();
  const start = () =>
    attempt.start(async () => {
      const { addSample } = await loadSample();
      addSample();
    });
  return (
    <>
      <button type="button" class="button quiet" disabled={attempt.busy} onClick={start}>
        {text.sample}
      </button>
      <Trouble attempt={attempt} />
    </>
  );
}

async function loadSample() {
  try {
    return await import("../sample/sample");
  } catch {
    reloadOnce(); // the page may be older than the server
    throw offline();
  }
}

function List() {
  const ready = hasEvents.value;
  return (
    <section class="card" aria-labelledby="list-title">
      <h2 id="list-title">{text.list}</h2>
      <ul class="rows">
        {uploads.value.map((upload) => (
          <Item key={upload.id} upload={upload} />
        ))}
        {otherUploads().map((upload) => (
          <OtherUpload key={upload.jobId} upload={upload} />
        ))}
      </ul>
      {ready && (
        <div class="onward">
          <a class="button big" href={href("look")}>
            {text.next}
            <Icon name="next" />
          </a>
          <p class="soft">{text.more}</p>
        </div>
      )}
    </section>
  );
}

function Where() {
  return (
    <details class="card where" open={uploads.value.length === 0}>
      <summary>{text.wherePdf}</summary>
      <ol>
        {text.steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      <p class="soft">{text.names}</p>
      <p class="soft">{text.privacy}</p>
    </details>
  );
}

