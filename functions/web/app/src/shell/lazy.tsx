import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { texts } from "../texts";

/**
 * A part of the page that is loaded when it is first shown, so that the first view stays small. Where it does not load, the page is
 * older than the server, or the network fails: the first is mended by a reload, of the other the page says so.
 */
export function lazy(load: () => Promise<ComponentType>): ComponentType {
  const part = signal<ComponentType | null>(null);
  return function Lazy() {
    const failed = useMemo(() => signal(false), []);
    const start = () => {
      failed.value = false;
      load().then(
        (loaded) => (part.value = loaded),
        () => (reloadOnce() ? undefined : (failed.value = true)),
      );
    };
    useEffect(start, []);
    const Part = part.value;
    if (Part) return <Part />;
    if (!failed.value) return <p class="waiting soft">{texts.loading}</p>;
    return (
      <div class="notice bad" role="alert">
        <p>{texts.loadFailed}</p>
        <button class="button" type="button" onClick={start}>
          {texts.retry}
        </button>
      </div>
    );
  };
}

const reloadedAt = "schedgen/reloaded";

/** Reloads the page, unless it did so in the last minute, or there is no network. */
export function reloadOnce(now = Date.now()): boolean {
  try {
    if (!navigator.onLine || now - Number(sessionStorage.getItem(reloadedAt)) < 60_000) return false;
    sessionStorage.setItem(reloadedAt, String(now));
  } catch {
    return false; // nothing is kept here, so it would reload without end
  }
  location.reload();
  return true;
}
