import { events } from "../state/store";

/** The step that shows choose. */
export function Choose() {
  return (
    <section class="card">
      <p>{events.value.length} classes</p>
    </section>
  );
}
