"use strict";

const byId = (id) => document.getElementById(id);
const number = (value) => value.toLocaleString("en");

// Nobody sees a picture and presses a key within this: what comes sooner was meant for the last one.
const SOONEST = 150;

let state = null; // as the server last said
let shownAt = null; // when the picture came to be seen; null: it is not
let looked = 0; // milliseconds for which it was seen before a pause
let busy = false; // an answer is on its way

// ---- what is seen ----

function show(id) {
  for (const section of ["intro", "trial", "end"]) byId(section).hidden = section !== id;
  byId("top").hidden = id !== "trial";
}

function tell(sentence) {
  byId("trouble").textContent = sentence;
  byId("trouble").hidden = !sentence;
}

function showCount() {
  const count = `${number(state.done)} of ${number(state.total)}`;
  byId("count").textContent = count;
  byId("rest-count").textContent = `${count} pictures are answered.`;
  byId("bar").max = state.total;
  byId("bar").value = state.done;
  byId("undo").disabled = !state.undo;
}

function showIntro() {
  const left = state.total - state.done;
  const minutes = Math.max(1, Math.round(left / 30));
  byId("greeting").textContent = state.turn ? `Welcome back, ${state.user}` : `Welcome, ${state.user}`;
  byId("left").textContent = `${number(left)}${state.done ? " more" : ""} picture${left === 1 ? "" : "s"}`;
  byId("minutes").textContent = minutes === 1 ? "about a minute" : `about ${number(minutes)} minutes`;
  byId("begin").textContent = state.turn ? "Go on" : "Begin";
  show("intro");
  byId("begin").focus();
}

function showEnd() {
  const answers = state.total === 1 ? "Your answer" : `All ${number(state.total)} answers`;
  byId("stored").textContent = answers;
  byId("undo-last").hidden = !state.undo;
  byId("picture").replaceChildren();
  unseen();
  show("end");
  byId("thanks").focus();
}

async function showPicture() {
  show("trial");
  showCount();
  keep(state.ask);
  const [place] = state.ask;
  unseen();
  looked = 0;
  let image;
  try {
    image = await pictures.get(place);
  } catch {
    pictures.delete(place);
    tell("This picture cannot be shown. Please tell who runs the study.");
    return;
  }
  if (state.ask[0] !== place) return;
  byId("picture").classList.toggle("whole", Number.isInteger(devicePixelRatio));
  byId("picture").replaceChildren(image);
  align();
  byId("announce").textContent = `Picture ${number(state.done + 1)} of ${number(state.total)}`;
  requestAnimationFrame(seen);
}

/** From here on the picture is seen, and soon answers are taken. */
function seen() {
  if (byId("rest").open || busy) return;
  const since = (shownAt = performance.now());
  setTimeout(() => shownAt === since && byId("picture").classList.add("asked"), SOONEST);
}

function unseen() {
  shownAt = null;
  byId("picture").classList.remove("asked");
}

/** Put the picture onto whole pixels of the screen, between which it would be blurred. */
function align() {
  const { style } = byId("picture");
  style.left = style.top = "0";
  const { left, top } = byId("picture").getBoundingClientRect();
  const step = Number.isInteger(devicePixelRatio) ? 1 : devicePixelRatio;
  const off = (value) => Math.round(value * step) / step - value;
  style.left = `${off(left)}px`;
  style.top = `${off(top)}px`;
}

addEventListener("resize", align);

function goOn() {
  if (state.ask.length) showPicture();
  else showEnd();
}

// ---- what is answered: the next picture comes once the server has stored it ----

async function sent(body) {
  for (let wait = 500; ; wait = Math.min(2 * wait, 8000)) {
    try {
      const response = await fetch("answers", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(15000),
      });
      const said = await response.json();
      if (response.ok) {
        tell("");
        return said;
      }
      if (response.status === 409) {
        tell("You have answered in another window; here it goes on from there.");
        return said;
      }
      tell(`${said.error}; trying again`);
    } catch {
      tell("The study does not answer; your answer is kept and sent again.");
    }
    await later(wait);
  }
}

async function answer(word) {
  const undoing = word === "undo";
  if (busy || byId("rest").open || (undoing && !state.undo)) return;
  if (!undoing && !byId("picture").classList.contains("asked")) return;
  const milliseconds = undoing ? 0 : looked + performance.now() - shownAt;
  busy = true;
  unseen();
  tell("");
  if (!undoing) {
    byId(word).classList.add("pressed");
    byId("picture").replaceChildren();
  }
  state = await sent({
    turn: state.turn,
    answer: word,
    milliseconds: Math.round(milliseconds),
    pixel_ratio: devicePixelRatio,
  });
  for (const button of document.querySelectorAll(".pressed")) button.classList.remove("pressed");
  busy = false;
  goOn();
}

for (const word of ["yes", "no", "undo"]) byId(word).addEventListener("click", () => answer(word));
byId("undo-last").addEventListener("click", () => answer("undo"));

// ---- pause: the picture is hidden, and the time does not count ----

function pause() {
  if (byId("trial").hidden || byId("rest").open) return;
  if (shownAt !== null) looked += performance.now() - shownAt;
  unseen();
  byId("picture").style.visibility = "hidden";
  byId("rest").showModal();
}

byId("rest").addEventListener("close", () => {
  byId("picture").style.visibility = "";
  if (byId("picture").firstChild) requestAnimationFrame(seen);
});
byId("resume").addEventListener("click", () => byId("rest").close());
byId("pause").addEventListener("click", pause);
document.addEventListener("visibilitychange", () => document.hidden && pause());

// ---- keyboard ----

const keys = {
  y: () => answer("yes"),
  arrowright: () => answer("yes"),
  n: () => answer("no"),
  arrowleft: () => answer("no"),
  u: () => answer("undo"),
  backspace: () => answer("undo"),
  p: pause,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const key = event.key.toLowerCase();
  if (event.repeat && (key in keys || key === "enter" || key === " ")) {
    event.preventDefault(); // one press is one answer, however long
    return;
  }
  if (byId("rest").open) {
    if (key === "p") byId("rest").close();
    return;
  }
  if (!(key in keys) || !byId("intro").hidden) return;
  event.preventDefault();
  if (byId("end").hidden || key === "u" || key === "backspace") keys[key]();
});

// ---- begin ----

byId("begin").addEventListener("click", goOn);

(async () => {
  for (let wait = 500; ; wait = Math.min(2 * wait, 8000)) {
    try {
      const response = await fetch("state", { signal: AbortSignal.timeout(15000) });
      if (response.ok) {
        state = await response.json();
        break;
      }
    } catch {
      // The server is away: it may come back.
    }
    await later(wait);
  }
  keep(state.ask);
  if (state.ask.length) showIntro();
  else showEnd();
})();
