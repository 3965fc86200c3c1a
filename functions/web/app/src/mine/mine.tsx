/** What is kept of the student, and how it is deleted. */
export function Mine() {
  return <section class="card" />;
}
