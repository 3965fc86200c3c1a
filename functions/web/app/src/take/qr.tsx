import { encode } from "uqr";
import { takeTexts as text } from "../texts/take";

/** The address as a QR code, with the four modules of quiet around it that the standard asks for. */
export function QR({ address }: { address: string }) {
  const { data, size } = encode(address, { ecc: "M", border: 4 });
  const path = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join("");
  return (
    <figure class="qr">
      <svg viewBox={`0 0 ${size} ${size}`} role="img" aria-label={text.feed.qrAlt} shape-rendering="crispEdges">
        <rect class="paper" width={size} height={size} />
        <path class="ink" d={path} />
      </svg>
      <figcaption class="soft">{text.feed.qr}</figcaption>
    </figure>
  );
}
