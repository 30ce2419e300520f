/** The overlay that lists keys and symbols. */
import { useEffect, useRef } from "preact/hooks";
import { t, type TextKey } from "../i18n";
import { Legend } from "../map/legend";
import { to } from "../router";
import { CloseIcon } from "./icons";

export const GROUPS: readonly (readonly [title: TextKey, keys: readonly (readonly [keys: string, text: TextKey])[]])[] = [
  ["help.group.lists", [["j k", "help.move"], ["Enter", "help.enter"], ["a", "help.ack"], ["/", "help.search"], ["Esc", "help.escape"]]],
  ["help.group.alerts", [["x X", "help.pick"], ["J K", "help.extend"], ["c", "help.accept"], ["s", "help.assign"], ["h", "help.hand_over"], ["b", "help.return"], ["z", "help.shelve"], ["m", "help.silence"], ["n", "help.note"], [".", "help.new"], ["e", "help.end_silence"]]],
  ["help.group.view", [["f", "help.fit"], ["h", "help.replay"], ["space", "help.replay.play"], [", .", "help.replay.step"], ["< >", "help.replay.speed"], ["l", "help.language"], ["t", "help.theme"], ["?", "help.help"]]],
  ["help.group.rules", [["n", "help.rules.fault"], ["1…5", "help.rules.panes"], ["e", "help.rules.edit"], ["Ctrl Z", "editor.undo"], ["Ctrl Y", "editor.redo"], ["Tab", "help.rules.tab"], ["x", "help.rules.pick"]]],
  ["help.group.go", [["g o", "help.overview"], ["g l", "help.alerts"], ["g h", "help.hand_overs"], ["g s", "help.silences"], ["g p", "help.departments"], ["g d", "help.devices"], ["g z", "help.zones"], ["g r", "help.receivers"], ["g u", "nav.rules"], ["g i", "nav.intake"], ["g y", "help.system"], ["g e", "help.reports"], ["g w", "help.wall"], ["g k", "help.page"], ["g a", "help.admin"], ["g m", "help.account"]]],
];

export function Help({ onClose }: { onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog class="help" ref={dialog} onClose={onClose} onClick={(event) => event.target === dialog.current && onClose()} aria-labelledby="help-title">
      <header>
        <h2 id="help-title">{t("help.title")}</h2>
        <button type="button" class="plain icon-only" onClick={onClose} aria-label={t("help.close")}>
          <CloseIcon />
        </button>
      </header>
      <div class="help-groups">
        {GROUPS.map(([title, keys]) => (
          <section key={title}>
            <h3>{t(title)}</h3>
            <KeyList keys={keys} />
          </section>
        ))}
        <section>
          <h3>{t("help.symbols")}</h3>
          <Legend />
          <p class="help-more">
            <a href={to.help()} onClick={onClose}>{t("help.more")}</a>
          </p>
        </section>
      </div>
    </dialog>
  );
}

/** Keys and what they do. */
export function KeyList({ keys }: { keys: readonly (readonly [keys: string, text: TextKey])[] }) {
  return (
    <dl>
      {keys.map(([each, text]) => (
        <div key={each}>
          <dt>
            {each.split(" ").map((key) => (
              <kbd key={key}>{key === "space" ? t("replay.space") : key}</kbd>
            ))}
          </dt>
          <dd>{t(text)}</dd>
        </div>
      ))}
    </dl>
  );
}
