/** The step that gives the calendar away: a file, a feed, Google, a link for friends. */
export function Take() {
  return <section class="card" />;
}
