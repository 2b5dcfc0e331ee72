// Photos: made small before they wait, since a line of one bar carries a tenth of what a camera makes; and shown while they
// wait. The policy of the page allows no blob: addresses, so they are drawn.

import { say, words } from "./words.js";

const LONGEST = 2048; // pixels; a dump ticket can still be read
const QUALITY = 0.85;
const SMALL = 240;
const MOST_BYTES = JSON.parse(document.body.dataset.limits).bytes;
const HEIF = /^ftyp(hei[cxms]|hev[cxms]|heif|mif1|msf1)$/; // bytes 4 to 11 of what iPhones make and few browsers can read

/** What the server would not take, in words for the person. */
export class Unusable extends Error {}

/**
 * A JPEG of at most 2048 pixels, upright and without where it was taken. HEIC that cannot be read here is left to the
 * server. Raises Unusable.
 */
export async function shrunk(file) {
  const image = await createImageBitmap(file).catch(() => null);
  if (!image && !(await isHeif(file))) throw new Unusable(words.told.noPhoto);
  const made = image ? await jpeg(drawn(image, LONGEST), file) : file;
  if (made.size > MOST_BYTES) throw new Unusable(say(words.told.tooLarge, { most: MOST_BYTES / 1024 ** 2 }));
  return made;
}

/** Why a file cannot be sent as a photo, or null. */
export async function unusable(file) {
  return shrunk(file).then(() => null, ({ message }) => message);
}

const jpeg = (canvas, file) => new Promise((resolve) => canvas.toBlob((blob) => resolve(blob || file), "image/jpeg", QUALITY));

async function isHeif(file) {
  return HEIF.test(new TextDecoder("latin1").decode(await file.slice(4, 12).arrayBuffer()));
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
