/** A text of the server or of ours, with what stands between backticks set as code. */
export function Quoted({ text }: { text: string }) {
  return <>{text.split("`").map((part, at) => (at % 2 === 1 ? <code key={at}>{part}</code> : part))}</>;
}
