import { useSignal } from "@preact/signals";
import { Icon } from "../shell/icon";
import { takeTexts as text } from "../texts/take";
import { Trouble, useAttempt } from "../shell/attempt";
import { save } from "../shell/save";
import { makeFile, type CalendarFile } from "./generate";

/** The calendar as a file. */
export function File() {
  const attempt = useAttempt();
  const saved = useSignal<CalendarFile | null>(null);
  const download = () =>
    attempt.start(async () => {
      const file = await makeFile();
      save(file);
      saved.value = file;
    });
  return (
    <section class="card" aria-labelledby="file-title">
      <h2 id="file-title">{text.file.title}</h2>
      <p>{text.file.text}</p>
      <button type="button" class="button" disabled={attempt.busy} onClick={download}>
        <Icon name="take" />
        {attempt.busy ? text.busy : text.file.get}
      </button>
      <div role="status">{saved.value && <Saved file={saved.value} />}</div>
      <Trouble attempt={attempt} />
    </section>
  );
}

function Saved({ file }: { file: CalendarFile }) {
  return (
    <p class="notice good">
      {text.file.done(file.name)} {file.clashes > 0 && text.notes.clashes(file.clashes)} {file.warnings > 0 && text.notes.warnings(file.warnings)}
    </p>
  );
}
