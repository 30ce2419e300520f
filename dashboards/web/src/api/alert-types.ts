/** What the API answers about work on alerts: handling, silences, load, explanations, hand-overs. */
import type { AlertDetail, AlertItem, AlertLogKind, EndReason, LocalText, Quality, ReadingValue, Rule, Severity, Subject } from "./types";

/** Somebody's decision not to be bothered for a while. */
export interface Shelf {
  by: string;
  at: string;
  reason: string;
  until: string;
}

export type HandlingStage = "unassigned" | "assigned" | "accepted" | "handed_over";

/** Who takes care of an alert, and until when. */
export interface Handling {
  stage: HandlingStage;
  /** Who was asked or has accepted it. */
  who: string | null;
  /** That was asked to take it and has not answered. */
  department: string | null;
  /** That has it; null for the rule's. */
  holder: string | null;
  until: string | null;
  overdue: boolean;
  overdue_count: number;
  /** How many times it was handed over. */
  step: number;
  /** To whom it goes when it is returned. */
  from: string | null;
}

export interface SeverityShare {
  severity: Severity;
  alerts: number;
  share: number;
  target: number;
}

export interface PositionLoad {
  /** A department; `city` for all of them. */
  position: string;
  operators: number;
  alerts: number;
  per_operator_day: number;
  ten_minutes_mean: number;
  ten_minutes_peak: number;
  hours_over_30: number;
  ten_minutes_over_10: number;
  floods: number;
  flood_share: number;
  chattering: number;
  fleeting: number;
  standing: number;
  stale: number;
  severities: SeverityShare[];
}

export interface BadActor {
  rule: string;
  /** `series:DEVICE/METRIC`, `device:DEVICE` or `zone:ZONE`. */
  subject: string;
  alerts: number;
  share: number;
  chattering: boolean;
  fleeting: number;
  stale: number;
}

export interface AlarmLoad {
  from: string;
  to: string;
  city: PositionLoad;
  departments: PositionLoad[];
  bad_actors: BadActor[];
}

export interface AlertFlood {
  since: string;
  alerts: number;
}

export interface AlertGroup {
  zone: string | null;
  zone_name: LocalText | null;
  /** `gateway` or `rule`. */
  cause: string;
  cause_id: string;
  cause_name: LocalText;
  severity: Severity;
  firing: number;
  unacknowledged: number;
  first_fired_at: string;
  last_fired_at: string;
  /** Ids of the newest. */
  alerts: string[];
}

export interface PositionGroups {
  position: string;
  firing: number;
  flood: AlertFlood | null;
  groups: AlertGroup[];
}

/** Which alerts; what is empty or missing matches everything. */
export interface AlertMatch {
  rule?: string[];
  subject?: string[];
  device?: string[];
  zone?: string[];
  department?: string[];
  labels?: Record<string, string[]>;
  severity_at_most?: Severity | null;
  severity_at_least?: Severity | null;
}

export type Weekday = "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun";

export interface WeeklySpan {
  days: Weekday[];
  /** `HH:MM`. */
  from: string;
  /** `HH:MM`, on the next day if not after `from`. */
  to: string;
}

export interface Weekly {
  time_zone: string;
  spans: WeeklySpan[];
}

export type SilenceState = "pending" | "active" | "expired";

export interface EndedEarly {
  by: string;
  at: string;
  reason: string | null;
}

export interface Silence {
  id: string;
  state: SilenceState;
  match: AlertMatch;
  owner: string;
  reason: string;
  created_at: string;
  starts_at: string;
  ends_at: string;
  weekly: Weekly | null;
  next_change_at: string | null;
  expires_soon: boolean;
  ended: EndedEarly | null;
  hid: number;
  unsaid: number;
}

/** What is sent to make a silence. */
export interface SilenceDraft {
  match: AlertMatch;
  reason: string;
  starts_at: string | null;
  ends_at: string;
  weekly: Weekly | null;
}

export type ExplainedVerdict = "firing" | "pending" | "held_back" | "clear" | "unknown" | "not_selected";

export interface ExplainedReading {
  device: string | null;
  metric: string | null;
  quality: Quality;
  time: string;
  value: ReadingValue;
}

export interface ExplainedStep {
  at: string;
  decision: string;
  limit: number | null;
  value: number | null;
  reading: ExplainedReading | null;
  text: LocalText;
  /** What the rule expected of the reading. */
  expected: { value: number; low: number; high: number; deviation: number } | null;
}

export interface ExplainedMismatch {
  part: string;
  text: LocalText;
}

export interface ExplainedSilence {
  id: string;
  owner: string;
  reason: string;
  ends_at: string;
}

export interface RuleExplanation {
  rule: string;
  version: string;
  subject: Subject;
  at: string;
  from: string;
  verdict: ExplainedVerdict;
  sentence: LocalText;
  since: string | null;
  until: string | null;
  readings: number;
  counts: Record<string, number>;
  untrusted: Record<string, number>;
  steps: ExplainedStep[];
  steps_left_out: number;
  caveats: LocalText[];
  mismatches: ExplainedMismatch[];
  silences: ExplainedSilence[];
  alerts: AlertDetail[];
}

/** One line of the log of all alerts. */
export interface AlertLogItem {
  at: string;
  kind: AlertLogKind;
  by: string;
  note: string | null;
  severity: Severity | null;
  value: number | null;
  reason: EndReason | null;
  about: string | null;
  alert: string | null;
  rule: string | null;
  department: string | null;
  device: string | null;
}

/** One severity of a rule, with the limits that raise and clear it. */
export interface RuleLimits {
  severity: Severity;
  limit: number | null;
  clear: number | null;
  for_s: number;
}

/** A rule with what a chart draws of it. */
export interface RuleWithLimits extends Rule {
  direction: string | null;
  keep_firing_for_s: number;
  severities: RuleLimits[];
}

export interface LossCounters {
  received: number;
  stored: number;
  duplicate: number;
  dead_lettered: number;
  in_flight: number;
  missed: number;
}

export interface LossItem extends LossCounters {
  id: string;
}

export interface Loss {
  balanced: boolean;
  total: LossCounters;
  items: LossItem[];
  next_cursor: string | null;
}

/** As the list gives it when only some members are asked for. */
export type AlertGlance = Pick<AlertItem, "id" | "fired_at" | "resolved_at" | "severity" | "state">;
