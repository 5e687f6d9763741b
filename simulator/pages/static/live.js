// Refreshes the page's live part while something runs; the server says how soon (data-poll-ms, 0: not at all).
"use strict";

const live = document.getElementById("live");
let timer;
let shown;

function plan() {
  clearTimeout(timer);
  const delay = Number(live.dataset.pollMs);
  if (delay > 0) timer = setTimeout(refresh, delay);
}

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (answer.ok) show(await answer.text());
  } catch {
    live.dataset.pollMs = "5000"; // The environment is being restarted: look again later.
  }
  plan();
}

function show(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const next = page.getElementById("live");
  document.getElementById("clock").textContent = page.getElementById("clock").textContent;
  live.dataset.pollMs = next.dataset.pollMs;
  if (next.innerHTML === shown) return;
  shown = next.innerHTML;
  const focused = document.activeElement?.id;
  const open = [...live.querySelectorAll("details[id][open]")].map((element) => element.id);
  const scrolled = [...live.querySelectorAll("[data-scroll]")].map((element) => ({
    id: element.id,
    top: element.scrollTop,
    atEnd: element.scrollTop + element.clientHeight >= element.scrollHeight - 4,
  }));
  live.replaceChildren(...next.childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  for (const { id, top, atEnd } of scrolled) {
    const element = document.getElementById(id);
    if (element) element.scrollTop = atEnd ? element.scrollHeight : top;
  }
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

if (live) {
  document.addEventListener("visibilitychange", () => document.hidden || plan());
  plan();
}
