/** What asks something before anything else goes on. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { problemText } from "../api/problem-text";
import { t } from "../i18n";
import { CloseIcon } from "./icons";
import { Mishap } from "./mishap";

interface Props {
  title: string;
  onClose(): void;
  children: ComponentChildren;
  /** What it shows must be answered, not clicked away by accident. */
  holds?: boolean;
  class?: string;
}

export function Dialog({ title, onClose, children, holds = false, class: extra = "" }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  // A browser may close it by a second Esc whatever the page says.
  const closed = () => (holds ? dialog.current?.showModal() : onClose());
  return (
    <dialog
      class={`help dialog ${extra}`}
      ref={dialog}
      aria-labelledby={id}
      onClose={closed}
      onCancel={(event) => holds && event.preventDefault()}
      onClick={(event) => !holds && event.target === dialog.current && onClose()}
    >
      <header>
        <h2 id={id}>{title}</h2>
        {!holds && (
          <button type="button" class="plain icon-only" onClick={onClose} aria-label={t("help.close")}>
            <CloseIcon />
          </button>
        )}
      </header>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  children: ComponentChildren;
  /** What the button says: the deed, not "OK". */
  action: string;
  onConfirm(): Promise<void>;
  onClose(): void;
}

/** Asks before something that cannot be undone, and says in place when it fails. */
export function Confirm({ title, children, action, onConfirm, onClose }: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const go = async () => {
    setBusy(true);
    setFailure(null);
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      {failure !== null && <Mishap {...problemText(failure)} />}
      <div class="dialog-actions">
        <button type="button" class="button" onClick={onClose}>
          {t("form.cancel")}
        </button>
        <button type="button" class="button danger" disabled={busy} onClick={() => void go()}>
          {busy ? t("form.wait") : action}
        </button>
      </div>
    </Dialog>
  );
}
