/** The first step: PDFs come in. */
export function Upload() {
  return <section class="card" />;
}
