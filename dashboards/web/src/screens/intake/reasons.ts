/** The reasons of dead letters by their codes, and what of a mapping each one tells. */
import type { DeadLetter, Mapping } from "../../api/intake";
import { language, t } from "../../i18n";

export const REASONS = [
  "unknown_device", "bad_unit", "no_metric", "no_source", "no_device", "not_its_device", "absurd_time", "registry", "garbage",
  "malformed", "wrong_shape", "too_large", "too_deep", "too_many_values", "no_values", "no_codec", "codec_failed", "bad_checksum", "no_birth", "bad_value", "bad_time", "bad_device", "bad_name",
] as const;
export type Reason = (typeof REASONS)[number];

const isReason = (code: string): code is Reason => REASONS.includes(code as Reason);

/** A code that this page does not know yet is better than nothing. */
export const reasonName = (code: string) => (isReason(code) ? t(`letter.reason.${code}`) : code);
export const reasonWhy = (code: string) => (isReason(code) ? t(`letter.reason.${code}.why`) : "");

/** The server says what is wrong in English; the usual is said in Chinese here. */
const CHINESE: readonly (readonly [RegExp, string])[] = [
  [/device `([^`]+)` is not registered/g, "设备 `$1` 未登记"],
  [/metric `([^`]+)`: unit `([^`]+)` measures ([\w ]+), but `([^`]+)` measures ([\w ]+)/g, "指标 `$1`：单位 `$2`（$3）与 `$4`（$5）的量纲不同"],
  [/metric `([^`]+)`: unknown unit `([^`]+)`/g, "指标 `$1`：未知单位 `$2`"],
  [/no source wants the topic `([^`]+)`/g, "没有数据源接收主题 `$1`"],
  [/neither the payload nor the topic says which device sent it/g, "消息和主题都没有说明是哪台设备发送的"],
  [/client `([^`]+)` may not send readings of device `([^`]+)`/g, "客户端 `$1` 不能为设备 `$2` 发送读数"],
  [/nothing was found; looked for (.+)/g, "未找到任何数值；查找过 $1"],
  [/at line (\d+),? column (\d+)/g, "（第 $1 行第 $2 列）"],
];

export function detailText(detail: string): string {
  return language.value === "zh" ? CHINESE.reduce((text, [pattern, words]) => text.replace(pattern, words), detail) : detail;
}

/** What the server advises; in Chinese that of the reason stands alone, rather than beside an English one. */
export const hintText = (hint: string): string => (language.value === "zh" ? "" : hint);

/** Reasons that a mapping of a name can mend. */
export const mendable = (code: string) => code === "bad_unit" || code === "no_metric";

/** What a mapping would begin with: the names are quoted in what is wrong. */
export function mappingOf(letter: Pick<DeadLetter, "detail" | "source">): Mapping {
  const name = /metric `([^`]+)`/.exec(letter.detail)?.[1] ?? "";
  const unit = /`[^`]*` measures [\w ]+, but `([^`]+)`/.exec(letter.detail)?.[1];
  return { source: letter.source, name, metric: name, ...(unit !== undefined && { unit }) };
}

export interface Place {
  /** The offset of a byte, if the problem names one. */
  byte: number | null;
  line: number | null;
  column: number | null;
}

/** Where in the message decoding failed, as far as it is said. */
export function placeOf(detail: string): Place {
  const byte = /\bbyte (\d+)/.exec(detail);
  const line = /\bline (\d+),? column (\d+)/.exec(detail);
  return { byte: byte ? Number(byte[1]) : null, line: line ? Number(line[1]) : null, column: line ? Number(line[2]) : null };
}
