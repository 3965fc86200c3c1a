import { colours } from "../state/store";
import { look } from "../texts/look";
import { attended, dated, filter, kindOf, lectures } from "./view";

/** Shows and hides modules and kinds, for the moment and in Look alone. */
export function Filters({ weekly, all }: { weekly: boolean; all: boolean }) {
  const entries = all ? attended.value : weekly ? lectures.value : dated.value;
  const modules = [...new Set(entries.map((e) => e.module))].sort();
  const kinds = [...new Set(entries.map(kindOf))];
  if (modules.length < 2 && kinds.length < 2) return null;
  return (
    <div class="filters" role="group" aria-label={look.filter}>
      {modules.map((module) => (
        <button key={module} type="button" class="chip" aria-pressed={filter.showsModule(module)} data-colour={colours.value[module]?.id} onClick={() => filter.toggleModule(module)}>
          <span class="dot" />
          {module}
        </button>
      ))}
      {kinds.length > 1 &&
        kinds.map((kind) => (
          <button key={kind} type="button" class="chip" aria-pressed={filter.showsKind(kind)} onClick={() => filter.toggleKind(kind)}>
            {look.kinds[kind]}
          </button>
        ))}
      {filter.hidden.value && (
        <button type="button" class="button quiet" onClick={filter.clear}>
          {look.showAll}
        </button>
      )}
    </div>
  );
}
