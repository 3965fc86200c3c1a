import { href, route } from "../router";
import { choose as text } from "../texts/choose";
import { Dates } from "./dates";
import { Find } from "./find";
import { Groups } from "./groups";
import { Style } from "./style";
import "../look/look.css";
import "./choose.css";

const parts = { groups: Groups, find: Find, dates: Dates, style: Style };
const names = Object.keys(parts) as (keyof typeof parts)[];

/** The step in which a student chooses. Each part has an address of its own. */
export function Choose() {
  const part = names.find((name) => name === route.value.rest) ?? "groups";
  const Part = parts[part];
  return (
    <div class="choose">
      <nav class="tabs" aria-label={text.parts.label}>
        {names.map((name) => (
          <a key={name} href={href("choose", name)} aria-current={name === part ? "page" : undefined}>
            {text.parts[name]}
          </a>
        ))}
      </nav>
      <Part />
    </div>
  );
}
