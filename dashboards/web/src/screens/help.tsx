/** The help page: keys, symbols, what one sees, and a glossary that can be searched. */
import "../styles/help.css";
import { language, t, type TextKey } from "../i18n";
import { query, setQuery } from "../router";
import { Legend } from "../map/legend";
import { GROUPS, KeyList } from "../ui/help";
import { Panel } from "../ui/panel";
import { SearchField } from "../ui/search-field";
import { enHelp } from "../i18n/en-help";

type Stem<Prefix extends string> = { [K in TextKey]: K extends `${Prefix}${infer Name}.why` ? `${Prefix}${Name}` : never }[TextKey];

/** A term is whatever the catalogue explains: `x` and `x.why`. */
function stems<Prefix extends string>(prefix: Prefix): Stem<Prefix>[] {
  return Object.keys(enHelp)
    .filter((key) => key.startsWith(prefix) && key.endsWith(".why"))
    .map((key) => key.slice(0, -".why".length) as Stem<Prefix>);
}

const STATES = stems("guide.state.");
const TERMS = stems("term.");

export function HelpScreen() {
  const q = query.value.get("q") ?? "";
  const wanted = q.trim().toLowerCase();
  const fits = (key: TextKey) => wanted === "" || `${t(key)} ${t(`${key}.why` as TextKey)}`.toLowerCase().includes(wanted);
  const states = STATES.filter(fits);
  const terms = TERMS.filter(fits).sort((a, b) => t(a).localeCompare(t(b), language.value === "zh" ? "zh-CN" : "en"));
  return (
    <div class="page guide">
      <header class="list-head">
        <h1>{t("guide.title")}</h1>
        <SearchField label={t("guide.find")} value={q} onSearch={(text) => setQuery({ q: text })} />
        <span class="list-total">
          <a href="/api/v1/docs" target="_blank" rel="noreferrer">{t("guide.api")}</a>
        </span>
      </header>
      {wanted === "" && (
        <div class="guide-columns">
          {GROUPS.map(([title, keys]) => (
            <Panel key={title} title={`${t("help.title")}: ${t(title)}`}>
              <div class="guide-keys">
                <KeyList keys={keys} />
              </div>
            </Panel>
          ))}
          <Panel title={t("help.symbols")}>
            <div class="guide-symbols">
              <Legend />
            </div>
          </Panel>
        </div>
      )}
      {states.length > 0 && <Explained title="guide.states" keys={states} />}
      {terms.length > 0 && <Explained title="guide.glossary" keys={terms} />}
      {states.length + terms.length === 0 && <p class="state">{t("guide.none")}</p>}
    </div>
  );
}

function Explained({ title, keys }: { title: TextKey; keys: readonly TextKey[] }) {
  return (
    <Panel title={t(title)}>
      <dl class="guide-terms">
        {keys.map((key) => (
          <div key={key}>
            <dt>{t(key)}</dt>
            <dd>{t(`${key}.why` as TextKey)}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
