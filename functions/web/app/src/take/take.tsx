import { href } from "../router";
import { events, modules } from "../state/store";
import { takeTexts as text } from "../texts/take";
import { Feed } from "./feed";
import { File } from "./file";
import { onlySample } from "./generate";
import { Google } from "./google";
import "./take.css";

/** The step that gives the calendar away: a file, a feed, Google. */
export function Take() {
  const sample = onlySample();
  return (
    <>
      <p class="lead">
        {text.chosen(events.value.length, modules.value.length)} <a href={href("choose")}>{text.change}</a>
      </p>
      <div class="ways out">
        <File />
        {sample ? <SampleOnly /> : <Feed />}
        {!sample && <Google />}
      </div>
    </>
  );
}

function SampleOnly() {
  return (
    <section class="card">
      <p>{text.sample}</p>
      <a class="button" href={href("upload")}>
        {text.toUpload}
      </a>
    </section>
  );
}
