/** The least part of the highest value that the height stands for. */
const LEAST_REACH = 0.25;

/** A small line without axes; its figure stands beside it. */
export function Sparkline({ values, label }: { values: readonly number[]; label: string }) {
  if (values.length < 2) return null;
  const width = 96;
  const height = 22;
  const high = Math.max(...values);
  // A change of a few per cent must not look like a fall.
  const reach = Math.max(high - Math.min(...values), Math.abs(high) * LEAST_REACH) || 1;
  const low = (high + Math.min(...values) - reach) / 2;
  const step = width / (values.length - 1);
  const path = values.map((value, at) => `${(at * step).toFixed(1)},${(height - 2 - ((value - low) / reach) * (height - 4)).toFixed(1)}`).join(" ");
  return (
    <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label} preserveAspectRatio="none">
      <polyline points={path} />
    </svg>
  );
}
