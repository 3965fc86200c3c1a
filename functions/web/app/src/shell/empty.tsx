import { href } from "../router";
import { texts } from "../texts";

/** What a step shows that needs a timetable, and has none. */
export function Empty() {
  return (
    <section class="card empty">
      <h2>{texts.empty.title}</h2>
      <p>{texts.empty.text}</p>
      <a class="button" href={href("upload")}>
        {texts.empty.upload}
      </a>
    </section>
  );
}
