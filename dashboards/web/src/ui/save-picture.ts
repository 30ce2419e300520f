/** Hands a picture to the person as a PNG file. */

export function saveCanvas(canvas: HTMLCanvasElement, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (!blob) return reject(new Error("the picture could not be made"));
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = name;
      link.click();
      // The browser reads it after the click.
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
      resolve();
    }, "image/png");
  });
}

/** A name for files: what it shows and when, without signs that file systems refuse. */
export function pictureName(parts: readonly string[], at: number): string {
  const stamp = new Date(at).toISOString().replace(/\.\d+Z$/, "Z").replaceAll(":", "");
  return `${[...parts, stamp].join("-").replace(/[\s/\\?%*:|"<>·,，。]+/g, "-")}.png`;
}
