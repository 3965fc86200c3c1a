/** The academic year, as the server knows it. */
import { computed, signal } from "@preact/signals";
import { type AcademicYear, ApiError, ask } from "../api/client";
import { type Period, semesterDates } from "../domain/year";
import { academicYear, choices } from "../state/store";
import { semester } from "./view";

type State = { of: number } & ({ state: "loading" | "failed" | "unknown" } | { state: "known"; year: AcademicYear });

const asked = signal<State | null>(null);

/** What is known of the academic year. */
export const yearState = computed<State>(() => (asked.value?.of === academicYear.value ? asked.value : { of: academicYear.value, state: "loading" }));
export const university = computed(() => (yearState.value.state === "known" ? yearState.value.year : undefined));

/** The dates of the semester that is shown. */
export const shownDates = computed<(Period & { own: boolean }) | undefined>(() => semesterDates(semester.value, university.value, choices.value));

/** Asks for the year, once. A year that nobody entered is no failure. */
export async function loadYear() {
  const of = academicYear.value;
  if (asked.value?.of === of && (asked.value.state === "known" || asked.value.state === "loading")) return;
  asked.value = { of, state: "loading" };
  const answer = await ask<AcademicYear>(`/api/years/${of}`).then(
    (year): State => ({ of, state: "known", year }),
    (e: unknown): State => ({ of, state: e instanceof ApiError && e.status === 404 ? "unknown" : "failed" }),
  );
  if (asked.value?.of === of) asked.value = answer;
}
