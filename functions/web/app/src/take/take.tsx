import { href } from "../router";
import { attended } from "../look/view";
import { onlySample } from "../state/store";
import { takeTexts as text } from "../texts/take";
import { Feed } from "./feed";
import { File } from "./file";
import { Google } from "./google";
import "./take.css";

/** The step that gives the calendar away: a file, a feed, Google. */
export function Take() {
  const sample = onlySample.value;
  const modules = new Set(attended.value.map((e) => e.module));
  if (modules.size === 0) {
    return (
      <section class="card empty">
        <p>{text.nothing}</p>
        <a class="button" href={href("choose")}>
          {text.change}
        </a>
      </section>
    );
  }
  return (
    <>
      <p class="lead">
        {text.chosen(attended.value.length, modules.size)} <a href={href("choose")}>{text.change}</a>
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
