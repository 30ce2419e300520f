/** Line icons, drawn with the text's colour. */
import type { ComponentChildren } from "preact";

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      {children}
    </svg>
  );
}

export const PlusIcon = () => <Icon><path d="M8 3v10M3 8h10" /></Icon>;
export const MinusIcon = () => <Icon><path d="M3 8h10" /></Icon>;
export const FitIcon = () => <Icon><path d="M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10" /></Icon>;
export const CloseIcon = () => <Icon><path d="m4 4 8 8M12 4l-8 8" /></Icon>;
export const CheckIcon = () => <Icon><path d="m3 8.5 3.2 3.2L13 4.8" /></Icon>;
export const SunIcon = () => <Icon><circle cx="8" cy="8" r="2.8" /><path d="M8 1.5v1.6M8 12.9v1.6M1.5 8h1.6M12.9 8h1.6M3.4 3.4l1.1 1.1M11.5 11.5l1.1 1.1M12.6 3.4l-1.1 1.1M4.5 11.5l-1.1 1.1" /></Icon>;
export const MoonIcon = () => <Icon><path d="M13 9.6A5.6 5.6 0 0 1 6.4 3a5.6 5.6 0 1 0 6.6 6.6z" /></Icon>;
export const LogOutIcon = () => <Icon><path d="M6.5 2.5h-3v11h3M10 5l3 3-3 3M13 8H6.5" /></Icon>;
export const ListIcon = () => <Icon><path d="M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.01M2.5 8h.01M2.5 12h.01" /></Icon>;
export const UserIcon = () => <Icon><circle cx="8" cy="5.4" r="2.6" /><path d="M2.8 13.6c.6-2.8 2.6-4.2 5.2-4.2s4.6 1.4 5.2 4.2" /></Icon>;
export const CopyIcon = () => <Icon><path d="M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3" /></Icon>;
export const WarnIcon = () => <Icon><path d="M8 2.2 14.5 13.5h-13zM8 6.5v3.3M8 11.7h.01" /></Icon>;
export const EyeIcon = ({ crossed }: { crossed: boolean }) => <Icon><path d="M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8z" /><circle cx="8" cy="8" r="1.9" />{crossed && <path d="m2.5 13.5 11-11" />}</Icon>;
export const PlayIcon = () => <Icon><path d="M4.5 2.8v10.4L13 8z" /></Icon>;
export const PauseIcon = () => <Icon><path d="M5 3v10M11 3v10" /></Icon>;
export const LayersIcon = () => <Icon><path d="M8 2 14 5.5 8 9 2 5.5zM2.5 8.5 8 11.6l5.5-3.1M2.5 11.2 8 14.3l5.5-3.1" /></Icon>;
export const ClockBackIcon = () => <Icon><path d="M2.6 6A5.8 5.8 0 1 1 2.3 9M2.2 2.8V6h3.2M8 5v3.2l2.2 1.4" /></Icon>;
export const PictureIcon = () => <Icon><path d="M8 2.5v7M5 6.8l3 3 3-3M2.5 11v2.5h11V11" /></Icon>;
