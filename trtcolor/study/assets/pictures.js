"use strict";

// Pictures by their place in the user's order: fetched and decoded before they are asked for, so
// that the next one is there at once, and forgotten once they are answered.

const pictures = new Map();

const later = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

async function fetched(place) {
  for (let wait = 500; ; wait = Math.min(2 * wait, 8000)) {
    try {
      const response = await fetch(`pictures/${place}`, { signal: AbortSignal.timeout(15000) });
      if (response.ok) return await response.blob();
    } catch {
      // The server is away: it may come back.
    }
    await later(wait);
    if (!pictures.has(place)) throw new Error("it is not asked for any longer");
  }
}

async function decoded(place) {
  const image = new Image(224, 224);
  image.alt = "The picture in question";
  image.draggable = false;
  image.src = URL.createObjectURL(await fetched(place));
  await image.decode();
  return image;
}

/** Begin to fetch these and no others. */
function keep(places) {
  for (const [place, picture] of pictures) {
    if (places.includes(place)) continue;
    pictures.delete(place);
    picture.then((image) => URL.revokeObjectURL(image.src), () => {});
  }
  for (const place of places) {
    if (!pictures.has(place)) pictures.set(place, decoded(place));
  }
}
