import type { Kept } from "./kept";
import { update } from "./store";

/** Keeps what a test begins with, in place of what there was. */
export function given(some: Partial<Kept>): void {
  update((kept) => ({ ...kept, ...some }));
}
