// The university's terms: two semesters of two quarters each, and Y for the whole year.

/** A set of quarters, one bit for each of Q1 to Q4. */
export type Quarters = number;

const quarters: Record<string, Quarters> = { Q1: 1, Q2: 2, Q3: 4, Q4: 8, S1: 3, S2: 12, Y: 15 };

/**
 * The quarters of a term's name. A lecture whose term is not printed, or is none that we know, may be held at any
 * time of the year: it is better to show one clash too many than one too few.
 */
export function quartersOf(term: string | undefined): Quarters {
  return quarters[(term ?? "").trim().toUpperCase()] ?? 15;
}

/** Whether lectures of the two terms are held in the same weeks. */
export function termsMeet(a: string | undefined, b: string | undefined): boolean {
  return (quartersOf(a) & quartersOf(b)) !== 0;
}

export type Semester = "S1" | "S2";

/** The semesters in which something is held, in order; both where no term says otherwise. */
export function semestersOf(terms: (string | undefined)[]): Semester[] {
  const all = terms.reduce<Quarters>((set, term) => set | quartersOf(term), 0);
  return (["S1", "S2"] as const).filter((semester) => (all & quartersOf(semester)) !== 0);
}

/** Whether a lecture of this term is held in that semester. */
export function heldIn(term: string | undefined, semester: Semester): boolean {
  return termsMeet(term, semester);
}

/** The semester that a date is in, as far as half years tell: the university's lie in them. */
export function semesterOn(date: string): Semester {
  return date.slice(5) < "07-01" ? "S1" : "S2";
}
