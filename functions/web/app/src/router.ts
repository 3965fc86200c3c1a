import { signal } from "@preact/signals";

/** The steps, in the order in which a student takes them. Each has an address, so that reload, back and forward work. */
export const steps = ["upload", "look", "choose", "take", "mine"] as const;
/** The steps, and the page of a shared week, to which only links lead. */
export const pages = [...steps, "shared"] as const;
export type Step = (typeof pages)[number];

/** What the address says: a step, and what follows it (#/look/exams has the rest "exams"). */
export interface Route {
  step: Step;
  rest: string;
}

/** Reads the part of an address after #. What is no step is the first one. */
export function parseRoute(hash: string): Route {
  const [, name = "", rest = ""] = /^#\/([a-z]*)\/?(.*)$/.exec(hash) ?? [];
  const step = pages.find((s) => s === name);
  return step ? { step, rest } : { step: "upload", rest: "" };
}

/** The link to a step. */
export function href(step: Step, rest = ""): string {
  return "#/" + (step === "upload" ? "" : step) + (rest && "/" + rest);
}

/** Where a sign-in with Google begins that ends at that step again. */
export function signInAddress(step: Step): string {
  return "/api/auth/google?returnUrl=" + encodeURIComponent("/" + href(step));
}

export const route = signal<Route>(parseRoute(location.hash));

addEventListener("hashchange", () => {
  route.value = parseRoute(location.hash);
});

/** Goes to a step, as a click on its link does. */
export function go(step: Step, rest = "") {
  location.hash = href(step, rest);
}
