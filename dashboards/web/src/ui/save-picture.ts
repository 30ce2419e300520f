/** Hands files to the person: pictures as PNG, and others. */

export function saveCanvas(canvas: HTMLCanvasElement, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (!blob) return reject(new Error("the picture could not be made"));
      saveBlob(blob, name);
      resolve();
    }, "image/png");
  });
}

export function saveBlob(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** A name for files: what it shows and when, without signs that file systems refuse. */
export function fileName(parts: readonly string[], at: number, ending: string): string {
  const stamp = new Date(at).toISOString().replace(/\.\d+Z$/, "Z").replaceAll(":", "");
  return `${[...parts, stamp].join("-").replace(/[\s/\\?%*:|"<>·,，。]+/g, "-")}.${ending}`;
}

export function pictureName(parts: readonly string[], at: number): string {
  return fileName(parts, at, "png");
}
