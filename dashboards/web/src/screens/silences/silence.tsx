/** One silence: what it means, what it hides now, and its end. */
import { useState } from "preact/hooks";
import { alertWork } from "../../api/alerts";
import type { Silence } from "../../api/types";
import { number } from "../../format/number";
import { dateTime } from "../../format/time";
import { local, t } from "../../i18n";
import { useKeys } from "../../keys";
import { back, to } from "../../router";
import { alertBook, alertVersion } from "../../state/alert-book";
import { loaded } from "../../state/live";
import { useResource } from "../../state/resource";
import { hiddenNow, whyNoSilence } from "../../state/silence-match";
import { GuardedButton } from "../../ui/guarded-button";
import { Facts, Panel } from "../../ui/panel";
import { Loading, ResourceView } from "../../ui/resource-view";
import { EndDialog } from "./end-dialog";
import { MatchWords } from "./match-text";
import { AlertLines } from "./preview";
import { SilenceTime } from "./index";

const REFRESH_MS = 15_000;

export function SilenceScreen({ id }: { id: string }) {
  const resource = useResource(`silence|${id}`, (signal) => alertWork.silence(id, signal), { everyMs: REFRESH_MS });
  return (
    <ResourceView resource={resource} missing="silence.gone">
      {({ value }) => <SilencePage silence={value} reload={resource.reload} />}
    </ResourceView>
  );
}

function SilencePage({ silence, reload }: { silence: Silence; reload(): void }) {
  void alertVersion.value;
  const [ending, setEnding] = useState(false);
  const rules = useResource("rules", (signal) => alertWork.rules(signal)).data ?? [];
  const ruleName = (rule: string) => local(rules.find(({ id }) => id === rule)?.name) || rule;
  const hidden = hiddenNow(silence, alertBook.all());
  const why = whyNoSilence(silence.match, rules);
  useKeys({ Escape: back, e: () => (silence.state === "expired" || why !== null ? false : setEnding(true)) });
  return (
    <>
      <header class="page-head silence-head">
        <div class="page-title">
          <p class="alert-badges"><span class={silence.state === "active" ? "badge badge-open" : "badge"}>{t(`silences.${silence.state}`)}</span></p>
          <h1>{silence.reason}</h1>
        </div>
        <dl class="head-figures">
          <div><dt>{t("silence.hides")}</dt><dd>{loaded.value ? number(hidden.length) : t("value.none")}</dd></div>
          <div><dt>{t("silence.hid")}</dt><dd>{number(silence.hid)}</dd></div>
          <div><dt>{t("silence.unsaid.title")}</dt><dd>{number(silence.unsaid)}</dd></div>
        </dl>
        {silence.state !== "expired" && (
          <GuardedButton class="button danger" reason={why} onPress={() => setEnding(true)}>
            {t("silence.end")} <kbd>e</kbd>
          </GuardedButton>
        )}
      </header>
      <div class="columns">
        <div class="column-main">
          <Panel title={t("silence.hides")} note={loaded.value ? number(hidden.length) : ""}>
            {!loaded.value ? <Loading /> : hidden.length === 0 ? <p class="state">{t("silence.hides.none")}</p> : <AlertLines alerts={hidden} />}
          </Panel>
        </div>
        <div class="column-side">
          <Panel title={t("device.about")}>
            <Facts
              items={[
                [t("silence.match"), <MatchWords match={silence.match} ruleName={ruleName} />],
                [t("silence.time"), <SilenceTime silence={silence} />],
                [t("silence.owner"), silence.owner],
                [t("silence.made"), dateTime(silence.created_at)],
                [t("device.id"), <a href={to.silence(silence.id)}><code>{silence.id}</code></a>],
              ]}
            />
          </Panel>
        </div>
      </div>
      {ending && (
        <EndDialog
          silence={silence}
          onClose={(done) => {
            setEnding(false);
            if (done) reload();
          }}
        />
      )}
    </>
  );
}
