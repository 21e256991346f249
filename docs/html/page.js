// Search, and the diagram. Everything else of a page is there without this file.
// mermaid.tiny.js is the tiny build of Mermaid 11.17.2 (https://github.com/mermaid-js/mermaid, MIT: mermaid.LICENSE).
"use strict";

const root = document.documentElement;
const report = (error) => { root.dataset.errors = `${root.dataset.errors ?? ""}${error}\n`; };
addEventListener("error", (event) => report(event.message));
addEventListener("unhandledrejection", (event) => report(event.reason));

// Search: its state is the address, #search=words, so that a search can be linked to and the back button works.

const box = document.querySelector("#search");
const article = document.querySelector("article");
const results = document.querySelector("#results");
const MARK = "#search=";

const objects = [...document.querySelectorAll("[data-kind]")].map((element) => ({
  id: element.id,
  kind: element.dataset.kind,
  name: element.dataset.name,
  // Of a whole section, what is said before its parts.
  says: (element.matches("tr") ? [...element.cells].slice(1) : [...element.querySelectorAll(":scope > p, :scope > ul > li")])
    .map((part) => part.textContent).filter(Boolean).join(" · "),
}));

function rank(object, words) {
  const name = object.name.toLowerCase();
  const last = name.split(".").pop();
  const phrase = words.join(" ");
  if (name === phrase || last === phrase) return 0;
  if (last.startsWith(phrase)) return 1;
  if (words.every((word) => last.includes(word))) return 2;
  if (words.every((word) => name.includes(word))) return 3;
  const text = `${object.kind} ${name} ${object.says.toLowerCase()}`;
  return words.every((word) => text.includes(word)) ? 4 : -1;
}

function search(query) {
  const words = query.toLowerCase().replace(/\(\)/g, "").split(/\s+/).filter(Boolean);
  const order = ["table", "view", "type", "function", "statement", "job"];
  const place = (object) => (order.includes(object.kind) ? order.indexOf(object.kind) : order.length);
  return objects
    .map((object) => ({ object, rank: rank(object, words) }))
    .filter((found) => found.rank >= 0)
    .sort((a, b) => a.rank - b.rank || place(a.object) - place(b.object))
    .map((found) => found.object);
}

function element(name, attributes, ...children) {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...children);
  return made;
}

function show(query) {
  const found = search(query);
  const noun = found.length === 1 ? "object" : "objects";
  results.querySelector("#found").textContent = `${found.length || "No"} ${noun} for “${query}”`;
  results.querySelector("ol").replaceChildren(...found.map((object) => element("li", {},
    element("a", { href: `#${object.id}` },
      element("span", { className: "kind", textContent: object.kind }), " ",
      element("code", { textContent: object.name })),
    element("p", { textContent: object.says }))));
}

function follow() {
  const asked = location.hash.startsWith(MARK);
  let query = "";
  if (asked) {
    try { query = decodeURIComponent(location.hash.slice(MARK.length)); } catch { query = location.hash.slice(MARK.length); }
    show(query.trim());
  }
  // What is being typed has blanks that the address need not have.
  if (box.value.trim() !== query.trim()) box.value = query;
  results.hidden = !asked;
  article.hidden = asked;
  // What the address leads to was hidden when the browser looked for it.
  if (!asked && location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

box.addEventListener("input", () => {
  const query = box.value.trim();
  const before = location.hash.startsWith(MARK);
  const address = query ? MARK + encodeURIComponent(query) : "#";
  // One step back leads out of a search, however many letters it took.
  history[before ? "replaceState" : "pushState"](null, "", address);
  follow();
  scrollTo(0, 0);
});

box.form.addEventListener("submit", (event) => {
  event.preventDefault();
  results.querySelector("a")?.focus();
});

addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    box.focus();
    box.select();
  } else if (event.key === "Escape" && location.hash.startsWith(MARK)) {
    location.hash = "#";
    box.blur();
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !results.hidden) {
    const links = [box, ...results.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    const next = links[at + (event.key === "ArrowDown" ? 1 : -1)];
    if (at >= 0 && next) {
      event.preventDefault();
      next.focus();
    }
  }
});

addEventListener("hashchange", follow);
addEventListener("popstate", follow);

box.form.hidden = false;
follow();

// The list of objects is in the way on a narrow screen, and opens where there is room.

const contents = document.querySelector(".contents");
const narrow = matchMedia("(max-width: 60rem)");
const fold = () => { contents.open = !narrow.matches; };
narrow.addEventListener("change", fold);
fold();

// The sidebar marks where the reader is.

