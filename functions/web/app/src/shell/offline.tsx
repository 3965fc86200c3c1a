import { signal } from "@preact/signals";
import { hasEvents } from "../state/store";
import { texts } from "../texts";

const online = signal(navigator.onLine);
addEventListener("online", () => (online.value = true));
addEventListener("offline", () => (online.value = false));

/** Says that there is no network, and what is possible all the same. */
export function Offline() {
  return (
    <div role="status">
      {!online.value && <p class="notice warn">{hasEvents.value ? texts.offline.withEvents : texts.offline.without}</p>}
    </div>
  );
}
