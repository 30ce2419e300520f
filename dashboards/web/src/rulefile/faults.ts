/** Where in a form the server's problems belong, and what they say in Chinese. */
import type { RuleFault } from "../api/rules";
import { language } from "../i18n";
import { nodeAt, offsetOf, pathAt, type Path, type YamlNode } from "./yaml";

/** A problem at its field. */
export interface PlacedFault {
  fault: RuleFault;
  /** Which rule of the file, or null for the file itself. */
  rule: number | null;
  /** The field, below the rule. */
  path: Path;
}

export function placeFault(text: string, root: YamlNode | null, fault: RuleFault): PlacedFault {
  const offset = offsetOf(text, fault.line, fault.column);
  const path = pathAt(root, offset);
  const rule = path[0] === "rules" && typeof path[1] === "number" ? path[1] : ruleNamed(root, fault.rule);
  const missing = /^`([\w]+)` is missing/.exec(fault.message)?.[1];
  if (rule === null) return { fault, rule, path };
  const below = path[0] === "rules" ? path.slice(2) : [];
  if (missing === undefined) {
    // What is said of the rule as a whole stands where it begins, which is its first key.
    const node = nodeAt(root, ["rules", rule]);
    const whole = node !== null && offset === node.start && !/`id`|the id/.test(fault.message);
    return { fault, rule, path: whole ? [] : below };
  }
  // A missing key is told where the mapping begins that should have it, which is where its first key is.
  const parent = [...below];
  while (parent.length > 0) {
    const node = nodeAt(root, ["rules", rule, ...parent]);
    if (node?.type === "map" && node.start === offset) break;
    parent.pop();
  }
  return { fault, rule, path: [...parent, missing] };
}

function ruleNamed(root: YamlNode | null, id: string | null): number | null {
  const rules = nodeAt(root, ["rules"]);
  if (id === null || rules?.type !== "list") return null;
  const at = rules.items.findIndex((item) => {
    const node = nodeAt(item, ["id"]);
    return node?.type === "scalar" && node.text === id;
  });
  return at < 0 ? null : at;
}

/** Whether a problem belongs to this field: at it, inside it, or about what holds it. */
export function concerns({ path }: PlacedFault, field: Path): boolean {
  const length = Math.min(path.length, field.length);
  return path.length > 0 && path.slice(0, length).every((step, at) => step === field[at]) && (path.length >= field.length || path.length === field.length - 1);
}

type Pattern = readonly [RegExp, (...parts: string[]) => string];

/** The server says problems in English; the usual ones are said in Chinese here. */
const CHINESE: readonly Pattern[] = [
  [/^`(.+)` is missing$/, (key) => `缺少 \`${key}\``],
  [/^unknown key `(.+)`$/, (key) => `未知的键 \`${key}\``],
  [/^unknown kind `(.+)`$/, (kind) => `未知的规则类型 \`${kind}\``],
  [/^unknown severity `(.+)`$/, (name) => `未知的级别 \`${name}\``],
  [/^unknown metric `(.+)`$/, (name) => `未知的指标 \`${name}\``],
  [/^unknown zone `(.+)`$/, (name) => `未知的区域 \`${name}\``],
  [/^unknown ([\w ]+) `(.+)`$/, (key, name) => `\`${key}\` 的取值 \`${name}\` 无效`],
  [/^`(.+)` must be a number, found (.+)$/, (key, found) => `\`${key}\` 必须是数字，现为 ${found}`],
  [/^`(.+)` must be a length of time, found (.+)$/, (key, found) => `\`${key}\` 必须是时长，现为 ${found}`],
  [/^`(.+)` must be a text, found (.+)$/, (key, found) => `\`${key}\` 必须是文字，现为 ${found}`],
  [/^`(.+)` must be true or false, found (.+)$/, (key, found) => `\`${key}\` 必须是 true 或 false，现为 ${found}`],
  [/^`(.+)` must be a whole number of at least (\d+), found (.+)$/, (key, least, found) => `\`${key}\` 必须是不小于 ${least} 的整数，现为 ${found}`],
  [/^`(.+)` must be more than nothing$/, (key) => `\`${key}\` 必须大于零`],
  [/^`(.+)` must not be negative(?:, found (.+))?$/, (key) => `\`${key}\` 不能为负`],
  [/^`rules` is empty$/, () => "没有任何规则"],
  [/^no department owns the rule$/, () => "规则没有所属部门"],
  [/^the rule selects no metric.*$/, () => "规则没有选择指标，限值会套用到所有数据"],
  [/^severity `(.+)` has no limit$/, (name) => `级别 \`${name}\` 没有限值`],
  [/^`severity` has no steps$/, () => "`severity` 没有任何级别"],
  [/^the id `(.+)` is used twice: (.+)$/, (id, where) => `标识 \`${id}\` 重复：${where}`],
  [/^`(.+)` cannot be an id$/, (id) => `\`${id}\` 不能作标识`],
  [/^this is not valid YAML: (.+)$/, (why) => `YAML 语法错误：${why}`],
];

const CHINESE_HINTS: readonly Pattern[] = [
  [/^did you mean `(.+)`\?$/, (name) => `是否想写 \`${name}\`？`],
  [/^add the unit: (.+)$/, (how) => `请加上单位：${how.replace(" or ", " 或 ")}`],
  [/^write for example (.+)$/, (how) => `例如 ${how}`],
  [/^write (`.+`)$/, (how) => `请写 ${how.replaceAll(" or ", " 或 ")}`],
  [/^remove the quotes$/, () => "去掉引号"],
  [/^one of (.+)$/, (names) => `可选：${names}`],
  [/^possible here: (.+)$/, (names) => `可选：${names}`],
  [/^add (`.+`)$/, (what) => `请加上 ${what}`],
  [/^swap them, or remove one step$/, () => "交换两级，或去掉一级"],
  [/^check indentation, quotes and brackets.*$/, () => "检查此处及上文的缩进、引号和括号"],
];

function say(patterns: readonly Pattern[], text: string): string {
  if (language.value !== "zh") return text;
  for (const [pattern, words] of patterns) {
    const found = pattern.exec(text);
    if (found) return words(...found.slice(1).map((part) => part ?? ""));
  }
  return text;
}

export const faultText = (fault: Pick<RuleFault, "message">) => say(CHINESE, fault.message);
export const hintText = (fault: Pick<RuleFault, "hint">) => (fault.hint === null ? "" : say(CHINESE_HINTS, fault.hint));
