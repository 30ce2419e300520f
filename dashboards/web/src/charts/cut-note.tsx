/** That a shaded range goes on beyond a chart: above the plot, which gets lower for it. */
export function CutNote({ words }: { words: readonly string[] }) {
  return <p class="chart-cut" title={words.join("\n")}>{words.join(" · ")}</p>;
}
