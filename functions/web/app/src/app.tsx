import { useEffect, useRef } from "preact/hooks";
import { route, type Step } from "./router";
import { Empty } from "./shell/empty";
import { Header } from "./shell/header";
import { lazy } from "./shell/lazy";
import { Offline } from "./shell/offline";
import { forgottenElsewhere, hasEvents, notKept } from "./state/store";
import { texts } from "./texts";
import { Upload } from "./upload/upload";

const Look = lazy(() => import("./look/look").then((part) => part.Look));
const Choose = lazy(() => import("./choose/choose").then((part) => part.Choose));
const Take = lazy(() => import("./take/take").then((part) => part.Take));
const Mine = lazy(() => import("./mine/mine").then((part) => part.Mine));
const Shared = lazy(() => import("./look/shared").then((part) => part.Shared));

const pages = { upload: Upload, look: Look, choose: Choose, take: Take, mine: Mine, shared: Shared };

/** Steps that make no sense without a timetable. */
const needEvents: Step[] = ["look", "choose", "take"];

/** The page: the steps, and the one that the address names. */
export function App() {
  const { step } = route.value;
  const heading = useRef<HTMLHeadingElement>(null);
  const first = useRef(true);
  useEffect(() => {
    document.title = step === "upload" ? `${texts.brand}: ${texts.titles.upload}` : `${texts.titles[step]} – ${texts.brand}`;
    if (first.current) {
      first.current = false;
      return;
    }
    scrollTo(0, 0);
    heading.current?.focus(); // whoever reads by ear hears where they are
  }, [step]);
  const Page = needEvents.includes(step) && !hasEvents.value ? Empty : pages[step];
  return (
    <>
      <a class="skip" href="#main" onClick={toMain}>
        {texts.skip}
      </a>
      <Header step={step} />
      <main id="main" tabIndex={-1}>
        <Offline />
        {notKept.value && (
          <p class="notice warn" role="alert">
            {texts.error.notKept}
          </p>
        )}
        <h1 ref={heading} tabIndex={-1}>
          {texts.titles[step]}
        </h1>
        <Page key={forgottenElsewhere.value} />
      </main>
    </>
  );
}

/** The address names a step, so the skip link must not change it. */
function toMain(e: MouseEvent) {
  e.preventDefault();
  document.getElementById("main")?.focus();
}
