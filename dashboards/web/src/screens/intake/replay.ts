/** Sending dead letters through the pipeline again, and finding out what came of it. */
import { useState } from "preact/hooks";
import { intakeApi, type DeadLetter } from "../../api/intake";

export type LetterHead = Pick<DeadLetter, "id" | "at" | "source" | "device" | "reason" | "detail">;

export interface ReplayResult {
  /** How many were sent again. */
  sent: number;
  /** Those that became dead letters again. */
  again: readonly LetterHead[];
  /** How many could not be sent, and why. */
  refused: number;
  error: unknown;
}

export interface Replay {
  done: number;
  of: number;
}

const AT_ONCE = 4;
/** A message that still cannot be read is a dead letter again within this time. */
const LOOKS = 5;
const LOOK_MS = 500;
const MOST = 1000;
const HEAD = "id,at,source,device,reason,detail";

async function around(letters: readonly LetterHead[]): Promise<LetterHead[]> {
  const times = letters.map(({ at }) => Date.parse(at));
  const sources = new Set(letters.map(({ source }) => source));
  const [only] = sources.size === 1 ? [...sources] : [null];
  const query = { source: only?.includes(",") ? null : only, from: new Date(Math.min(...times) - 1).toISOString(), to: new Date(Math.max(...times) + 2).toISOString(), limit: MOST, fields: HEAD };
  return (await intakeApi.letters(query)).items as LetterHead[];
}

export async function replayAll(letters: readonly LetterHead[], onStep: (step: Replay) => void = () => undefined): Promise<ReplayResult> {
  const known = new Set((await around(letters)).map(({ id }) => id));
  const queue = [...letters];
  let [sent, refused, done] = [0, 0, 0];
  let error: unknown = null;
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      try {
        await intakeApi.replay(next.id);
        sent += 1;
      } catch (failure) {
        refused += 1;
        error = failure;
      }
      done += 1;
      onStep({ done, of: letters.length });
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, letters.length) }, work));
  let again: LetterHead[] = [];
  for (let look = 0; look < LOOKS && sent > 0 && again.length < sent; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    again = (await around(letters)).filter(({ id }) => !known.has(id));
  }
  return { sent, again, refused, error };
}

export interface Replaying {
  step: Replay | null;
  result: ReplayResult | null;
  failure: unknown;
  run(letters: readonly LetterHead[]): Promise<ReplayResult | null>;
  clear(): void;
}

export function useReplay(): Replaying {
  const [step, setStep] = useState<Replay | null>(null);
  const [result, setResult] = useState<ReplayResult | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  return {
    step, result, failure,
    async run(letters) {
      setStep({ done: 0, of: letters.length });
      setResult(null);
      setFailure(null);
      try {
        const found = await replayAll(letters, setStep);
        setResult(found);
        return found;
      } catch (error) {
        setFailure(error);
        return null;
      } finally {
        setStep(null);
      }
    },
    clear() {
      setResult(null);
      setFailure(null);
    },
  };
}
