import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Props {
  /** What the button says that leads to the question. */
  ask: string;
  /** The question, and its two answers. */
  question: string;
  yes: ComponentChildren;
  no: string;
  danger?: boolean;
  disabled?: boolean;
  confirmed(): void;
}

/** A button that asks before it does what cannot be taken back. The focus goes to the safe answer, which Escape gives, too, and back after it. */
export function Confirm({ ask, question, yes, no, danger, disabled, confirmed }: Props) {
  const asking = useSignal(false);
  const opener = useRef<HTMLButtonElement>(null);
  const safe = useRef<HTMLButtonElement>(null);
  const moved = useRef(false);
  useEffect(() => {
    if (asking.value) safe.current?.focus();
    else if (moved.current) opener.current?.focus();
    moved.current = true;
  }, [asking.value]);
  if (!asking.value) {
    return (
      <button ref={opener} type="button" class={danger ? "button danger" : "button quiet"} disabled={disabled} onClick={() => (asking.value = true)}>
        {ask}
      </button>
    );
  }
  const cancel = () => !disabled && (asking.value = false);
  return (
    <div class="notice bad confirm" role="group" aria-label={question} onKeyDown={(e) => e.key === "Escape" && cancel()}>
      <p>{question}</p>
      <div class="buttons">
        <button type="button" class="button danger" disabled={disabled} onClick={confirmed}>
          {yes}
        </button>
        <button ref={safe} type="button" class="button second" disabled={disabled} onClick={cancel}>
          {no}
        </button>
      </div>
    </div>
  );
}
