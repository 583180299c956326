"use strict";
(() => {
  const input = document.getElementById("search");
  const results = document.getElementById("results");
  const status = document.getElementById("status");
  const most = 50;
  const entries = Array.from(document.querySelectorAll("[data-search]"), (element) => ({
    anchor: element.id,
    kind: element.dataset.search,
    name: element.dataset.name,
    comment: element.dataset.comment || "",
    text: [element.dataset.name, element.dataset.search, element.dataset.type, element.dataset.comment]
      .join(" ").toLowerCase(),
  }));
  let selected = -1;

  // The best first: the name itself, then its beginning, then a part of it, then anything else that is said.
  function rank(entry, words) {
    const name = entry.name.toLowerCase().replaceAll('"', "");
    const short = name.slice(name.lastIndexOf(".") + 1);
    const query = words.join(" ");
    const table = entry.kind === "table" ? 0 : 1;
    if (name === query || short === query) return table;
    if (name.startsWith(query)) return 2 + table;
    if (words.every((word) => name.includes(word))) return 4 + table;
    return 6 + table;
  }

  function found(words) {
    return entries
      .filter((entry) => words.every((word) => entry.text.includes(word)))
      .map((entry, place) => ({ entry, place, rank: rank(entry, words) }))
      .sort((one, other) => one.rank - other.rank || one.place - other.place)
      .map((one) => one.entry);
  }

  function part(kind, text) {
    const element = document.createElement("span");
    element.className = kind;
    element.textContent = text;
    return element;
  }

  function item(entry, number) {
    const link = document.createElement("a");
    link.href = "#" + entry.anchor;
    link.id = "result-" + number;
    link.setAttribute("role", "option");
    link.append(part("kind", entry.kind), part("what", entry.name), part("kind comment", entry.comment));
    const line = document.createElement("li");
    line.setAttribute("role", "presentation");
    line.append(link);
    return line;
  }

  function select(number) {
    const links = results.querySelectorAll("a");
    selected = links.length ? (number + links.length) % links.length : -1;
    links.forEach((link, place) => link.setAttribute("aria-selected", String(place === selected)));
    if (selected >= 0) {
      input.setAttribute("aria-activedescendant", links[selected].id);
      links[selected].scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  }

  function show() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const all = words.length ? found(words) : [];
    results.replaceChildren(...all.slice(0, most).map(item));
    input.setAttribute("aria-expanded", String(all.length > 0));
    status.textContent = !words.length ? "" : all.length > most ? `${all.length} found, the first ${most}:`
      : all.length ? `${all.length} found` : "nothing found";
    select(0);
  }

  input.addEventListener("input", show);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") select(selected + 1);
    else if (event.key === "ArrowUp") select(selected - 1);
    else if (event.key === "Enter" && selected >= 0) results.querySelectorAll("a")[selected].click();
    else if (event.key === "Escape") { input.value = ""; show(); input.blur(); }
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input.focus();
    input.select();
  });

  if (matchMedia("(max-width: 60rem)").matches) document.querySelector("details.contents").open = false;

  const button = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const name = () => { button.textContent = isDark() ? "Light" : "Dark"; };
  button.hidden = false;
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    name();
  });
  dark.addEventListener("change", name);
  name();
})();
