"use strict";

const byId = (id) => document.getElementById(id);

function tell(sentence) {
  byId("trouble").textContent = sentence;
  byId("trouble").hidden = !sentence;
}

byId("join").addEventListener("submit", async (event) => {
  event.preventDefault();
  tell("");
  try {
    const response = await fetch("join", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: byId("name").value }),
      signal: AbortSignal.timeout(15000),
    });
    const said = await response.json();
    if (response.ok) location.assign(said.link);
    else tell(said.error);
  } catch {
    tell("The study does not answer. Please try again.");
  }
});
