// Refreshes the page's live part while something runs; the server says how soon (data-poll-ms, 0: not at all).
// Elements are changed in place: focus, selection, scroll position, open details and typed text stay.
"use strict";

const live = document.getElementById("live");
let timer;

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
  const followed = [...live.querySelectorAll("[data-scroll]")].filter(isAtEnd);
  for (const id of ["clock", "live"]) morph(document.getElementById(id), page.getElementById(id));
  for (const element of followed) element.scrollTop = element.scrollHeight;
}

function isAtEnd({ scrollTop, clientHeight, scrollHeight }) {
  return scrollTop + clientHeight >= scrollHeight - 4;
}

function morph(old, next) {
  if (old.nodeName !== next.nodeName || (old.id ?? "") !== (next.id ?? "")) return old.replaceWith(next);
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== next.data) old.data = next.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!next.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const [before, after] = [[...old.childNodes], [...next.childNodes]];
  after.forEach((child, index) => before[index] ? morph(before[index], child) : old.append(child));
  before.slice(after.length).forEach((child) => child.remove());
}

// Buttons that copy a text are of use only where the browser allows it.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}

// On a narrow screen a long page begins with its groups closed, save those in which something is on or looked for.
if (matchMedia("(max-width: 40rem)").matches && !location.search && !location.hash) {
  for (const group of document.querySelectorAll(".group:not(:has(.on)), .whole")) group.open = false;
}

// On a narrow screen the navigation is longer than its line.
document.querySelector("nav [aria-current=page]")?.scrollIntoView({ block: "nearest", inline: "center" });

if (live) {
  document.addEventListener("visibilitychange", () => document.hidden || plan());
  plan();
}
