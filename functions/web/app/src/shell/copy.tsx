import { useSignal } from "@preact/signals";
import { texts } from "../texts";
import { Icon } from "./icon";

/** Copies a text, in the old way where the browser does not allow the new one; the text must be selected for that. */
export async function copy(value: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(value);
    return true;
  } catch {
    return document.execCommand("copy");
  }
}

/**
 * Copies what a field shows before this returns. The new way takes a moment, in which the window must keep its focus: a link that
 * opens another one would take it away.
 */
export function copyAtOnce(field: HTMLInputElement): void {
  field.focus({ preventScroll: true });
  field.select();
  if (!document.execCommand("copy")) void copy(field.value);
}

interface Props {
  value: string;
  label: string;
  disabled?: boolean;
  /** The field that shows the value. */
  field: { current: HTMLInputElement | null };
}

/** A button that copies, and says so to the eye and to the ear. */
export function CopyButton({ value, label, disabled, field }: Props) {
  const copied = useSignal("");
  const done = copied.value === value && value !== "";
  const take = async () => {
    field.current?.select();
    if (await copy(value)) copied.value = value;
  };
  return (
    <>
      <button type="button" class="button" disabled={disabled} onClick={() => void take()}>
        <Icon name={done ? "check" : "copy"} />
        {done ? texts.copied : label}
      </button>
      <span class="hidden" role="status">
        {done && texts.copied}
      </span>
    </>
  );
}
