import { events } from "../state/store";

/** The step that shows look. */
export function Look() {
  return (
    <section class="card">
      <p>{events.value.length} classes</p>
    </section>
  );
}
