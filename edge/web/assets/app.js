// Progressive enhancement only: without this file every page reads and answers as well.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const first = (selector, root = document) => root.querySelector(selector);

  // An answer that was refused: go to the reasons, and from a reason to its field.
  const summary = first(".nhsuk-error-summary");
  if (summary) {
    summary.tabIndex = -1;
    summary.focus();
    summary.addEventListener("click", (event) => {
      const link = event.target.closest("a[href^='#']");
      const field = link && document.getElementById(link.hash.slice(1));
      if (!field) return;
      event.preventDefault();
      (field.closest("fieldset") || field.closest(".nhsuk-form-group") || field).scrollIntoView();
      field.focus({ preventScroll: true });
    });
  }

  // A second press of a button while the first is on its way sends nothing.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 3000);
  });
  addEventListener("pageshow", () => all("form[data-sent]").forEach((form) => delete form.dataset.sent));

  // Live updates: the server names what changed, and the regions that show it fetch themselves again (hx-trigger).
  const address = document.body.dataset.live;
  const pause = first("[data-live-pause]");
  const state = first("[data-live-state]");
  if (address && pause && state && window.EventSource) {
    const waiting = new Set();
    let paused = sessionStorage.getItem("paused") === "yes";
    let lost = false;
    let open = false; // nothing is live before the server has answered
    const say = () => {
      pause.textContent = paused ? "Resume updates" : "Pause updates";
      const n = waiting.size;
      state.textContent = lost ? "Connection lost, trying again"
        : !open ? "Connecting"
        : !paused ? "Live"
        : n ? `Paused, ${n} ${n === 1 ? "change" : "changes"} waiting` : "Paused";
    };
    const tell = (topic) => document.body.dispatchEvent(new CustomEvent(`ww:${topic}`));
    const heard = (topic) => { if (paused) waiting.add(topic); else tell(topic); say(); };
    const source = new EventSource(address);
    const topics = () => new Set(all("[data-topics]").flatMap((region) => region.dataset.topics.split(" ")));
    setInterval(() => { if (!paused && !document.hidden) topics().forEach(tell); }, 60000); // a hint that got lost costs one poll
    source.addEventListener("open", () => {
      // What was said while nobody listened is unknown, so every region looks again.
      if (lost) topics().forEach(heard);
      lost = false;
      open = true;
      say();
    });
    source.addEventListener("error", () => { lost = true; say(); });
    source.addEventListener("message", (event) => heard(event.data));
    pause.addEventListener("click", () => {
      paused = !paused;
      sessionStorage.setItem("paused", paused ? "yes" : "no");
      if (!paused) { waiting.forEach(tell); waiting.clear(); }
      say();
    });
    addEventListener("pagehide", () => source.close());
    pause.hidden = false;
    say();
  }

  // Queues: j and k move, x chooses, o opens, a acts (takes what nobody has), ? shows the keys. Never while somebody is typing,
  // and not at all for whoever turned them off: single keys get in the way of those who speak to their computer.
  const off = () => localStorage.getItem("keys") === "off";
  const help = () => first("[data-keys-help]");
  const sayKeys = () => {
    all("[data-keys-help]").forEach((box) => { box.hidden = false; });
    all("[data-keys-off]").forEach((button) => { button.textContent = off() ? "Turn these keys on" : "Turn these keys off"; });
  };
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-keys-off]")) return;
    localStorage.setItem("keys", off() ? "on" : "off");
    sayKeys();
  });
  sayKeys();
  document.addEventListener("htmx:after:settle", sayKeys);
  // All that match are more than the rows of the page: these show it too.
  document.addEventListener("change", (event) => {
    if (event.target.name !== "all" || !event.target.closest(".ww-bulk")) return;
    all("tbody .ww-pick input", event.target.form).forEach((box) => { box.checked = event.target.checked; });
  });
  const rows = () => all("[data-keys] tbody tr");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.target.isContentEditable || event.target.closest("input:not([type=checkbox]), textarea, select, dialog")) return;
    if (event.key === "?" && help()) { help().open = !help().open; event.preventDefault(); return; }
    if (off()) return;
    const list = rows();
    if (!list.length || !"jkxoa".includes(event.key) || event.key.length !== 1) return;
    const at = Math.max(list.findIndex((row) => row.contains(document.activeElement)), list.findIndex((row) => row.classList.contains("ww-at")));
    const go = (index) => {
      const row = list[Math.max(0, Math.min(list.length - 1, index))];
      list.forEach((other) => other.classList.remove("ww-at"));
      row.classList.add("ww-at");
      row.scrollIntoView({ block: "nearest" });
      first("th a, td a, input", row)?.focus({ preventScroll: true });
    };
    if (event.key === "j") go(at + 1);
    if (event.key === "k") go(at < 0 ? 0 : at - 1);
    if (at >= 0 && event.key === "x") first("input[type=checkbox]", list[at])?.click();
    if (at >= 0 && event.key === "o") first("a", list[at])?.click();
    if (at >= 0 && event.key === "a") (first("td button", list[at]) || first("th a", list[at]))?.click();
    event.preventDefault();
  });
})();
