/** Which layers the map shows; the choice is in the address. What is abnormal cannot be taken off. */
import { useEffect, useRef } from "preact/hooks";
import { local, t } from "../i18n";
import { query, setQuery } from "../router";
import { LayersIcon } from "../ui/icons";
import { attributions, baseMap, baseTrouble, groupsOf, NO_BASE_MAP } from "./base-map";
import { PLAIN_GROUPS, type PlainGroup } from "./style";

/** As it stands in the address. */
export function hiddenOf(params: URLSearchParams): ReadonlySet<string> {
  return new Set((params.get("hide") ?? "").split(",").filter((each) => each !== ""));
}

function toggleGroup(group: string): void {
  const hidden = new Set(hiddenOf(query.peek()));
  if (!hidden.delete(group)) hidden.add(group);
  setQuery({ hide: [...hidden].sort().join(",") });
}

export function LayerChoice() {
  const box = useRef<HTMLDetailsElement>(null);
  const base = baseMap.value ?? NO_BASE_MAP;
  const hidden = hiddenOf(query.value);
  const groups = [...groupsOf(base), ...(Object.keys(PLAIN_GROUPS) as PlainGroup[])];
  useEffect(() => {
    const leave = (event: Event) => {
      const open = box.current;
      if (open?.open && event.target instanceof Node && !open.contains(event.target)) open.open = false;
    };
    document.addEventListener("pointerdown", leave);
    return () => document.removeEventListener("pointerdown", leave);
  }, []);
  return (
    <details
      class="layer-choice"
      ref={box}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !box.current?.open) return;
        event.stopPropagation();
        box.current.open = false;
        box.current.querySelector("summary")?.focus();
      }}
    >
      <summary class="button">
        <LayersIcon />
        {t("layers.title")}
      </summary>
      <fieldset class="layer-list">
        <legend class="spoken">{t("layers.title")}</legend>
        {groups.map((group) => (
          <label key={group}>
            <input type="checkbox" checked={!hidden.has(group)} onChange={() => toggleGroup(group)} />
            {t(`layers.${group}`)}
          </label>
        ))}
        <label class="muted">
          <input type="checkbox" checked disabled />
          {t("layers.abnormal")}
        </label>
        {base.layers.length === 0 && <p class="muted">{t("layers.none")}</p>}
        {baseTrouble.value.size > 0 && <p class="fails">{t("layers.trouble", { names: [...baseTrouble.value].join(", ") })}</p>}
      </fieldset>
    </details>
  );
}

/** Where the base map is from; must stand on the map. */
export function Attribution() {
  const said = attributions(baseMap.value ?? NO_BASE_MAP);
  if (said.length === 0) return null;
  return <p class="map-attribution">{said.map((each) => local(each)).join(" · ")}</p>;
}
