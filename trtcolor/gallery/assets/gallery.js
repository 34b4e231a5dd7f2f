"use strict";

const byId = (id) => document.getElementById(id);
const cards = [...document.querySelectorAll(".card")];
const rangeOf = (element) => element.querySelector(".compare input");

// ---- pictures: bytes lie in the page as text, and become pictures near the window only ----

function load(card) {
  for (const picture of card.querySelectorAll("img")) {
    const bytes = card.querySelector(`script.${picture.className}`).textContent;
    picture.src = `data:image/webp;base64,${bytes}`;
  }
}

function unload(card) {
  for (const picture of card.querySelectorAll("img")) picture.removeAttribute("src");
}

const nearby = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) (entry.isIntersecting ? load : unload)(entry.target);
  },
  { rootMargin: "100% 0px" },
);

for (const card of cards) {
  if (!card.dataset.width) continue;
  card.style.setProperty("--ratio", card.dataset.width / card.dataset.height);
  if (rangeOf(card)) showDivide(rangeOf(card));
  nearby.observe(card);
}

byId("together").addEventListener("input", (event) => {
  for (const card of cards) if (rangeOf(card)) setDivide(rangeOf(card), 100 - event.target.value);
});

// ---- which pictures are shown ----

const search = byId("search");
const outcomes = [...document.querySelectorAll("#filter input")];
const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const names = new Map(cards.map((card) => [card, plain(card.dataset.name)]));

for (const option of outcomes) {
  const count = cards.filter((card) => option.value === "all" || card.dataset.outcome === option.value).length;
  option.parentElement.querySelector("b").textContent = count;
  option.parentElement.hidden = !count && option.value !== "all";
}

function show() {
  const outcome = outcomes.find((option) => option.checked).value;
  const words = plain(search.value).split(/\s+/);
  let shown = 0;
  for (const card of cards) {
    const named = words.every((word) => names.get(card).includes(word));
    card.hidden = !named || (outcome !== "all" && card.dataset.outcome !== outcome);
    shown += !card.hidden;
  }
  byId("none").hidden = shown > 0;
  byId("count").textContent = `${shown} of ${cards.length} pictures`;
}

search.addEventListener("input", show);
byId("filter").addEventListener("change", show);
show();

// ---- full view ----

const full = byId("full");
let open = null;

const pictured = () => cards.filter((card) => !card.hidden && card.dataset.width);
const handleOf = (card) => rangeOf(card) ?? card.querySelector(".compare");

function openFull(card) {
  const shown = pictured();
  const divide = rangeOf(full)?.value;
  open = card;
  load(card);
  byId("full-name").textContent = card.dataset.name;
  byId("full-place").textContent = `${shown.indexOf(card) + 1} of ${shown.length}`;
  byId("full-frame").replaceChildren(card.querySelector(".compare").cloneNode(true));
  byId("full-frame").style.setProperty("--ratio", card.dataset.width / card.dataset.height);
  const details = card.querySelector(".details").cloneNode(true);
  details.hidden = false;
  byId("full-details").replaceChildren(details);
  byId("full-link").hidden = !card.dataset.link;
  if (card.dataset.link) byId("full-link").href = card.dataset.link;
  byId("flip").hidden = !rangeOf(full);
  if (rangeOf(full)) setDivide(rangeOf(full), full.open ? (divide ?? 50) : rangeOf(card).value);
  if (!full.open) full.showModal();
  handleOf(full).focus();
  showFlip();
}

function step(by) {
  const shown = pictured();
  const focused = full.open ? open : document.activeElement.closest(".card");
  const next = shown[shown.indexOf(focused) + by];
  if (!next) {
    if (full.open || shown.includes(focused) || !shown.length) return;
    return goTo(shown[0]);
  }
  if (full.open) openFull(next);
  else goTo(next);
}

function goTo(card) {
  handleOf(card).focus({ preventScroll: true });
  card.scrollIntoView({ block: "center" });
}

function flip() {
  const card = document.activeElement.closest(".card");
  const range = full.open ? rangeOf(full) : card && rangeOf(card);
  if (range) setDivide(range, Number(range.value) === 100 ? 0 : 100);
  showFlip();
}

function showFlip() {
  const range = rangeOf(full);
  byId("flip").setAttribute("aria-pressed", String(Boolean(range) && Number(range.value) === 100));
}

full.addEventListener("input", showFlip);
full.addEventListener("pointermove", showFlip);
full.addEventListener("close", () => {
  if (open) goTo(open);
  open = null;
  byId("full-frame").replaceChildren();
});
byId("flip").addEventListener("click", flip);
byId("previous").addEventListener("click", () => step(-1));
byId("next").addEventListener("click", () => step(1));
byId("close").addEventListener("click", () => full.close());
byId("cards").addEventListener("click", (event) => {
  if (event.target.closest(".open")) openFull(event.target.closest(".card"));
});

// ---- keyboard, theme ----

byId("keys").addEventListener("click", () => byId("help").showModal());
byId("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

const letters = {
  j: () => step(1),
  k: () => step(-1),
  b: flip,
  "/": () => !full.open && search.focus(),
  "?": () => byId("help").open || byId("help").showModal(),
};

document.addEventListener("keydown", (event) => {
  const target = event.target;
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Enter" && target.closest(".card .compare")) {
    openFull(target.closest(".card"));
    event.preventDefault();
    return;
  }
  if (target === search && event.key === "Escape") search.blur();
  if (target === search || byId("help").open || !byId("letters").checked) return;
  const option = full.open ? null : outcomes[event.key - 1];
  const act = letters[event.key.toLowerCase()];
  if (option) option.parentElement.hidden || option.click();
  else if (act) act();
  else return;
  event.preventDefault();
});
