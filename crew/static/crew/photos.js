// Photos: made small before they wait, since a line of one bar carries a tenth of what a camera makes; and shown while they
// wait. The policy of the page allows no blob: addresses, so they are drawn.

const LONGEST = 2048; // pixels; a dump ticket can still be read
const QUALITY = 0.85;
const SMALL = 240;

/** A JPEG of at most 2048 pixels, upright and without where it was taken. What cannot be read here is left to the server. */
export async function shrunk(file) {
  const image = await createImageBitmap(file).catch(() => null);
  if (!image) return file;
  const canvas = drawn(image, LONGEST);
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(blob || file), "image/jpeg", QUALITY));
}

/** A small picture of a photo that waits. */
export function preview(blob) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  canvas.setAttribute("aria-hidden", "true");
  createImageBitmap(blob).then((image) => canvas.replaceWith(drawn(image, SMALL)), () => {});
  return canvas;
}

function drawn(image, longest) {
  const scale = Math.min(1, longest / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.width * scale));
  canvas.height = Math.max(1, Math.round(image.height * scale));
  canvas.setAttribute("aria-hidden", "true");
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  image.close();
  return canvas;
}
