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

/** A button that asks before it does what cannot be taken back. The focus goes to the question, and back after a No. */
export function Confirm({ ask, question, yes, no, danger, disabled, confirmed }: Props) {
  const asking = useSignal(false);
  const opener = useRef<HTMLButtonElement>(null);
  const answer = useRef<HTMLButtonElement>(null);
  const moved = useRef(false);
  useEffect(() => {
    if (asking.value) answer.current?.focus();
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
  return (
    <div class="notice bad confirm" role="group" aria-label={question}>
      <p>{question}</p>
      <div class="buttons">
        <button ref={answer} type="button" class="button danger" disabled={disabled} onClick={confirmed}>
          {yes}
        </button>
        <button type="button" class="button second" disabled={disabled} onClick={() => (asking.value = false)}>
          {no}
        </button>
      </div>
    </div>
  );
}
