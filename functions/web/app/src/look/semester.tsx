import type { Semester } from "../domain/terms";
import { look } from "../texts/look";
import { pickSemester, semester, semesters } from "./view";

interface Props {
  /** The semesters to choose from, the shown one, and what a choice does: those of the student's own week unless they are given. */
  all?: Semester[];
  shown?: Semester;
  pick?(semester: Semester): void;
}

/** Says which semester is shown, and lets choose where there are two. */
export function SemesterSwitch({ all = semesters.value, shown = semester.value, pick = pickSemester }: Props) {
  if (all.length < 2) return <p class="which">{look.semester[shown]}</p>;
  return (
    <div class="switch" role="group" aria-label={look.semester.label}>
      {all.map((one) => (
        <button key={one} type="button" aria-pressed={one === shown} onClick={() => pick(one)}>
          {look.semester[one]}
        </button>
      ))}
    </div>
  );
}
