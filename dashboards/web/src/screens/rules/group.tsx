/** One group of rules: loads its text and what else there is, and opens the editor. */
import { rulesApi, type RuleFile, type RuleGroupText } from "../../api/rules";
import { t } from "../../i18n";
import { query, setQuery } from "../../router";
import { departmentChoices } from "../../ui/grants";
import { newGroup } from "../../rulefile/reshape";
import { useResource } from "../../state/resource";
import { departmentsWith } from "../../state/session";
import { Choice } from "../../ui/choice";
import { ResourceView } from "../../ui/resource-view";
import { Editor } from "./editor";
import { DeletedGroup } from "./deleted-group";
import { ApiError } from "../../api/client";

const REFRESH_MS = 20_000;

export function GroupScreen({ group }: { group: string | null }) {
  return group === null ? <NewGroup /> : <KnownGroup group={group} />;
}

function NewGroup() {
  const [department = ""] = departmentChoices(departmentsWith("engineer"))[0] ?? [];
  const name = query.value.get("name") ?? "new-group";
  return <Editor group={null} info={null} file={null} present={{ text: newGroup(name, department), tag: null }} others={() => otherFiles(null)} reload={() => undefined} />;
}

function KnownGroup({ group }: { group: string }) {
  const resource = useResource(`rule-group|${group}`, (signal) => rulesApi.group(group, signal), { everyMs: REFRESH_MS });
  if (resource.data === null && resource.error instanceof ApiError && resource.error.status === 404) return <DeletedGroup group={group} onRestored={resource.reload} />;
  return (
    <ResourceView resource={resource} missing="rules.group.gone">
      {({ value, tag }) => <Files group={value} tag={tag} reload={resource.reload} />}
    </ResourceView>
  );
}

/** A group in files may be spread over several; they are shown one at a time. */
function Files({ group, tag, reload }: { group: RuleGroupText; tag: string; reload(): void }) {
  const asked = query.value.get("file");
  const file = group.texts.find(({ name }) => name === asked) ?? group.texts[0];
  if (!file) return <p class="state">{t("rules.group.empty")}</p>;
  const rest = group.texts.filter((each) => each !== file);
  return (
    <>
      {group.texts.length > 1 && (
        <p class="file-choice">
          <Choice label={t("alert.rule.file")} value={file.name} options={group.texts.map(({ name }) => [name, name] as const)} onChange={(name) => setQuery({ file: name })} />
        </p>
      )}
      <Editor key={`${group.group}|${file.name}`} group={group.group} info={group} file={file.name} present={{ text: file.text, tag }} others={async () => [...rest, ...(await otherFiles(group.group))]} reload={reload} />
    </>
  );
}

/** The texts of all other groups: rules may name each other. */
async function otherFiles(group: string | null): Promise<readonly RuleFile[]> {
  const { items } = await rulesApi.groups();
  const others = await Promise.all(items.filter((each) => each.group !== group && each.problems.length === 0).map((each) => rulesApi.group(each.group).catch(() => null)));
  return others.flatMap((each) => each?.value.texts ?? []);
}
