// What every journey does around its steps: it says each as it begins, so that one knows where it failed,
// looks at what the pages noted, keeps pictures of a failure, and closes its browser.
import assert from "node:assert/strict";

let step = "";

export function say(text) {
  step = text;
  console.log(text);
}

/** `notes` are those of the pages, `keep` keeps what can be seen of a failure, `close` always comes last. */
export async function goThrough(title, steps, { notes, keep = async () => undefined, close }) {
  const began = Date.now();
  try {
    await steps();
    checkClean(notes);
    console.log(`${title} passed in ${((Date.now() - began) / 1000).toFixed(0)} s`);
  } catch (error) {
    console.error(`it failed where ${step}`);
    for (const each of notes.errors) console.error(each);
    await keep();
    throw error;
  } finally {
    await close();
  }
}

export function checkClean({ outside, errors }) {
  assert.deepEqual(outside, [], "no request leaves the server");
  assert.deepEqual(errors, [], "no error in the console");
}
