/** A screen that few people open: its code is loaded when somebody does. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Unreachable } from "../api/client";
import { needTexts, type Part } from "../i18n";
import { linkWord } from "../state/live";
import { Failure, Loading } from "./resource-view";

/** The code of a screen whose texts come with it. */
export async function withTexts<Module>(part: Part, module: Promise<Module>): Promise<Module> {
  await needTexts(part);
  return module;
}

export function lazily<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let loaded: ComponentType<Props> | null = null;
  return function Lazily(props: Props) {
    const [, setTurn] = useState(0);
    const [error, setError] = useState<unknown>(null);
    useEffect(() => {
      if (loaded !== null) return;
      load().then(
        (found) => {
          loaded = found;
          setTurn((turn) => turn + 1);
        },
        (cause: unknown) => setError(new Unreachable(cause)),
      );
    }, []);
    // A browser may remember that a file could not be had: once the server is back, begin anew.
    useEffect(() => {
      if (error === null) return;
      let away = linkWord.peek() !== "live";
      return linkWord.subscribe((word) => {
        if (word === "live" && away) location.reload();
        away ||= word !== "live";
      });
    }, [error]);
    if (loaded !== null) {
      const Screen = loaded;
      return <Screen {...props} />;
    }
    // The server may be another version by now, which has other files: begin anew.
    return error === null ? <Loading /> : <Failure error={error} retry={() => location.reload()} />;
  };
}
