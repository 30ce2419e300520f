/** A button that stays where it is for those who may not press it, and says why. */
import type { ComponentChildren } from "preact";

interface Props {
  /** Why not; null for who may. */
  reason: string | null;
  onPress(): void;
  class?: string;
  type?: "button" | "submit";
  disabled?: boolean;
  title?: string;
  children: ComponentChildren;
}

/** It can be reached by keyboard too, so that the reason can be heard; pressing it does nothing. */
export function GuardedButton({ reason, onPress, class: look = "button", type = "button", disabled = false, title, children }: Props) {
  const press = (event: Event) => {
    event.stopPropagation();
    if (reason !== null) event.preventDefault();
    else if (type === "button") onPress();
  };
  return (
    <button type={type} class={look} disabled={reason === null && disabled} title={reason ?? title} {...(reason !== null && { "aria-disabled": "true" as const })} onClick={press}>
      {children}
      {reason !== null && <span class="spoken">{` (${reason})`}</span>}
    </button>
  );
}
