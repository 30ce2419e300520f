/** The help page: keys, symbols, what one sees, and a glossary that can be searched. */
import "../styles/help.css";
import { keysWith, locale, t, type HelpKey } from "../i18n";
import { query, setQuery, to } from "../router";
import { Legend } from "../map/legend";
import { GROUPS, KeyList } from "../ui/help";
import { Panel } from "../ui/panel";
import { SearchField } from "../ui/search-field";

type Explained = { [K in HelpKey]: K extends `${infer Stem}.why` ? (Stem extends HelpKey ? Stem : never) : never }[HelpKey];

const explain = (key: Explained) => t(`${key}.why` as HelpKey);

/** What the catalogue explains: `x` with `x.why`. */
function explained(prefix: string): Explained[] {
  const keys = keysWith(prefix);
  const all = new Set<string>(keys);
  return keys.filter((key) => all.has(`${key}.why`)) as Explained[];
}

export function HelpScreen() {
  const q = query.value.get("q") ?? "";
  const wanted = q.trim().toLowerCase();
  const fits = (key: Explained) => wanted === "" || `${t(key)} ${explain(key)}`.toLowerCase().includes(wanted);
  const states = explained("guide.state.").filter(fits);
  const terms = explained("term.").filter(fits).sort((a, b) => t(a).localeCompare(t(b), locale.value));
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
      {states.length > 0 && <Terms title="guide.states" keys={states} />}
      {terms.length > 0 && <Terms title="guide.glossary" keys={terms} />}
      {wanted === "" && <WallGuide />}
      {states.length + terms.length === 0 && <p class="state">{t("guide.none")}</p>}
    </div>
  );
}

const WALL_PARTS: readonly (readonly [example: string, text: HelpKey])[] = [
  ["views=city,department:water,alerts", "guide.wall.views"],
  ["period=30", "guide.wall.period"],
  ["view=1", "guide.wall.view"],
  ["lang=zh&theme=dark", "guide.wall.look"],
  ["dim=22-6", "guide.wall.dim"],
  ["metric=pm25", "guide.wall.metric"],
];

function WallGuide() {
  return (
    <Panel title={t("guide.wall")} note={<a href={to.wall()}>/wall</a>}>
      <p class="guide-how">{t("guide.wall.how")}</p>
      <dl class="guide-terms">
        {WALL_PARTS.map(([example, text]) => (
          <div key={example}>
            <dt><code>{example}</code></dt>
            <dd>{t(text)}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

function Terms({ title, keys }: { title: HelpKey; keys: readonly Explained[] }) {
  return (
    <Panel title={t(title)}>
      <dl class="guide-terms">
        {keys.map((key) => (
          <div key={key}>
            <dt>{t(key)}</dt>
            <dd>{explain(key)}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
