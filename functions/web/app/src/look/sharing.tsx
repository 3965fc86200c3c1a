import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { classesOf, encodeWeek } from "../domain/share";
import { href } from "../router";
import { CopyButton } from "../shell/copy";
import { Icon } from "../shell/icon";
import { academicYear } from "../state/store";
import { look } from "../texts/look";
import { lectures } from "./view";

const text = look.sharing;

function linkOf(name: string): string | null {
  const week = encodeWeek({ name, year: academicYear.value, classes: classesOf(lectures.value) });
  return week === null ? null : location.origin + location.pathname + href("shared", week);
}

/** The button that opens a dialog with a link to the week. */
export function Sharing() {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = useSignal(false);
  if (lectures.value.length === 0) return null;
  const show = () => {
    open.value = true;
    dialog.current?.showModal();
  };
  return (
    <>
      <button type="button" class="button second" aria-haspopup="dialog" onClick={show}>
        <Icon name="share" />
        {look.share}
      </button>
      <dialog ref={dialog} class="details" aria-labelledby="share-title" onClose={() => (open.value = false)}>
        {open.value && <Link close={() => dialog.current?.close()} />}
      </dialog>
    </>
  );
}

function Link({ close }: { close(): void }) {
  const name = useSignal("");
  const field = useRef<HTMLInputElement>(null);
  const link = linkOf(name.value.trim());
  return (
    <div class="inside">
      <header>
        <h2 id="share-title">{text.title}</h2>
        <button type="button" class="button quiet" aria-label={look.details.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <p>{text.hint}</p>
      <label class="field">
        <span>{text.name}</span>
        <input class="input" maxLength={60} placeholder={text.namePlaceholder} value={name.value} onInput={(e) => (name.value = e.currentTarget.value)} />
      </label>
      {link === null ? (
        <p class="notice bad">{text.tooLong}</p>
      ) : (
        <label class="field">
          <span>{text.link}</span>
          <input ref={field} class="input" readOnly value={link} onFocus={(e) => e.currentTarget.select()} />
        </label>
      )}
      <div class="buttons">
        <CopyButton value={link ?? ""} label={text.copy} disabled={link === null} field={field} />
        {"share" in navigator && link !== null && (
          <button type="button" class="button second" onClick={() => void navigator.share({ title: text.text, url: link }).catch(() => undefined)}>
            {text.send}
          </button>
        )}
      </div>
    </div>
  );
}