const links = new Map([...contents.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
const watched = [...document.querySelectorAll("article section[id]")].filter((one) => links.has(one.id));
const spy = new IntersectionObserver(() => {
  const here = !article.hidden && watched.filter((one) => one.getBoundingClientRect().top < innerHeight / 3).pop();
  for (const [id, link] of links) {
    if (here && id === here.id) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}, { rootMargin: "0px 0px -66% 0px" });
watched.forEach((one) => spy.observe(one));

// The diagram, drawn from the text that is in the page.

const diagram = document.querySelector(".diagram");
const dark = matchMedia("(prefers-color-scheme: dark)");

async function draw(source, view) {
  mermaid.initialize({
    startOnLoad: false,
    theme: dark.matches ? "dark" : "neutral",
    themeVariables: dark.matches ? { rowOdd: "#222a36", rowEven: "#1b212b" } : {},
    fontFamily: "system-ui, sans-serif",
    er: { useMaxWidth: false },
  });
  const { svg } = await mermaid.render("er-diagram", source);
  view.innerHTML = svg;
  const drawing = view.querySelector("svg");
  const [, , width, height] = drawing.getAttribute("viewBox").split(" ").map(Number);
  Object.assign(drawing.style, { maxWidth: "none", height: "auto" });
  drawing.removeAttribute("height");
  for (const entity of drawing.querySelectorAll("g.node")) {
    const name = entity.querySelector(".name")?.textContent.trim() ?? "";
    const table = document.getElementById(`table-${name}`);
    if (!table) continue;
    entity.setAttribute("tabindex", "0");
    entity.setAttribute("role", "link");
    entity.setAttribute("aria-label", `Table ${name}`);
    entity.addEventListener("click", () => { if (!view.dataset.moved) location.hash = table.id; });
    entity.addEventListener("keydown", (event) => { if (event.key === "Enter") location.hash = table.id; });
  }
  return { drawing, width, height };
}

async function present() {
  const source = diagram.querySelector("pre").textContent;
  const view = element("div", { className: "view", tabIndex: 0 });
  view.setAttribute("role", "region");
  view.setAttribute("aria-label", "Diagram");
  let drawn = await draw(source, view);
  let zoom = 1;
  let fitted = false;
  const fitting = () => (view.clientWidth || drawn.width) / drawn.width;

  // Zooming keeps the point under the pointer, or the middle, where it is.
  function scale(to, x = view.clientWidth / 2, y = view.clientHeight / 2) {
    const before = zoom;
    fitted = false;
    zoom = Math.min(Math.max(to, Math.min(fitting(), 1)), 3);
    drawn.drawing.style.width = `${drawn.width * zoom}px`;
    view.scrollLeft = (view.scrollLeft + x) * zoom / before - x;
    view.scrollTop = (view.scrollTop + y) * zoom / before - y;
  }
  function fit() {
    scale(Math.min(fitting(), 1));
    fitted = true;
  }
  const button = (label, title, act) => {
    const made = element("button", { type: "button", textContent: label, title, onclick: act });
    made.setAttribute("aria-label", title);
    return made;
  };
  const bar = element("div", { className: "bar" },
    button("−", "Smaller", () => scale(zoom / 1.4)),
    button("+", "Larger", () => scale(zoom * 1.4)),
    button("Fit", "Fit to the width", fit),
    button("1:1", "Actual size", () => scale(1)),
    element("span", { textContent: "Drag to move, Ctrl and wheel to zoom, click a table to read about it." }));

  view.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const place = view.getBoundingClientRect();
    scale(zoom * Math.exp(-event.deltaY / 300), event.clientX - place.left, event.clientY - place.top);
  }, { passive: false });

  let from = null;
  view.addEventListener("pointerdown", (event) => {
    // A finger scrolls by itself.
    if (event.pointerType === "touch" || event.button) return;
    from = { x: event.clientX + view.scrollLeft, y: event.clientY + view.scrollTop, at: [event.clientX, event.clientY] };
    delete view.dataset.moved;
  });
  addEventListener("pointermove", (event) => {
    if (!from) return;
    if (Math.hypot(event.clientX - from.at[0], event.clientY - from.at[1]) > 4) view.dataset.moved = "yes";
    if (view.dataset.moved) view.scrollTo(from.x - event.clientX, from.y - event.clientY);
  });
  addEventListener("pointerup", () => { from = null; });

  diagram.classList.add("drawn");
  diagram.prepend(bar, view);
  fit();
  const redraw = async () => {
    drawn = await draw(source, view);
    if (fitted) fit();
    else scale(zoom);
  };
  dark.addEventListener("change", redraw);
  // After the observer's turn, for fitting changes the height of what it observes; while a search hides it, not at all.
  let width = view.clientWidth;
  new ResizeObserver(() => requestAnimationFrame(() => {
    if (!view.clientWidth || view.clientWidth === width) return;
    width = view.clientWidth;
    if (fitted) fit();
  })).observe(view);
  // What the address leads to has moved down.
  if (location.hash && !location.hash.startsWith(MARK)) follow();
  root.dataset.drawn = "yes";
}

if (diagram) present().catch(report);
