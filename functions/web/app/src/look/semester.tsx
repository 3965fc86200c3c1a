import { look } from "../texts/look";
import { pickSemester, semester, semesters } from "./view";

/** Says which semester is shown, and lets choose where there are two. */
export function SemesterSwitch() {
  if (semesters.value.length < 2) return <p class="which">{look.semester[semester.value]}</p>;
  return (
    <div class="switch" role="group" aria-label={look.semester.label}>
      {semesters.value.map((one) => (
        <button key={one} type="button" aria-pressed={one === semester.value} onClick={() => pickSemester(one)}>
          {look.semester[one]}
        </button>
      ))}
    </div>
  );
}
