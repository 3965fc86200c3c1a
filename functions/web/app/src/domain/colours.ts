// Google Calendar's colours of events, so that a module looks the same on the page, in the file, in the feed and in
// Google's calendar. The API takes colours by the name that CSS gives to the nearest one.

export interface Colour {
  /** Google's id. */
  id: string;
  /** Google's name for it. */
  name: string;
  /** The CSS colour that the API takes for it. */
  css: string;
}

const rows = `1 Lavender mediumpurple
2 Sage mediumseagreen
3 Grape darkorchid
4 Flamingo lightcoral
5 Banana gold
6 Tangerine orangered
7 Peacock dodgerblue
8 Graphite dimgray
9 Blueberry royalblue
10 Basil seagreen
11 Tomato crimson`;

export const palette: Colour[] = rows.split("\n").map((row) => {
  const [id, name, css] = row.split(" ") as [string, string, string];
  return { id, name, css };
});

/** The palette in an order in which the first few are easy to tell apart. */
const order = ["7", "6", "10", "3", "5", "11", "9", "2", "4", "1", "8"];

const inOrder = order.map((id) => palette.find((colour) => colour.id === id)!);

/** The colour of that CSS name, if it is one of Google's. */
export function colourOf(css: string | undefined): Colour | undefined {
  return palette.find((colour) => colour.css === css);
}

/**
 * Gives each module a colour of the palette: its own, if it has one, else one that no other has while there are any. With what
 * it gave before as chosen, modules that come later change no other's colour.
 */
export function assignColours(modules: string[], chosen: Record<string, string>): Record<string, Colour> {
  const colours: Record<string, Colour> = {};
  const taken = new Set<Colour>();
  for (const module of modules) {
    const own = colourOf(chosen[module]);
    if (own) taken.add((colours[module] = own));
  }
  for (const module of [...modules].sort()) {
    if (colours[module]) continue;
    if (taken.size >= inOrder.length) taken.clear();
    taken.add((colours[module] = inOrder.find((colour) => !taken.has(colour))!));
  }
  return colours;
}
