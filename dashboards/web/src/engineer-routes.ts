/** Addresses of what engineers work with: rules, their groups, and what came in and was not understood. */
export type EngineerRoute =
  | { screen: "rules" }
  | { screen: "rule"; id: string }
  | { screen: "rule-groups" }
  | { screen: "rule-group"; id: string | null }
  | { screen: "dead-letters" }
  | { screen: "dead-letter"; id: string }
  | { screen: "unknown-devices" }
  | { screen: "unknown-device"; id: string }
  | { screen: "mappings" };

const LISTS = ["rules", "rule-groups", "dead-letters", "unknown-devices", "mappings"] as const;

export function engineerRouteOf(first: string | undefined, second: string | undefined): EngineerRoute | null {
  if (second === undefined) {
    if (first === "new-rule-group") return { screen: "rule-group", id: null };
    const list = LISTS.find((each) => each === first);
    return list === undefined ? null : { screen: list };
  }
  if (first === "rules") return { screen: "rule", id: second };
  if (first === "rule-groups") return { screen: "rule-group", id: second };
  if (first === "dead-letters") return { screen: "dead-letter", id: second };
  if (first === "unknown-devices") return { screen: "unknown-device", id: second };
  return null;
}

type Params = Record<string, string>;

function address(path: string, params: Params = {}): string {
  const text = new URLSearchParams(params).toString();
  return text === "" ? path : `${path}?${text}`;
}

export const engineerTo = {
  rules: (params: Params = {}) => address("/rules", params),
  rule: (id: string, params: Params = {}) => address(`/rules/${encodeURIComponent(id)}`, params),
  ruleGroups: () => "/rule-groups",
  ruleGroup: (id: string | null, params: Params = {}) => address(id === null ? "/new-rule-group" : `/rule-groups/${encodeURIComponent(id)}`, params),
  deadLetters: (params: Params = {}) => address("/dead-letters", params),
  deadLetter: (id: string) => `/dead-letters/${encodeURIComponent(id)}`,
  unknownDevices: (params: Params = {}) => address("/unknown-devices", params),
  unknownDevice: (id: string) => `/unknown-devices/${encodeURIComponent(id)}`,
  mappings: (params: Params = {}) => address("/mappings", params),
};

export const isEngineerRoute = (route: { screen: string }): route is EngineerRoute => route.screen === "rule" || route.screen === "rule-group" || route.screen === "dead-letter" || route.screen === "unknown-device" || LISTS.some((each) => each === route.screen);
