import { type Alternatives, type Group, letterOf } from "../domain/courses";
import { slotOf } from "../domain/entry";
import { clashesBetween } from "../domain/search/problem";
import { clock } from "../domain/time";
import { undecided } from "../look/view";
import { href } from "../router";
import { Icon } from "../shell/icon";
import { choices, choose, colours, events } from "../state/store";
import { choose as texts } from "../texts/choose";
import { look } from "../texts/look";
import { isLocked, lock, offers, take, takenOf } from "./finder";

const text = texts.groups;

/** One group of each kind of each module. */
export function Groups() {
  const modules = [...new Set(events.value.filter((e) => e.kind === "lecture").map((e) => e.module))].sort();
  if (modules.length === 0) return <p class="card empty">{texts.find.nothing}</p>;
  const open = undecided.value.length;
  return (
    <>
      <p>{text.hint}</p>
      <div class="toolbar">
        <p role="status" class={open > 0 ? "tag left" : "tag good"}>{open > 0 ? text.open(open) : text.none}</p>
        <a class="button" href={href("choose", "find")}>
          {text.find}
        </a>
      </div>
      <div class="modules">
        {modules.map((module) => (
          <Module key={module} module={module} />
        ))}
      </div>
    </>
  );
}

function Module({ module }: { module: string }) {
  const taken = !choices.value.modulesOut.includes(module);
  const own = offers.value.filter((one) => one.module === module);
  const toggle = () => {
    const others = choices.value.modulesOut.filter((name) => name !== module);
    choose({ modulesOut: taken ? [...others, module] : others });
  };
  return (
    <section class="card module" data-colour={colours.value[module]?.id} aria-label={module}>
      <header>
        <h2>
          <span class="dot" /> {module}
        </h2>
        <label class="check">
          <input type="checkbox" checked={taken} onChange={toggle} aria-label={text.take(module)} />
          <span aria-hidden="true">{text.take("").trim()}</span>
        </label>
      </header>
      {taken ? own.map((one) => <Kind key={one.key} one={one} />) : <p class="soft">{text.notTaken}</p>}
    </section>
  );
}

function Kind({ one }: { one: Alternatives }) {
  const name = look.kinds[one.meeting];
  const only = one.groups.length === 1;
  if (only) {
    return (
      <div class="kind">
        <h3>
          {name} <small>{one.groups[0]!.name && `${one.groups[0]!.name}, `}{text.only}</small>
        </h3>
        <Times group={one.groups[0]!} one={one} />
      </div>
    );
  }
  const taken = takenOf(one);
  const languages = new Set(one.groups.map((group) => group.language)).size > 1;
  return (
    <fieldset class="kind">
      <legend>
        <h3>{name}</h3>
      </legend>
      {taken !== undefined && <Lock one={one} name={`${one.module} ${taken}`} />}
      <label class="choice open">
        <input type="radio" name={one.key} checked={taken === undefined} onChange={() => take(one, undefined)} />
        <span class="soft">{text.undecided}</span>
      </label>
      {one.groups.map((group) => (
        <label class="choice" key={group.name}>
          <input type="radio" name={one.key} checked={taken === group.name} onChange={() => take(one, group.name)} />
          <span class="grow">
            <b>{group.name}</b> {languages && group.language && <span class="tag">{text.language[group.language]}</span>}
            <Times group={group} one={one} />
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function Lock({ one, name }: { one: Alternatives; name: string }) {
  const locked = isLocked(one);
  return (
    <button type="button" class="chip lock" aria-pressed={locked} title={text.lockHint} onClick={() => lock(one, !locked)}>
      <Icon name="lock" />
      <span class="hidden">{text.lock(name)}</span>
      <span aria-hidden="true">{locked ? text.locked : text.unlocked}</span>
    </button>
  );
}

/** When a group meets, and what of the settled choices it clashes with. */
function Times({ group, one }: { group: Group; one: Alternatives }) {
  const clashing = clashingWith(group, one);
  return (
    <>
      <span class="times">
        {group.entries.map((e) => {
          const slot = slotOf(e);
          return (
            <span key={e.id}>
              {slot ? `${look.days[slot.day]!.slice(0, 3)} ${clock(slot.start)}–${clock(slot.end)}` : text.noTime}
              <span class="soft"> {look.venues(e.venues)}</span>
            </span>
          );
        })}
      </span>
      {clashing.length > 0 && (
        <span class="tag bad">
          <Icon name="warn" />
          {text.clashes(clashing)}
        </span>
      )}
    </>
  );
}

function clashingWith(group: Group, one: Alternatives): string[] {
  const names = new Set<string>();
  for (const other of offers.value) {
    const taken = other.key === one.key ? undefined : takenOf(other);
    const theirs = other.groups.find((candidate) => candidate.name === taken);
    if (theirs && clashesBetween(group.meets, theirs.meets) > 0) names.add(`${other.module} ${theirs.name || letterOf(other)}`.trim());
  }
  return [...names];
}
