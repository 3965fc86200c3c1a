import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { look } from "../texts/look";

/**
 * A part of the page that is loaded when it is first shown, so that the first view stays small. On a network that fails
 * it says so, and tries again when asked.
 */
export function lazy(load: () => Promise<ComponentType>): ComponentType {
  const part = signal<ComponentType | null>(null);
  return function Lazy() {
    const failed = useMemo(() => signal(false), []);
    const start = () => {
      failed.value = false;
      load().then(
        (loaded) => (part.value = loaded),
        () => (failed.value = true),
      );
    };
    useEffect(start, []);
    const Part = part.value;
    if (Part) return <Part />;
    if (!failed.value) return <p class="waiting soft">{look.loading}</p>;
    return (
      <div class="notice bad" role="alert">
        <p>{look.loadFailed}</p>
        <button class="button" type="button" onClick={start}>
          {look.retry}
        </button>
      </div>
    );
  };
}
