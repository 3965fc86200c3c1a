import { href, steps, type Step } from "../router";
import { texts } from "../texts";
import { Icon } from "./icon";

/** The name and the way through the steps: at the top of a wide window, at the bottom of a phone, where thumbs are. */
export function Header({ step }: { step: Step }) {
  return (
    <header class="top">
      <a class="brand" href={href("upload")}>
        <Icon name="brand" />
        {texts.brand}
      </a>
      <nav class="steps" aria-label={texts.steps.label}>
        {steps.map((s) => (
          <a key={s} href={href(s)} aria-current={s === step ? "page" : undefined}>
            <Icon name={s} />
            <span>{texts.steps[s]}</span>
          </a>
        ))}
      </nav>
    </header>
  );
}
