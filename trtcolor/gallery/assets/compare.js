"use strict";

// A divide between two pictures that lie on one another. What says where it is, to the keyboard and
// to readers of the screen as well, is a range; the pointer only sets its value.

function showDivide(range) {
  const before = Math.round(range.value);
  range.closest(".compare").style.setProperty("--at", `${range.value}%`);
  range.setAttribute("aria-valuetext", `${before} % before, ${100 - before} % after`);
}

function setDivide(range, value) {
  range.value = value;
  showDivide(range);
}

function dividePointedAt(event) {
  const compare = event.target.closest(".compare:not(.single)");
  if (!compare) return;
  const box = compare.getBoundingClientRect();
  const at = (100 * (event.clientX - box.left)) / box.width;
  setDivide(compare.querySelector("input"), Math.min(Math.max(at, 0), 100));
}

// A finger may be about to scroll: it moves the divide once it goes across, or where it taps.
let pressed = null;

document.addEventListener("pointerdown", (event) => {
  const compare = event.target.closest(".compare:not(.single)");
  if (!compare || event.button) return;
  compare.setPointerCapture(event.pointerId);
  compare.querySelector("input").focus({ preventScroll: true });
  pressed = { x: event.clientX, y: event.clientY, across: event.pointerType !== "touch" };
  if (pressed.across) dividePointedAt(event);
  event.preventDefault();
});

function pointerMoved(event) {
  if (!pressed || !event.target.hasPointerCapture?.(event.pointerId)) return;
  const across = Math.abs(event.clientX - pressed.x);
  const along = Math.abs(event.clientY - pressed.y);
  const tapped = event.type === "pointerup" && Math.max(across, along) < 8;
  pressed.across ||= across > 8 && across > along;
  if (pressed.across || tapped) dividePointedAt(event);
}

document.addEventListener("pointermove", pointerMoved);
document.addEventListener("pointerup", pointerMoved);

document.addEventListener("input", (event) => {
  if (event.target.matches(".compare input")) showDivide(event.target);
});
