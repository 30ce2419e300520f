/** A group that is not there: it may have been deleted, and can be brought back. */
import { useState } from "preact/hooks";
import { rulesApi } from "../../api/rules";
import { dateTime, zoneOffset } from "../../format/time";
import { t } from "../../i18n";
import { to } from "../../router";
import { whyNot } from "../../state/rights";
import { useResource } from "../../state/resource";
import { GuardedButton } from "../../ui/guarded-button";
import { ResourceView } from "../../ui/resource-view";
import { Restore } from "./history-pane";

export function DeletedGroup({ group, onRestored }: { group: string; onRestored(): void }) {
  const resource = useResource(`deleted|${group}`, (signal) => rulesApi.history(group, signal));
  const [restoring, setRestoring] = useState<number | null>(null);
  return (
    <ResourceView resource={resource} missing="rules.group.gone">
      {(versions) => {
        const last = versions.find(({ step }) => step !== "deleted");
        const deleted = versions[0];
        if (!last || !deleted) return <p class="state state-page">{t("rules.group.gone")}</p>;
        return (
          <div class="state state-page">
            <h2>{t("rules.group.deleted", { group })}</h2>
            <p>{t("rules.group.deleted.why", { by: deleted.by, time: `${dateTime(deleted.at)} ${zoneOffset(deleted.at)}`, why: deleted.why })}</p>
            <p class="buttons">
              <a class="button" href={to.ruleGroups()}>{t("form.back")}</a>
              <GuardedButton class="button primary" reason={whyNot("engineer", null) === null ? null : whyNot("engineer", null)} onPress={() => setRestoring(last.version)}>{t("history.restore")}</GuardedButton>
            </p>
            {restoring !== null && <Restore group={group} version={restoring} tag={null} onClose={() => setRestoring(null)} onDone={onRestored} />}
          </div>
        );
      }}
    </ResourceView>
  );
}
