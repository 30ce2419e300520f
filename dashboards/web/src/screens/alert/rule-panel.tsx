/** The rule that raised an alert, with its source, and whether it has changed since. */
import type { AlertDetail, RuleWithLimits } from "../../api/types";
import { local, t } from "../../i18n";
import { to } from "../../router";
import { departmentName } from "../../state/city";
import type { Resource } from "../../state/resource";
import { Facts, Panel } from "../../ui/panel";
import { ResourceView } from "../../ui/resource-view";

export function RulePanel({ alert, resource }: { alert: AlertDetail; resource: Resource<RuleWithLimits> }) {
  return (
    <Panel title={t("alert.rule")} note={local(alert.rule.name)}>
      <ResourceView resource={resource} compact>
        {(rule) => (
          <>
            {rule.version !== alert.rule.version && <p class="note">{t("alert.rule.changed", { version: alert.rule.version })}</p>}
            <Facts
              items={[
                [t("device.id"), <a href={to.rule(rule.id)}><code>{rule.id}</code></a>],
                [t("alert.rule.version"), <code>{rule.version}</code>],
                [t("alert.department"), departmentName(rule.department)],
                [t("alert.rule.file"), <code>{breakable(`${rule.file}:${rule.line}`)}</code>],
              ]}
            />
            <pre class="source" tabIndex={0} aria-label={t("alert.rule.source")}>
              <code>{rule.text}</code>
            </pre>
          </>
        )}
      </ResourceView>
    </Panel>
  );
}

/** A path that may be broken after each of its parts. */
function breakable(path: string) {
  return path.split(/(?<=\/)/).map((part, at) => (
    <span key={at}>
      {part}
      <wbr />
    </span>
  ));
}
