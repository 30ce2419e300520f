/** A choice of this person, kept in the browser between visits. */
export function remembered<Choice extends string>(name: string, choices: readonly Choice[]) {
  const key = `citybrain.${name}`;
  return {
    read(): Choice | null {
      try {
        const stored = localStorage.getItem(key);
        return choices.find((choice) => choice === stored) ?? null;
      } catch {
        return null; // storage may be forbidden; the choice then lasts for the visit
      }
    },
    write(choice: Choice): void {
      try {
        localStorage.setItem(key, choice);
      } catch {
        // as above
      }
    },
  };
}
