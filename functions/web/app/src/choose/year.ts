/** The academic year, as the server knows it. */
import { computed, signal } from "@preact/signals";
import { type AcademicYear, ApiError, ask } from "../api/client";
import { type Period, semesterDates } from "../domain/year";
import { now, semester } from "../look/view";
import { choices } from "../state/store";

type State = { state: "loading" | "failed" | "unknown" } | { state: "known"; year: AcademicYear };

const known = signal<State | null>(null);

/** The year of the timetable: the present one, for lectures are printed without. */
export const yearNumber = computed(() => Number(now.value.date.slice(0, 4)));

export const academicYear = computed<State>(() => known.value ?? { state: "loading" });
export const university = computed(() => (academicYear.value.state === "known" ? academicYear.value.year : undefined));

/** The dates of the semester that is shown. */
export const shownDates = computed<(Period & { own: boolean }) | undefined>(() => semesterDates(semester.value, university.value, choices.value));

/** Asks for the year, once. A year that nobody entered is no failure. */
export async function loadYear() {
  if (known.value?.state === "known" || known.value?.state === "loading") return;
  known.value = { state: "loading" };
  try {
    known.value = { state: "known", year: await ask<AcademicYear>(`/api/years/${yearNumber.value}`) };
  } catch (e) {
    known.value = { state: e instanceof ApiError && e.status === 404 ? "unknown" : "failed" };
  }
}
